import Bytes
import Diagnostics

/// Distinct byte strings numbered from 0, found by an open-addressing hash table over their bytes.
///
/// As a file (`vocab.txt`): one entry per line; the id is the line's number.
public struct Vocabulary: Sendable {
    /// The number of entries; ids run from 0 to `count` − 1.
    public let count: Int
    private let bytes: FrozenArray<UInt8>
    /// Entry `i` is `bytes[starts[i] ..< starts[i + 1]]`.
    private let starts: FrozenArray<Int32>
    /// id + 1, or 0 if free; the number of slots is a power of two, at most half of them used.
    private let slots: FrozenArray<Int32>

    /// Maximum total size of all entries in bytes.
    private static let maximumBytes = Int(Int32.max)

    /// - Throws: `invalidData` if an entry occurs twice. Empty entries may: they can't be looked up.
    public init(_ entries: [[UInt8]]) throws(UnderstudyError) {
        guard entries.reduce(0, { $0 + $1.count }) <= Self.maximumBytes, entries.count < Self.maximumBytes / 2 else {
            throw UnderstudyError(.invalidData, "the vocabulary is larger than 2 GiB")
        }
        var bytes: [UInt8] = []
        var starts: [Int32] = [0]
        var capacity = 16
        while capacity < entries.count * 2 { capacity *= 2 }
        var slots = [Int32](repeating: 0, count: capacity)
        for (id, entry) in entries.enumerated() {
            bytes += entry
            starts.append(Int32(bytes.count))
            if entry.isEmpty { continue }
            var slot = Self.slot(of: entry, capacity)
            while slots[slot] != 0 {
                if entries[Int(slots[slot]) - 1] == entry {
                    let shown = String(decoding: entry, as: UTF8.self)
                    throw UnderstudyError(
                        .invalidData, "'\(shown)' is repeated in the vocabulary, as ids \(slots[slot] - 1) and \(id)")
                }
                slot = (slot + 1) & (capacity - 1)
            }
            slots[slot] = Int32(id + 1)
        }
        count = entries.count
        self.bytes = FrozenArray(bytes)
        self.starts = FrozenArray(starts)
        self.slots = FrozenArray(slots)
    }

    private static func slot(of entry: [UInt8], _ capacity: Int) -> Int {
        entry.withUnsafeBufferPointer { Int(truncatingIfNeeded: ByteHash.hash($0)) & (capacity - 1) }
    }

    /// The id of an entry, or nil. Doesn't copy the entry.
    public func id(of entry: UnsafeBufferPointer<UInt8>) -> Int32? {
        guard let base = entry.baseAddress, !entry.isEmpty else { return nil }
        let mask = slots.count &- 1
        var slot = Int(truncatingIfNeeded: ByteHash.hash(entry)) & mask
        while true {
            let id = slots[slot] &- 1
            if id < 0 { return nil }
            let start = Int(starts[Int(id)])
            if Int(starts[Int(id) &+ 1]) &- start == entry.count {
                let stored = bytes.pointer(at: start)
                var index = 0
                while index < entry.count, stored[index] == base[index] { index &+= 1 }
                if index == entry.count { return id }
            }
            slot = (slot &+ 1) & mask
        }
    }

    public func id(of entry: some Sequence<UInt8>) -> Int32? {
        Array(entry).withUnsafeBufferPointer { id(of: $0) }
    }

    /// UTF-8 bytes of the entry with that id, which must be in 0 ..< `count`.
    public subscript(id: Int32) -> [UInt8] {
        precondition(id >= 0 && id < count, "no such id")
        let start = Int(starts[Int(id)])
        let length = Int(starts[Int(id) + 1]) - start
        return Array(UnsafeBufferPointer(start: bytes.pointer(at: start), count: length))
    }

    /// All entries in the order of their ids.
    public var entries: [[UInt8]] { (0..<Int32(count)).map { self[$0] } }
}

extension Vocabulary {
    /// Reads `vocab.txt` as BERT does: white space at the end of a line is ignored.
    ///
    /// - Throws: `missingInput` if it can't be read, `invalidData` if it is empty, isn't UTF-8 or repeats an entry.
    public static func read(_ path: String) throws(UnderstudyError) -> Vocabulary {
        try parse(FileBytes.read(path), place: path)
    }

    static func parse(_ contents: [UInt8], place: String) throws(UnderstudyError) -> Vocabulary {
        guard UTF8Check.isValid(contents) else {
            throw UnderstudyError(.invalidData, "the vocabulary isn't valid UTF-8", at: place)
        }
        var lines = contents.split(separator: 0x0A, omittingEmptySubsequences: false)
        if lines.last?.isEmpty ?? false { lines.removeLast() }
        let entries = lines.map { trimmingEnd(Array($0)) }
        guard entries.contains(where: { !$0.isEmpty }) else {
            throw UnderstudyError(.invalidData, "the vocabulary is empty", at: place)
        }
        do throws(UnderstudyError) {
            return try Vocabulary(entries)
        } catch {
            throw error.placed(at: place)
        }
    }

    private static func trimmingEnd(_ line: [UInt8]) -> [UInt8] {
        let flags = UnicodeProperties.shared.flags
        return line.withUnsafeBufferPointer { all in
            guard let base = all.baseAddress else { return [] }
            var end = all.count
            while end > 0 {
                let last = UTF8Code.previousStart(base, before: end)
                guard flags[UTF8Code.decode(base, at: last, end: end).scalar].contains(.whitespace) else { break }
                end = last
            }
            return Array(all[..<end])
        }
    }

    /// The contents of a `vocab.txt`.
    public var fileContents: [UInt8] {
        var contents: [UInt8] = []
        for entry in entries { contents += entry + [0x0A] }
        return contents
    }
}
