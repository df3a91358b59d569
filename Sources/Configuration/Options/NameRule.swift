/// What names of sources and sinks look like: they stand in answers, in metrics and, as `{source}`, in paths.
package enum NameRule {
    package static let longest = 64
    /// As a regular expression for the schema, which leaves control characters to the reader.
    package static let pattern = "^[^\\s/.][^\\s/]*$"

    /// Up to 64 printable characters without spaces and slashes, not starting with a dot.
    static func allows(_ name: String) -> Bool {
        let scalars = name.unicodeScalars
        guard let first = scalars.first, first != ".", scalars.count <= longest else { return false }
        return scalars.allSatisfy { YAMLText.isPrintable($0) && !$0.properties.isWhitespace && $0 != "/" }
    }
}
