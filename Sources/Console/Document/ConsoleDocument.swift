// The OpenAPI document of the console: its routes say what there is, the schemas here what it looks like.

import HTTPSupport

enum ConsoleDocument {
    static let document = OpenAPIDocument(
        title: "Bursar console", version: "1",
        summary: "Accounts, budgets, keys and prices of an organisation, and what became of its allowances.",
        schemas: Schemas.all)
}

/// Small pieces of JSON Schema, put together by name.
enum Schemas {
    static let id = OpenAPIDocument.identifier
    static let nullableID = #"{"type":["string","null"],"pattern":"^[a-z0-9][a-z0-9._-]{0,62}$"}"#
    static let time = #"{"type":"string","format":"date-time"}"#
    static let nullableTime = #"{"type":["string","null"],"format":"date-time"}"#
    static let version = #"{"type":"integer","minimum":0}"#
    static let count = #"{"type":"integer","minimum":0}"#
    static let flag = #"{"type":"boolean"}"#
    static let nullableFlag = #"{"type":["boolean","null"]}"#
    static let string = #"{"type":"string"}"#
    static let nullableString = #"{"type":["string","null"]}"#
    static let unit = #"{"type":"string","enum":["usd","tokens","requests"]}"#
    static let timezone = #"{"type":["string","null"],"minLength":1,"maxLength":64}"#
    /// Going in: not negative; a decimal string, or a number for convenience.
    static let amount =
        #"{"description":"Dollars have up to six places, tokens and requests none.","anyOf":[{"type":"string","pattern":"^[0-9]{1,15}(\\.[0-9]{1,6})?$"},{"type":"number","minimum":0}]}"#
    static let signedAmount =
        #"{"description":"Dollars have up to six places, tokens and requests none.","anyOf":[{"type":"string","pattern":"^[+-]?[0-9]{1,15}(\\.[0-9]{1,6})?$"},{"type":"number"}]}"#
    /// Coming out.
    static let figure =
        #"{"description":"Dollars are decimal strings, tokens and requests are integers.","anyOf":[{"type":"string","pattern":"^-?[0-9]+(\\.[0-9]{1,6})?$"},{"type":"integer"}]}"#
    static let exposure =
        #"{"description":"`unbounded` where nothing limits what is granted.","anyOf":[{"type":"string","pattern":"^(-?[0-9]+(\\.[0-9]{1,6})?|unbounded)$"},{"type":"integer"}]}"#

    static func name(_ longest: Int) -> String { #"{"type":["string","null"],"minLength":1,"maxLength":\#(longest)}"# }

    static func text(_ longest: Int) -> String { #"{"type":"string","minLength":1,"maxLength":\#(longest)}"# }

    static func words(_ words: String..., orNull: Bool = false) -> String {
        let list = words.map { "\"\($0)\"" }.joined(separator: ",")
        return orNull
            ? #"{"type":["string","null"],"enum":[\#(list),null]}"# : #"{"type":"string","enum":[\#(list)]}"#
    }

    static func object(_ required: [String], _ members: [(String, String)], strict: Bool = true) -> String {
        let names = required.map { "\"\($0)\"" }.joined(separator: ",")
        let properties = members.map { "\"\($0.0)\":\($0.1)" }.joined(separator: ",")
        let rest = strict ? #""additionalProperties":false,"# : ""
        return #"{"type":"object",\#(rest)"required":[\#(names)],"properties":{\#(properties)}}"#
    }

    /// An object that always has all its members.
    static func answer(_ members: [(String, String)]) -> String { object(members.map(\.0), members) }

    static func list(_ items: String, atMost most: Int? = nil) -> String {
        #"{"type":"array",\#(most.map { #""maxItems":\#($0),"# } ?? "")"items":\#(items)}"#
    }

    static func orNull(_ schema: String) -> String { #"{"anyOf":[\#(schema),{"type":"null"}]}"# }

    static func reference(_ name: String) -> String { ##"{"$ref":"#/components/schemas/\##(name)"}"## }

    static func page(_ item: String) -> String {
        answer([("items", list(reference(item))), ("next_cursor", nullableString)])
    }

    static var all: [(name: String, json: String)] { bodies + answers }
}
