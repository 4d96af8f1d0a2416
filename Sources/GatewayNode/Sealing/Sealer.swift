// Ids that carry their own facts: reservation ids with a MAC, decision ids encrypted and authenticated.

import Crypto
import Foundation
import Ledger
import QuotaCore

/// Seals and opens the ids of one organisation. The first secret seals, all open: rotation with overlap.
struct Sealer: Sendable {
    static let maximumLength = 4096
    private struct Keys: Sendable {
        /// Has taken in the key: a copy of it begins each code.
        let mac: HMAC<SHA256>
        let receipt: SymmetricKey
        let relay: String
    }
    private let keys: [Keys]

    init(_ secrets: [OrganisationSecret], organisation: String) {
        keys = secrets.map { secret in
            let root = SymmetricKey(data: Data(secret.key.utf8))
            func derive(_ purpose: String) -> SymmetricKey {
                HKDF<SHA256>.deriveKey(
                    inputKeyMaterial: root, salt: Data(organisation.utf8), info: Data(purpose.utf8), outputByteCount: 32
                )
            }
            let relay = derive("relay").withUnsafeBytes { Base64URL.encode(Array($0)) }
            return Keys(mac: HMAC(key: derive("reservation")), receipt: derive("decision"), relay: relay)
        }
    }

    /// What nodes show each other.
    var relayCredential: String { keys.first?.relay ?? "" }

    func acceptsRelay(_ credential: String) -> Bool {
        keys.contains { !$0.relay.isEmpty && ConstantTime.equal(Array($0.relay.utf8), Array(credential.utf8)) }
    }

    func seal(_ token: ReservationToken) -> String {
        guard let key = keys.first else { return "" }
        var writer = ByteWriter()
        writer.write(token)
        Self.code(writer.bytes, key.mac).withUnsafeBytes { writer.bytes.append(contentsOf: $0.prefix(16)) }
        return Base64URL.encode(writer.bytes, after: "rsv_")
    }

    /// The code of a token, of which the first 16 bytes are used.
    private static func code(_ bytes: [UInt8], _ mac: HMAC<SHA256>) -> HMAC<SHA256>.MAC {
        var mac = mac
        mac.update(data: bytes)
        return mac.finalize()
    }

    func openReservation(_ id: String) -> ReservationToken? {
        guard id.hasPrefix("rsv_"), id.utf8.count <= Self.maximumLength,
            let bytes = Base64URL.decode(id.utf8.dropFirst(4)), bytes.count > 16
        else { return nil }
        let body = Array(bytes.dropLast(16))
        let tag = bytes.suffix(16)
        for key in keys {
            if Self.code(body, key.mac).withUnsafeBytes({ ConstantTime.equal($0.prefix(16), tag) }) {
                var reader = ByteReader(body)
                return reader.token()
            }
        }
        return nil
    }

    func seal(_ receipt: Receipt) -> String {
        guard let key = keys.first else { return "" }
        var writer = ByteWriter()
        writer.write(receipt)
        guard let box = try? AES.GCM.seal(writer.bytes, using: key.receipt), let combined = box.combined else {
            return ""
        }
        return Base64URL.encode(Array(combined), after: "dec_")
    }

    func openDecision(_ id: String) -> Receipt? {
        guard id.hasPrefix("dec_"), id.utf8.count <= Self.maximumLength * 2,
            let bytes = Base64URL.decode(id.utf8.dropFirst(4)), let box = try? AES.GCM.SealedBox(combined: bytes)
        else { return nil }
        for key in keys {
            if let body = try? AES.GCM.open(box, using: key.receipt) {
                var reader = ByteReader(Array(body))
                return reader.receipt()
            }
        }
        return nil
    }
}
