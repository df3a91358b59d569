/// The paths that a file sink may write to, as far as they are known before the first answer.
enum FilePaths {
    /// More than these aren't listed; their placeholder stays.
    private static let most = 16

    /// The path with `{source}` and, where the sink asks for labels, `{label}` filled in; `{date}` stays, since all
    /// sinks write on the same day.
    static func all(_ path: String, labels: [String], sources: [String]) -> [String] {
        filled(filled([path], "{label}", labels), "{source}", sources)
    }

    private static func filled(_ paths: [String], _ placeholder: String, _ values: [String]) -> [String] {
        guard !values.isEmpty, paths.count * values.count <= most else { return paths }
        guard paths.contains(where: { $0.contains(placeholder) }) else { return paths }
        return paths.flatMap { path in
            values.map { path.split(separator: placeholder, omittingEmptySubsequences: false).joined(separator: $0) }
        }
    }
}
