import ArgumentParser
struct DevCommand: ParsableCommand {}
struct ConsoleCommand: ParsableCommand {}
struct ApplyCommand: ParsableCommand {}
struct LoadCommand: ParsableCommand {}
