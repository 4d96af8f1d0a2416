// The compact binary form of tokens and receipts: variable-length integers and counted strings.

import QuotaCore

struct ByteWriter {
    var bytes: [UInt8] = []

    init() { bytes.reserveCapacity(192) }

    mutating func write(_ value: Int64) {
        // Zigzag, then seven bits a byte.
        var rest = UInt64(bitPattern: (value << 1) ^ (value >> 63))
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    mutating func write(_ text: String) {
        write(Int64(text.utf8.count))
        bytes.append(contentsOf: text.utf8)
    }

    mutating func write(_ text: String?) {
        write(Int64(text == nil ? 0 : 1))
        if let text { write(text) }
    }

    mutating func write(_ amounts: Amounts) {
        write(amounts.tokens)
        write(amounts.usd)
        write(amounts.requests)
    }

    mutating func write(_ unit: BudgetUnit) {
        write(Int64(unit == .usd ? 0 : unit == .tokens ? 1 : 2))
    }

    mutating func write(_ token: ReservationToken) {
        write(Int64(1))
        write(token.session)
        write(token.number)
        write(token.account)
        write(token.model)
        write(token.reservedAt)
        write(token.rulesVersion)
        write(token.pricesVersion)
        write(Int64(token.holds.count))
        for hold in token.holds {
            write(hold.generation)
            write(hold.periodStart)
            write(hold.unit)
            write(hold.amount)
        }
    }

    mutating func write(_ receipt: Receipt) {
        write(Int64(1))
        write(receipt.outcome)
        write(receipt.account)
        write(receipt.model)
        write(receipt.requested)
        write(receipt.time)
        write(receipt.node)
        write(receipt.session)
        write(receipt.rulesVersion)
        write(receipt.pricesVersion)
        write(Int64(receipt.budgets.count))
        for figures in receipt.budgets {
            write(figures.account)
            write(figures.budget)
            write(figures.unit)
            write(figures.allowance)
            write(figures.remaining)
            write(figures.resetsAt)
            write(figures.asOf)
            write(Int64(figures.visibleBelow ? 1 : 0))
            write(figures.version)
        }
    }
}

/// Reads what `ByteWriter` wrote; anything else gives nil, never a trap.
struct ByteReader {
    private let bytes: [UInt8]
    private var at = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func integer() -> Int64? {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while at < bytes.count, shift < 64 {
            let byte = bytes[at]
            at += 1
            value |= UInt64(byte & 0x7f) << shift
            if byte < 0x80 { return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1) }
            shift += 7
        }
        return nil
    }

    mutating func text() -> String? {
        guard let count = integer(), count >= 0, count <= Int64(bytes.count - at) else { return nil }
        defer { at += Int(count) }
        return String(validating: bytes[at..<(at + Int(count))], as: UTF8.self)
    }

    private mutating func optionalText() -> String?? {
        guard let flag = integer() else { return nil }
        if flag == 0 { return .some(nil) }
        guard let value = text() else { return nil }
        return .some(value)
    }

    private mutating func unit() -> BudgetUnit? {
        switch integer() {
        case 0: .usd
        case 1: .tokens
        case 2: .requests
        default: nil
        }
    }

    private mutating func amounts() -> Amounts? {
        guard let tokens = integer(), let usd = integer(), let requests = integer() else { return nil }
        return Amounts(tokens: tokens, usd: usd, requests: requests)
    }

    mutating func count() -> Int? {
        guard let count = integer(), count >= 0, count <= 64 else { return nil }
        return Int(count)
    }

    mutating func token() -> ReservationToken? {
        guard integer() == 1, let session = text(), let number = integer(), let account = text(),
            let model = optionalText(), let reservedAt = integer(), let rules = integer(), let prices = integer(),
            let count = count()
        else { return nil }
        var holds: [Hold] = []
        for _ in 0..<count {
            guard let generation = text(), let start = integer(), let unit = unit(), let amount = integer() else {
                return nil
            }
            holds.append(Hold(generation: generation, periodStart: start, unit: unit, amount: amount))
        }
        return ReservationToken(
            session: session, number: number, account: account, model: model, reservedAt: reservedAt,
            rulesVersion: rules, pricesVersion: prices, holds: holds)
    }

    mutating func receipt() -> Receipt? {
        guard integer() == 1, let outcome = text(), let account = text(), let model = optionalText(),
            let requested = amounts(), let time = integer(), let node = text(), let session = text(),
            let rules = integer(), let prices = integer(), let count = count()
        else { return nil }
        var budgets: [BudgetFigures] = []
        for _ in 0..<count {
            guard let account = text(), let budget = text(), let unit = unit(), let allowance = integer(),
                let remaining = integer(), let resets = integer(), let asOf = integer(), let visible = integer(),
                let version = integer()
            else { return nil }
            budgets.append(
                BudgetFigures(
                    account: account, budget: budget, unit: unit, allowance: allowance, remaining: remaining,
                    resetsAt: resets, asOf: asOf, visibleBelow: visible == 1, version: version))
        }
        return Receipt(
            outcome: outcome, account: account, model: model, requested: requested, time: time, node: node,
            session: session, rulesVersion: rules, pricesVersion: prices, budgets: budgets)
    }
}

/// Base 64 with the URL alphabet and without padding (RFC 4648, section 5).
enum Base64URL {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
    private static let values: [UInt8] = {
        var table = [UInt8](repeating: 0xff, count: 256)
        for (value, letter) in alphabet.enumerated() { table[Int(letter)] = UInt8(value) }
        return table
    }()

    /// - Parameter mark: ASCII, put before the code.
    static func encode(_ bytes: [UInt8], after mark: StaticString = "") -> String {
        let start = mark.utf8CodeUnitCount
        return String(unsafeUninitializedCapacity: start + (bytes.count * 4 + 2) / 3) { out in
            for index in 0..<start { out[index] = mark.utf8Start[index] }
            var at = start
            alphabet.withUnsafeBufferPointer { alphabet in
                bytes.withUnsafeBufferPointer { bytes in
                    func put(_ value: UInt32) {
                        out[at] = alphabet[Int(value & 63)]
                        at += 1
                    }
                    var index = 0
                    while index + 3 <= bytes.count {
                        let group =
                            UInt32(bytes[index]) << 16 | UInt32(bytes[index + 1]) << 8 | UInt32(bytes[index + 2])
                        put(group >> 18)
                        put(group >> 12)
                        put(group >> 6)
                        put(group)
                        index += 3
                    }
                    // One byte left makes two letters, two make three.
                    if index < bytes.count {
                        let second = index + 1 < bytes.count ? UInt32(bytes[index + 1]) : 0
                        let group = UInt32(bytes[index]) << 16 | second << 8
                        put(group >> 18)
                        put(group >> 12)
                        if index + 1 < bytes.count { put(group >> 6) }
                    }
                }
            }
            return at
        }
    }

    static func decode(_ text: some Sequence<UInt8>) -> [UInt8]? {
        var bytes: [UInt8] = []
        var bits: UInt32 = 0, have = 0
        for letter in text {
            let value = values[Int(letter)]
            guard value != 0xff else { return nil }
            bits = bits << 6 | UInt32(value)
            have += 6
            if have >= 8 {
                have -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(have)))
            }
        }
        // A canonical text only: what is left over is zero and less than one letter.
        guard have < 6, bits & ((1 << UInt32(have)) - 1) == 0 else { return nil }
        return bytes
    }
}
