// This machine's name, as the kernel knows it: no look-up that could hang.

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

enum HostName {
    static var current: String {
        var bytes = [CChar](repeating: 0, count: 256)
        guard gethostname(&bytes, bytes.count - 1) == 0 else { return "localhost" }
        return String(decoding: bytes.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
