/// What to say about an option that nobody knows.
enum UnknownName {
    /// The nearest name of the block, else where an option of exactly that name stands, else what is known.
    static func hint(_ name: String, in block: OptionBlock) -> String {
        if let near = NearestName.find(name, among: block.names) { return "did you mean '\(near)'?" }
        if let home = OptionTables.blocks(with: name).first { return "it belongs to \(home)" }
        return "known are " + unique(block.names).joined(separator: ", ")
    }

    private static func unique(_ names: [String]) -> [String] {
        var seen: Set<String> = []
        return names.filter { seen.insert($0).inserted }
    }
}
