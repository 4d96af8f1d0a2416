// The price book and its versions.

import RedisClient

extension LedgerScript {
    static let pricesPut = assemble("prices_put", PackageResources.prices_put_lua)
    static let pricesGet = assemble("prices_get", PackageResources.prices_get_lua)
}

/// One version of the price book.
package struct PricesRow: Sendable, Hashable {
    package var version: Int64
    /// JSON.
    package var text: String
}

extension Ledger {
    /// Stores a new version of the price book, at most a mebibyte of JSON. The 1000 newest versions are kept.
    package func putPrices(
        _ text: String, change: Change, organisation: String
    ) async throws(LedgerError) -> Written {
        try await write(LedgerScript.pricesPut, change, [text], organisation: organisation)
    }

    /// The present price book, or that of a version.
    ///
    /// - Throws: `.notFound` when there is none.
    package func prices(version: Int64? = nil, organisation: String) async throws(LedgerError) -> PricesRow {
        let reply = try await run(
            LedgerScript.pricesGet, organisation: organisation, [version.map(String.init) ?? ""])
        guard let text = reply.texts(atLeast: 2), let version = Int64(text[0]) else {
            throw LedgerError.unexpected("prices_get", reply)
        }
        return PricesRow(version: version, text: text[1])
    }
}
