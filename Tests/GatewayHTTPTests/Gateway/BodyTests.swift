// Bodies of decisions: what is read, and what is refused by name.

import GatewayNode
import HTTPSupport
import NIOCore
import QuotaCore
import Testing

@testable import GatewayHTTP

@Suite("Decision bodies")
struct BodyTests {
    private static func pointers(_ read: () throws(Problem) -> Void) -> [String] {
        do {
            try read()
            return []
        } catch {
            return error.errors.map(\.pointer)
        }
    }

    @Test("A reservation is read into the node's words")
    func reservation() throws {
        let body = try ReservationBody.decode(
            ByteBuffer(
                string: #"""
                    {"account":"search","model":"gpt-4o-mini","estimate":{"input_tokens":1200,"output_tokens":800,
                    "usd":0.00066,"requests":2,"tokens":2000},"principal":"alice@example.com","tags":{"project":"x"},
                    "ttl_s":30}
                    """#))
        #expect(body.account == "search" && body.model == "gpt-4o-mini")
        #expect(
            body.estimate
                == Estimate(inputTokens: 1200, outputTokens: 800, tokens: 2000, usd: 660_000, requests: 2))
        #expect(body.principal == "alice@example.com" && body.tags == ["project": "x"] && body.timeToLive == 30)
    }

    @Test("Left out, the life is 600 s and everything else is open")
    func defaults() throws {
        let body = try ReservationBody.decode(ByteBuffer(string: #"{"estimate":{"tokens":1}}"#))
        #expect(body.timeToLive == 600 && body.account == nil && body.model == nil && body.tags.isEmpty)
    }

    @Test(
        "A wrong field of a reservation is named",
        arguments: [
            (#"{}"#, "/estimate"), (#"{"estimate":{}}"#, "/estimate"), (#"{"estimate":5}"#, "/estimate"),
            (#"{"estimate":{"tokens":-1}}"#, "/estimate/tokens"),
            (#"{"estimate":{"tokens":1.5}}"#, "/estimate/tokens"),
            (#"{"estimate":{"tokens":"1"}}"#, "/estimate/tokens"),
            (#"{"estimate":{"tokens":4503599627370497}}"#, "/estimate/tokens"),
            (#"{"estimate":{"tokens":1e300}}"#, "/estimate/tokens"),
            (#"{"estimate":{"usd":"0.0000001"}}"#, "/estimate/usd"),
            (#"{"estimate":{"usd":"-1"}}"#, "/estimate/usd"), (#"{"estimate":{"usd":"NaN"}}"#, "/estimate/usd"),
            (#"{"estimate":{"token":1}}"#, "/estimate/token"),
            (#"{"estimate":{"tokens":1},"acount":"x"}"#, "/acount"),
            (#"{"estimate":{"tokens":1},"account":"Search"}"#, "/account"),
            (#"{"estimate":{"tokens":1},"account":7}"#, "/account"),
            (#"{"estimate":{"tokens":1},"ttl_s":3601}"#, "/ttl_s"),
            (#"{"estimate":{"tokens":1},"ttl_s":0}"#, "/ttl_s"),
            (#"{"estimate":{"tokens":1},"tags":{"a":1}}"#, "/tags/a"),
        ])
    func wrong(text: String, pointer: String) {
        #expect(
            Self.pointers { () throws(Problem) in _ = try ReservationBody.decode(ByteBuffer(string: text)) }
                == [pointer])
    }

    @Test("Principal, model and tags have limits in bytes")
    func bounds() {
        let long = String(repeating: "é", count: 129)
        for field in ["principal", "model"] {
            let text = "{\"estimate\":{\"tokens\":1},\"\(field)\":\"\(long)\"}"
            #expect(
                Self.pointers { () throws(Problem) in _ = try ReservationBody.decode(ByteBuffer(string: text)) }
                    == ["/\(field)"])
        }
        let tags = (0..<33).map { "\"t\($0)\":\"\"" }.joined(separator: ",")
        #expect(
            Self.pointers { () throws(Problem) in
                _ = try ReservationBody.decode(ByteBuffer(string: "{\"estimate\":{\"tokens\":1},\"tags\":{\(tags)}}"))
            } == ["/tags"])
    }

    @Test("A batch has at most 256 items, and a wrong one is named by its number")
    func batch() throws {
        func items(_ count: Int) -> ByteBuffer {
            let list = Array(repeating: #"{"estimate":{"tokens":1}}"#, count: count).joined(separator: ",")
            return ByteBuffer(string: "{\"items\":[\(list)]}")
        }
        #expect(try BatchBody.decode(items(256)).items.count == 256)
        #expect(Self.pointers { () throws(Problem) in _ = try BatchBody.decode(items(257)) } == ["/items"])
        let bad = ByteBuffer(string: #"{"items":[{"estimate":{"tokens":1}},{"estimate":{"tokens":"x"}}]}"#)
        #expect(
            Self.pointers { () throws(Problem) in _ = try BatchBody.decode(bad) } == ["/items/1/estimate/tokens"])
    }

    @Test("A commit holds usage, amounts or provider usage: exactly one")
    func commitForms() throws {
        func use(_ text: String) throws -> ActualUse { try CommitBody.decode(ByteBuffer(string: text)).use }
        #expect(
            try use(#"{"usage":{"input_tokens":10,"cache_read_tokens":4,"output_tokens":5},"model":"m"}"#)
                == .usage(Usage(inputTokens: 10, cacheReadTokens: 4, outputTokens: 5), model: "m"))
        #expect(try use(#"{"tokens":7}"#) == .amounts(tokens: 7, usd: nil, requests: nil))
        #expect(try use(#"{"usd":"0.000425001"}"#) == .amounts(tokens: nil, usd: 425_001, requests: nil))
        #expect(try use(#"{"tokens":0,"usd":1,"requests":1}"#) == .amounts(tokens: 0, usd: 1_000_000_000, requests: 1))
        #expect(
            try use(#"{"provider_usage":{"prompt_tokens":3,"total_tokens":3},"format":"openai.embeddings"}"#)
                == .usage(Usage(inputTokens: 3), model: nil))
        for (text, pointer) in [
            (#"{}"#, ""), (#"{"usage":{},"tokens":1}"#, ""), (#"{"provider_usage":{}}"#, "/format"),
            (#"{"provider_usage":{},"format":"x"}"#, "/format"),
            (#"{"provider_usage":{"prompt_tokens":"3"},"format":"openai.chat"}"#, "/provider_usage/prompt_tokens"),
            (#"{"usage":{"input_tokens":1,"cache_read_tokens":2}}"#, "/usage/cache_read_tokens"),
            (#"{"usage":{"output_tokens":1,"reasoning_tokens":2}}"#, "/usage/reasoning_tokens"),
            (#"{"usd":"0.0000000001"}"#, "/usd"), (#"{"tokens":-1}"#, "/tokens"),
        ] {
            let found = Self.pointers { () throws(Problem) in _ = try CommitBody.decode(ByteBuffer(string: text)) }
            #expect(found.first == pointer, "\(text)")
        }
    }

    @Test(
        "Providers' usage objects are read verbatim",
        arguments: [
            (
                "openai.chat",
                #"{"prompt_tokens":100,"completion_tokens":50,"total_tokens":150,"prompt_tokens_details":{"cached_tokens":40,"audio_tokens":10},"completion_tokens_details":{"reasoning_tokens":20,"audio_tokens":5,"accepted_prediction_tokens":1}}"#,
                Usage(
                    inputTokens: 100, cacheReadTokens: 40, outputTokens: 50, reasoningTokens: 20, audioInputTokens: 10,
                    audioOutputTokens: 5)
            ),
            (
                "openai.chat",
                #"{"prompt_tokens":5,"completion_tokens":1,"prompt_tokens_details":null,"completion_tokens_details":{"reasoning_tokens":9}}"#,
                Usage(inputTokens: 5, outputTokens: 1, reasoningTokens: 1)
            ),
            (
                "openai.responses",
                #"{"input_tokens":36,"input_tokens_details":{"cached_tokens":6},"output_tokens":87,"output_tokens_details":{"reasoning_tokens":7},"total_tokens":123}"#,
                Usage(inputTokens: 36, cacheReadTokens: 6, outputTokens: 87, reasoningTokens: 7)
            ),
            (
                "anthropic.messages",
                #"{"input_tokens":10,"cache_creation_input_tokens":30,"cache_read_input_tokens":200,"cache_creation":{"ephemeral_5m_input_tokens":20,"ephemeral_1h_input_tokens":10},"output_tokens":7,"service_tier":"standard"}"#,
                Usage(
                    inputTokens: 240, cacheReadTokens: 200, cacheWrite5mTokens: 20, cacheWrite1hTokens: 10,
                    outputTokens: 7)
            ),
            (
                "anthropic.messages", #"{"input_tokens":10,"cache_creation_input_tokens":30,"output_tokens":7}"#,
                Usage(inputTokens: 40, cacheWrite5mTokens: 30, outputTokens: 7)
            ),
        ])
    func provider(format: String, usage: String, expected: Usage) throws {
        let text = "{\"provider_usage\":\(usage),\"format\":\"\(format)\"}"
        #expect(try CommitBody.decode(ByteBuffer(string: text)).use == .usage(expected, model: nil))
    }

    @Test("A lease names amounts by unit")
    func leases() throws {
        let body = try LeaseBody.decode(ByteBuffer(string: #"{"account":"a","units":{"tokens":200000,"usd":"1.5"}}"#))
        #expect(body.units == [.tokens: 200_000, .usd: 1_500_000_000] && body.timeToLive == 30)
        let report = try LeaseReportBody.decode(ByteBuffer(string: #"{"used":{},"want":{"requests":5}}"#))
        #expect(report.used.isEmpty && report.want == [.requests: 5])
        for (text, pointer) in [
            (#"{"units":{}}"#, "/units"), (#"{}"#, "/units"), (#"{"units":{"euros":1}}"#, "/units/euros"),
            (#"{"units":{"tokens":-1}}"#, "/units/tokens"),
        ] {
            let found = Self.pointers { () throws(Problem) in _ = try LeaseBody.decode(ByteBuffer(string: text)) }
            #expect(found.first == pointer, "\(text)")
        }
    }
}
