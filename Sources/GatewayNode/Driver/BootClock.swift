// A monotonic clock that also counts while the machine is suspended.

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Time of a node: milliseconds that never run backwards, whatever happens to the wall clock.
package protocol NodeClock: Sendable {
    func now() -> Int64
}

package struct BootClock: NodeClock {
    package init() {}

    package func now() -> Int64 {
        var time = timespec()
        #if canImport(Glibc)
            clock_gettime(CLOCK_BOOTTIME, &time)
        #else
            clock_gettime(CLOCK_MONOTONIC_RAW, &time)
        #endif
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }
}
