import ArgumentParser
struct ConsoleCommand: ParsableCommand {}
