// Keys are the outermost door: what is no key must be told from its text alone.

import QuotaCore
import Testing

@testable import Ledger

@Suite("Keys")
struct APIKeyTests {
    static let organisations = ["default", "a", "acme_inc", "a_b_c", "x__", "0.-_", String(repeating: "z", count: 63)]

    @Test(
        "a key is read back with its organisation and id, whatever the organisation is called",
        arguments: organisations)
    func roundTrip(organisation: String) throws {
        let (key, text) = APIKey.generate(organisation: organisation)
        let read = try #require(APIKey(parsing: text))
        #expect(read == key)
        #expect(read.organisation == organisation)
        #expect(read.id == key.id)
        #expect(text.hasPrefix("bsr_\(organisation)_\(key.id)_"))
        #expect(text.utf8.count <= APIKey.maximumLength)
    }

    @Test("every key has an id of its own that can stand in a URL")
    func ids() {
        let ids = (0..<200).map { _ in APIKey.generate(organisation: "default").key.id }
        #expect(Set(ids).count == 200)
        #expect(ids.allSatisfy { Identifier.isValid($0) && !$0.contains("_") })
    }

    @Test("random texts of a key's length and letters are refused")
    func randomTexts() {
        let letters = Array("0123456789abcdefghjkmnpqrstvwxyz_".utf8)
        for _ in 0..<2000 {
            let length = Int.random(in: 0...140)
            let tail = (0..<length).map { _ in letters[Int.random(in: 0..<letters.count)] }
            #expect(APIKey(parsing: "bsr_a_" + String(decoding: tail, as: UTF8.self)) == nil)
        }
    }

    @Test("the secret has at least 160 random bits")
    func entropy() throws {
        let secrets = try (0..<200).map { _ in
            try #require(APIKey.generate(organisation: "a").text.split(separator: "_").last).dropLast(7)
        }
        #expect(secrets.allSatisfy { $0.utf8.count * 5 >= 160 })
        #expect(Set(secrets).count == 200)
        for position in 0..<33 {
            let digits = Set(secrets.map { Array($0.utf8)[position] })
            #expect(digits.count > 16, "each digit of the secret takes many values")
        }
    }

    @Test("a key with any single byte changed is refused")
    func typingErrors() {
        let text = Array(APIKey.generate(organisation: "acme_inc").text.utf8)
        for position in text.indices {
            for byte in [UInt8(ascii: "0"), UInt8(ascii: "x"), UInt8(ascii: "_"), UInt8(ascii: "A"), 0, 0xC3] {
                var changed = text
                changed[position] = byte
                if changed == text { continue }
                #expect(APIKey(parsing: String(decoding: changed, as: UTF8.self)) == nil)
            }
        }
    }

    @Test("a key that lost or gained bytes, or whose bytes changed places, is refused")
    func cutKeys() {
        let text = APIKey.generate(organisation: "default").text
        for length in 0..<text.count { #expect(APIKey(parsing: String(text.prefix(length))) == nil) }
        for length in 0..<text.count { #expect(APIKey(parsing: String(text.suffix(length))) == nil) }
        #expect(APIKey(parsing: text + "0") == nil)
        #expect(APIKey(parsing: " " + text) == nil)
        #expect(APIKey(parsing: text + "\n") == nil)
        #expect(APIKey(parsing: text.uppercased()) == nil)
        var swapped = Array(text.utf8)
        let last = swapped.count - 20
        for index in last..<(swapped.count - 1) where swapped[index] != swapped[index + 1] {
            swapped.swapAt(index, index + 1)
            break
        }
        #expect(APIKey(parsing: String(decoding: swapped, as: UTF8.self)) == nil)
    }

    @Test(
        "garbage is refused",
        arguments: [
            "", "bsr_", "bsr__", "bsr___", "bsr____", "sk-1234567890", "Bearer bsr_default",
            "bsr_default_k_0", "bsr_é_k_s", "bsr_default__", String(repeating: "_", count: 100),
            "bsr_" + String(repeating: "a", count: 10_000),
        ])
    func garbage(text: String) {
        #expect(APIKey(parsing: text) == nil)
    }

    @Test(
        "parts that no key can have are refused even under a right checksum",
        arguments: [
            "bsr__id_", "bsr_-org_id_", "bsr_Org_id_", "bsr_org__", "bsr_org_ID_", "bsr_org_i.d_",
            "bsr_org_0123456789abcdefghjkmnpqr_",
            "bsr_0123456789012345678901234567890123456789012345678901234567890123_id_",
        ])
    func wrongParts(head: String) {
        let text = head + String(repeating: "s", count: 33)
        let checksum = String(decoding: KeyChecksum.text(of: Array(text.utf8)[...]), as: UTF8.self)
        #expect(APIKey(parsing: text + checksum) == nil)
        #expect(APIKey(parsing: "bsr_org_id_" + String(repeating: "s", count: 33) + checksum) == nil)
    }

    @Test("the checksum is CRC-32, so that other programs can make it")
    func checksum() {
        #expect(KeyChecksum.crc32("123456789".utf8) == 0xCBF4_3926)
        #expect(KeyChecksum.crc32("".utf8) == 0)
        // 0xCBF43926 in base 32, seven digits.
        #expect(String(decoding: KeyChecksum.text(of: Array("123456789".utf8)[...]), as: UTF8.self) == "35z8e96")
    }

    @Test("a key is known by the SHA-256 of its whole text")
    func digest() throws {
        let (key, _) = APIKey.generate(organisation: "default")
        let other = APIKey.generate(organisation: "default").key
        #expect(key.sha256Hex.utf8.count == 64)
        #expect(key.matches(sha256Hex: key.sha256Hex))
        #expect(!key.matches(sha256Hex: other.sha256Hex))
        #expect(!key.matches(sha256Hex: ""))
        #expect(!key.matches(sha256Hex: String(key.sha256Hex.dropLast())))
    }

    @Test("the digest of a known key is what sha256sum prints")
    func knownDigest() throws {
        let text = "bsr_default_0123456789ab_0123456789abcdefghjkmnpqrstvwxyz01ss8rsx"
        let key = try #require(APIKey(parsing: text))
        #expect(key.sha256Hex == "a8a9f3edb9f4f8e460b2781a2c9512afa3cffd1ce7b4ce8c9ff4b65dc73d0301")
    }

    @Test("comparison looks at every byte")
    func comparison() {
        let left = Array("0123456789abcdef".utf8)
        #expect(ConstantTime.equal(left, left))
        for index in left.indices {
            var right = left
            right[index] ^= 1
            #expect(!ConstantTime.equal(left, right))
        }
        #expect(!ConstantTime.equal(left, left.dropLast()))
        #expect(ConstantTime.equal([UInt8](), [UInt8]()))
    }

    @Test("a key that is printed shows no secret")
    func printing() throws {
        let (key, text) = APIKey.generate(organisation: "default")
        let secret = try #require(text.split(separator: "_").last)
        var dumped = ""
        dump(key, to: &dumped)
        for shown in ["\(key)", String(reflecting: key), dumped] {
            #expect(!shown.contains(secret))
            #expect(!shown.isEmpty)
        }
    }
}
