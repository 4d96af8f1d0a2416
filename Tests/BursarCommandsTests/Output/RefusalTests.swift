// What a server's no looks like, and which exit code it has.

import Testing

@testable import BursarCommands

@Suite("Refusals")
struct RefusalTests {
    @Test(
        "Denied and conflicting answers exit with 3, other failures with 1",
        arguments: [(401, 3), (403, 3), (404, 1), (409, 3), (412, 3), (422, 1), (429, 3), (500, 1), (503, 1)])
    func exitCodes(status: Int, code: Int32) {
        #expect(HTTPRefusal(status: status, problem: .null).error.code.rawValue == code)
    }

    @Test("Wrong fields are named")
    func fields() {
        let problem = JSONValue.of(
            #"{"code":"validation_failed","title":"Validation failed","detail":"/amount is wrong.","errors":[{"pointer":"/amount","detail":"must be a number"}]}"#
        )
        #expect(
            HTTPRefusal(status: 422, problem: problem).error.description == """
                Validation failed (422 validation_failed)
                  /amount: must be a number
                """)
    }

    @Test("A refusal of a body from a file names the line")
    func placed() throws {
        let body = try PlacedValue(yaml: "unit: usd\namount: x\n", name: "b.yaml")
        let problem = JSONValue.of(#"{"errors":[{"pointer":"/amount","detail":"must be a number"}]}"#)
        let error = HTTPRefusal(status: 422, problem: problem).error.placed(in: body, name: "b.yaml")
        #expect(error.message == "b.yaml:2:1: /amount must be a number")
    }
}
