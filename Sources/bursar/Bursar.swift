// The executable: everything is in BursarCommands, where tests reach it.

import BursarCommands

@main
enum Bursar {
    static func main() async { await CommandRunner.main() }
}
