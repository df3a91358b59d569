/// How often the inodes of files that are gone have been begun anew; of the last few thousand, since a file system that
/// gives an inode to another file does so soon.
struct Generations {
    private static let limit = 8192

    private var numbers: [FileStatus.Node: UInt64] = [:]
    private var order: [FileStatus.Node] = []

    /// The generation of the next file of that inode.
    mutating func set(_ generation: UInt64, for node: FileStatus.Node) {
        if numbers.updateValue(generation, forKey: node) == nil { order.append(node) }
        guard order.count > Self.limit else { return }
        for old in order.prefix(Self.limit / 2) { numbers[old] = nil }
        order.removeFirst(Self.limit / 2)
    }

    func next(for node: FileStatus.Node) -> UInt64 { numbers[node] ?? 0 }
}
