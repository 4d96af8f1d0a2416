// The option that every command has.

import ArgumentParser

struct ConfigOptions: ParsableArguments {
    /// Read before the arguments are parsed; it stands here for the help text.
    @Option(name: .long, help: "YAML file with settings.", completion: .file(extensions: ["yaml", "yml"]))
    var config: String?
}
