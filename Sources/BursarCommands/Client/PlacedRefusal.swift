// A server names the wrong field of a body; who wrote the body in a file wants its line.

extension CommandError {
    /// The same refusal with the places of its fields.
    ///
    /// - Parameter value: what the body was made of.
    func placed(in value: PlacedValue, name: String) -> CommandError {
        guard let refusal, !refusal.fields.isEmpty else { return self }
        var error = self
        error.message = refusal.fields.map { field in
            let pointer = field.pointer.isEmpty ? "" : " \(field.pointer)"
            return "\(name):\(value.place(of: field.pointer)):\(pointer) \(field.detail)"
        }.joined(separator: "\n")
        return error
    }
}
