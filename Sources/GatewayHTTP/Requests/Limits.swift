// How large the values of a request may be. The OpenAPI document states the same numbers.

import QuotaCore

enum Limits {
    /// Bytes of a decision's body.
    static let decisionBytes = 64 << 10
    /// Tokens or requests in one request.
    static let count = Amount.maximum
    /// Nano-dollars in one request.
    static let nanoDollars = Amount.maximumNano
    static let modelBytes = 256
    static let principalBytes = 256
    static let tags = 32
    static let tagBytes = 256
    /// Seconds.
    static let timeToLive: ClosedRange<Int64> = 1...3600
    static let defaultTimeToLive: Int64 = 600
    static let defaultLeaseTimeToLive: Int64 = 30
    static let batch = 256
    /// Bytes of a sealed id; longer ones are not ours.
    static let sealedID = 4096
}
