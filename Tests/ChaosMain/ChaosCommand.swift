// The executable of `make chaos`.

@main
enum Main { static func main() {} }
