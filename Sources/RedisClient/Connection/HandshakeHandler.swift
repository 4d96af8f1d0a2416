// Makes a fresh connection fit for use: AUTH, SELECT, a name, and a PING that proves that the server answers and is not
// loading its data. Until all is answered nothing passes to the handlers behind it.

import NIOCore

/// Fired when the handshake has succeeded: the handlers behind it may use the connection from now on.
struct ConnectionReady: Sendable {}

final class HandshakeHandler: ChannelInboundHandler {
    typealias InboundIn = [RESPValue]
    typealias InboundOut = [RESPValue]
    typealias OutboundOut = ByteBuffer

    private struct Step {
        let name: String
        let command: [String]
        /// A server may refuse it (an ACL without `+client`, say) and still be of use.
        var isOptional = false
        /// What is wrong with a reply that is no error; nil when nothing is.
        var objection: @Sendable (RESPValue) -> String? = { _ in nil }
    }

    private enum Phase { case waiting, ready, failed }

    private let steps: [Step]
    private let timeout: TimeAmount
    private let done: EventLoopPromise<Void>
    private var phase = Phase.waiting
    private var answered = 0
    private var timer: Scheduled<Void>?

    /// `done` is completed in every case, at the latest when `timeout` has passed or the handler is removed.
    /// `primaryOnly`: a server whose ROLE is not master fails it.
    init(configuration: RedisConfiguration, primaryOnly: Bool = false, done: EventLoopPromise<Void>) {
        var steps: [Step] = []
        if let password = configuration.password {
            let user = configuration.username.map { [$0] } ?? []
            steps.append(Step(name: "AUTH", command: ["AUTH"] + user + [password]))
        }
        if configuration.database != 0 {
            steps.append(Step(name: "SELECT", command: ["SELECT", String(configuration.database)]))
        }
        if let name = configuration.clientName {
            steps.append(Step(name: "CLIENT SETNAME", command: ["CLIENT", "SETNAME", name], isOptional: true))
        }
        if primaryOnly {
            steps.append(
                Step(name: "ROLE", command: ["ROLE"]) { reply in
                    let role = reply.array?.first?.string ?? "unknown"
                    return role == "master" ? nil : "the server is no primary: its role is \(role)"
                })
        }
        steps.append(Step(name: "PING", command: ["PING"]))
        self.steps = steps
        self.timeout = TimeAmount(configuration.connectTimeout)
        self.done = done
    }

    func handlerAdded(context: ChannelHandlerContext) {
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: timeout) {
            self.fail(RedisError(.timeout, "no answer to the handshake in time"), context: context)
        }
        if context.channel.isActive { send(context: context) }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        fail(RedisError(.connectionClosed, "the server closed the connection during the handshake"), context: context)
    }

    func channelActive(context: ChannelHandlerContext) {
        send(context: context)
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch phase {
        case .ready: context.fireChannelRead(data)
        case .failed: break
        case .waiting: advance(unwrapInboundIn(data), context: context)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        fail(RedisError(.connectionClosed, "the server closed the connection during the handshake"), context: context)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        let failure = error as? RedisError ?? RedisError(.notConnected, "the handshake failed", cause: error)
        fail(failure, context: context)
        context.fireErrorCaught(error)
    }

    private func send(context: ChannelHandlerContext) {
        var bytes = ByteBuffer()
        for step in steps {
            do throws(RedisError) {
                bytes.writeImmutableBuffer(try CommandEncoder.encode(step.command))
            } catch {
                return fail(error, context: context)
            }
        }
        context.writeAndFlush(wrapOutboundOut(bytes), promise: nil)
    }

    private func advance(_ replies: [RESPValue], context: ChannelHandlerContext) {
        for reply in replies {
            guard answered < steps.count else {
                return fail(RedisError(.protocolViolation, "more replies than questions"), context: context)
            }
            let step = steps[answered]
            answered += 1
            if case .error(let text) = reply, !step.isOptional {
                let refusal = RedisError(.server, text)
                let error = RedisError(.notConnected, "the server refused \(step.name)", cause: refusal)
                return fail(error, context: context)
            }
            if let objection = step.objection(reply) {
                return fail(RedisError(.notConnected, objection), context: context)
            }
        }
        guard answered == steps.count else { return }
        phase = .ready
        timer?.cancel()
        context.fireUserInboundEventTriggered(ConnectionReady())
        done.succeed()
    }

    private func fail(_ error: RedisError, context: ChannelHandlerContext) {
        guard case .waiting = phase else { return }
        phase = .failed
        timer?.cancel()
        done.fail(error)
        context.close(promise: nil)
    }
}
