// Rows for people: columns as wide as their longest cell, amounts to the right.

/// A text table.
struct Table: Sendable {
    struct Column: Sendable {
        var title: String
        /// A member of the row, also further down (`live.remaining`).
        var path: String
        var isRight = false

        static func left(_ title: String, _ path: String) -> Column { Column(title: title, path: path) }
        static func right(_ title: String, _ path: String) -> Column {
            Column(title: title, path: path, isRight: true)
        }
    }

    /// Wider cells are cut.
    static let maximumWidth = 60

    var columns: [Column]

    /// The title line and a line a row; missing values are `-`.
    func render(_ rows: [JSONValue]) -> String {
        let cells = [columns.map(\.title)] + rows.map { row in columns.map { Self.cell(row[$0.path]) } }
        let widths = columns.indices.map { column in cells.map { $0[column].count }.max() ?? 0 }
        return cells.map { line in
            var text = ""
            for (index, cell) in line.enumerated() {
                let padding = String(repeating: " ", count: widths[index] - cell.count)
                text += columns[index].isRight ? padding + cell : cell + padding
                if index < line.count - 1 { text += "  " }
            }
            while text.last == " " { text.removeLast() }
            return text
        }.joined(separator: "\n")
    }

    private static func cell(_ value: JSONValue?) -> String {
        guard let value else { return "-" }
        // Control characters in names would move the cursor of whoever looks.
        let text = String(value.text.map { $0.isNewline || $0.unicodeScalars.contains { $0.value < 0x20 } ? " " : $0 })
        if text.isEmpty { return "-" }
        return text.count > maximumWidth ? text.prefix(maximumWidth - 1) + "…" : text
    }
}
