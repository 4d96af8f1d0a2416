// The whole of Bursar as processes, one test after the other: each has several of them, and they share few cores.

import Testing

@Suite("End to end", .serialized, .timeLimit(.minutes(3)))
enum EndToEnd {}
