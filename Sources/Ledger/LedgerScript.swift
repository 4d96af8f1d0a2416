// The Lua scripts as they are sent: embedded files with their includes put in place.

import RedisClient

/// The scripts of the ledger. Each file in `Scripts/` without a leading underscore is one script.
package enum LedgerScript {
    /// Replaces each line `-- @include NAME` by the text of the file `_NAME.lua`.
    static func assemble(_ name: String, _ bytes: [UInt8]) -> RedisScript {
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
        var text = ""
        for line in lines {
            if line.hasPrefix("-- @include ") {
                text += include(String(line.dropFirst("-- @include ".count)))
            } else {
                text += line
            }
            text += "\n"
        }
        return RedisScript(name: name, source: text)
    }

    private static func include(_ name: String) -> String {
        switch name {
        case "prologue": String(decoding: PackageResources._prologue_lua, as: UTF8.self)
        case "books": String(decoding: PackageResources._books_lua, as: UTF8.self)
        case "sessions": String(decoding: PackageResources._sessions_lua, as: UTF8.self)
        case "grants": String(decoding: PackageResources._grants_lua, as: UTF8.self)
        case "doubt": String(decoding: PackageResources._doubt_lua, as: UTF8.self)
        case "admin": String(decoding: PackageResources._admin_lua, as: UTF8.self)
        case "organisation": String(decoding: PackageResources._organisation_lua, as: UTF8.self)
        case "budgets": String(decoding: PackageResources._budgets_lua, as: UTF8.self)
        case "keys": String(decoding: PackageResources._keys_lua, as: UTF8.self)
        default: preconditionFailure("no such include: \(name)")
        }
    }
}
