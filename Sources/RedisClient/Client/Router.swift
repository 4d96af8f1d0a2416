// Knows the servers behind one client: which of them a request goes to, and where a subscription listens.

import NIOCore

/// A request as a router sends it: one command, or several that must stay together on one connection.
struct RoutedRequest: Sendable {
    let bytes: ByteBuffer
    let replies: Int
    /// nil: any primary will do.
    let slot: Int?
    /// Whether it makes its connection wait for replicas or disks: such requests have a connection of their own, so
    /// that they delay nobody else.
    let waits: Bool

    init(_ commands: [[String]], slot: Int?, waits: Bool = false) throws(RedisError) {
        var bytes = ByteBuffer()
        for command in commands { bytes.writeImmutableBuffer(try CommandEncoder.encode(command)) }
        self.bytes = bytes
        replies = commands.count
        self.slot = slot
        self.waits = waits
    }

    private init(bytes: ByteBuffer, replies: Int, slot: Int?, waits: Bool) {
        (self.bytes, self.replies, self.slot, self.waits) = (bytes, replies, slot, waits)
    }

    /// The same, let in by a node that is about to take the slot.
    func asking() throws(RedisError) -> RoutedRequest {
        var bytes = try CommandEncoder.encode(["ASKING"])
        bytes.writeImmutableBuffer(self.bytes)
        return RoutedRequest(bytes: bytes, replies: replies + 1, slot: slot, waits: waits)
    }
}

/// The servers behind one client.
protocol Router: Sendable {
    /// Whether requests are sent at once.
    var isConnected: Bool { get }
    /// Of all connections that there were.
    var statistics: RedisStatistics { get }

    /// Keeps what is known about the servers, and the connections to them, until the task is cancelled.
    func run() async
    /// Refuses and ends everything.
    func stop()
    /// Sends a request where it belongs and gives back all its replies, an error reply of the first command included.
    func send(_ request: RoutedRequest, deadline: NIODeadline) async throws(RedisError) -> [RESPValue]
    /// Sends a request to every primary.
    func sendToAll(
        _ request: RoutedRequest, deadline: NIODeadline
    ) async throws(RedisError) -> [(server: RedisConfiguration.Endpoint, reply: RESPValue)]
    /// Opens a connection on which the channels of a subscription can be heard.
    func connectSubscription(
        to channels: [String], _ makeHandler: @escaping @Sendable () -> any ChannelHandler
    ) async throws(RedisError) -> (channel: any Channel, server: RedisConfiguration.Endpoint)
}

extension RequestPipeline {
    /// All replies to a request.
    func replies(to request: RoutedRequest, deadline: NIODeadline) async -> Result<[RESPValue], RedisError> {
        await exchange(request.bytes, replies: request.replies, deadline: deadline)
            .map { reply in request.replies == 1 ? [reply] : reply.array ?? [] }
    }
}
