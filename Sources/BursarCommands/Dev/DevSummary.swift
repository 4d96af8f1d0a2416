// What `bursar dev` prints once all is up: enough to try it at once.

struct DevSummary: Sendable {
    var console: String
    var gateways: [String]
    var token: String
    var keys: [IssuedKey]
    var proxyKey: String
    /// This program as it was called: most who try it have not installed it.
    var program = "bursar"

    var text: String {
        let gateway = gateways.first ?? ""
        var lines = ["Bursar is up. Ctrl-C stops all.", "", "console   \(console)"]
        lines += gateways.map { "gateway   \($0)" }
        lines += ["", "admin     \(token)"]
        lines += keys.map { key in "key       \(key.secret)  \(key.account)/\(key.name), \(key.role)" }
        lines += [
            "", "Try:", "",
            "curl -s \(gateway)/v1/reservations -H 'authorization: Bearer \(proxyKey)' "
                + "-H 'content-type: application/json' -d '{\"account\":\"search\",\"model\":\"gpt-4o-mini\","
                + "\"estimate\":{\"input_tokens\":1200,\"output_tokens\":800}}'",
            "", "BURSAR_SERVER=\(console) BURSAR_TOKEN=\(token) \(program) budget list",
        ]
        return lines.joined(separator: "\n")
    }
}
