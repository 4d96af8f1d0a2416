// What every change of an account or budget can be given.

import ArgumentParser

struct ChangeOptions: ParsableArguments {
    @Option(name: .shortAndLong, help: "Body as YAML or JSON, - for standard input; options go on top.")
    var file: String?

    @Option(name: .long, help: "Change only this version, as shown before.")
    var ifVersion: Int64?

    var headers: [String: String] { ifVersion.map { ["if-match": "\"\($0)\""] } ?? [:] }
}
