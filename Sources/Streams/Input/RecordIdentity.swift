/// Makes the stable id of a record from where it stands and what it says.
///
/// `id = XXH64(line bytes, seed: XXH64(source name, 0x00, file identity; seed: 0) + byte offset)`, wrapping. The same
/// line at the same place of the same source has the same id in every run, so that a reader can drop duplicates.
public struct RecordIdentity: Sendable {
    private let seed: UInt64

    /// `file` tells files of one source apart (device and inode, or a hash of the first bytes); empty for a stream.
    public init(source: String, file: [UInt8] = []) {
        let name = Array(source.utf8) + [0] + file
        seed = name.withUnsafeBufferPointer { XXHash64.hash($0, seed: 0) }
    }

    /// `offset` is where `line` starts in the source, in bytes; `line` is without its line end.
    public func id(offset: UInt64, line: UnsafeBufferPointer<UInt8>) -> UInt64 {
        XXHash64.hash(line, seed: seed &+ offset)
    }
}
