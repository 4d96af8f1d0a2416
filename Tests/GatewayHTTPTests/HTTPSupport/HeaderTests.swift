// Credentials, entity tags, RateLimit fields and listen addresses.

import HTTPSupport
import HTTPTypes
import Testing

@Suite("Headers and addresses")
struct HeaderTests {
    @Test("The key comes from Authorization or x-api-key")
    func credential() {
        #expect(Credential.read([.authorization: "Bearer abc"]) == "abc")
        #expect(Credential.read([.authorization: "bearer  abc"]) == "abc")
        #expect(Credential.read([.apiKey: "abc"]) == "abc")
        for bad in ["", "Bearer", "Bearer ", "Basic abc", "Bearer a b", "Bearer é"] {
            #expect(Credential.read([.authorization: bad]) == nil, "\(bad)")
        }
        #expect(Credential.read([:]) == nil)
        #expect(Credential.read([.apiKey: String(repeating: "x", count: 2000)]) == nil)
    }

    @Test("Secrets are equal only when they are")
    func secrets() {
        #expect(Credential.matches("secret", secret: "secret"))
        for wrong in ["", "secre", "secrets", "Secret", "secretsecret"] {
            #expect(!Credential.matches(wrong, secret: "secret"))
        }
        #expect(!Credential.matches("", secret: ""))
    }

    @Test("If-Match must name the present version")
    func ifMatch() throws {
        #expect(try EntityTag.check([:], version: 7) == nil)
        #expect(try EntityTag.check([.ifMatch: "\"7\""], version: 7) == 7)
        #expect(try EntityTag.check([.ifMatch: "\"6\", \"7\" "], version: 7) == 7)
        #expect(try EntityTag.check([.ifMatch: "*"], version: 7) == 7)
        for (value, version) in [("\"6\"", 7), ("W/\"7\"", 7), ("*", nil), ("\"7\"", nil)] as [(String, Int64?)] {
            #expect(Self.status { _ = try EntityTag.check([.ifMatch: value], version: version) } == .preconditionFailed)
        }
        #expect(Self.status { _ = try EntityTag.check([.ifMatch: "7"], version: 7) } == .badRequest)
        #expect(Self.status { _ = try EntityTag.check([.ifNoneMatch: "*"], version: 7) } == .preconditionFailed)
        #expect(try EntityTag.check([.ifNoneMatch: "*"], version: nil) == nil)
    }

    private static func status(_ body: () throws -> Void) -> HTTPResponse.Status? {
        do {
            try body()
            return nil
        } catch {
            return (error as? Problem)?.status
        }
    }

    @Test("RateLimit integers have at most 15 digits and are never negative")
    func rateLimit() {
        var headers = HTTPFields()
        RateLimitPolicy.apply(
            [
                RateLimitPolicy(
                    name: "engineering/monthly-usd", allowance: .max, remaining: -5, reset: 60, unit: "micro-usd"),
                RateLimitPolicy(name: "search/daily", allowance: 10, remaining: 3, reset: nil, unit: "tokens"),
            ], to: &headers)
        #expect(
            headers[.rateLimitPolicy]
                == #""engineering/monthly-usd";q=999999999999999;qu="micro-usd", "search/daily";q=10;qu="tokens""#)
        #expect(headers[.rateLimit] == #""engineering/monthly-usd";r=0;t=60, "search/daily";r=3"#)
    }

    @Test("Listen addresses are HOST:PORT or unix:PATH")
    func addresses() throws {
        #expect(try ListenAddress("127.0.0.1:8080") == .host("127.0.0.1", port: 8080))
        #expect(try ListenAddress("[::1]:0") == .host("::1", port: 0))
        #expect(try ListenAddress("unix:/run/b.sock") == .unix(path: "/run/b.sock"))
        #expect(try ListenAddress("unix:///run/b.sock") == .unix(path: "/run/b.sock"))
        for bad in ["", "8080", ":8080", "host:", "host:x", "host:70000", "unix:"] {
            #expect(throws: ListenerError.self) { _ = try ListenAddress(bad) }
        }
    }
}
