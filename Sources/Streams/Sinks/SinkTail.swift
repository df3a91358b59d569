import Bytes

/// The record format of a sink, as far as recovery needs it to tell lines that may be records from lines that can't.
public enum SinkForm: Sendable, Equatable {
    case json
    case deadLetters
    case tsv
    /// Any line may be a record.
    case any

    /// Whether a line without its newline may be a record.
    func admits(_ line: ArraySlice<UInt8>) -> Bool {
        switch self {
        case .json: return line.starts(with: Self.idStart)
        case .deadLetters: return line.starts(with: Self.errorStart)
        case .tsv:
            let tab = UInt8(ascii: "\t")
            guard line.count(where: { $0 == tab }) == 2, let last = line.lastIndex(of: tab) else { return false }
            let number = line[(last + 1)...]
            return !number.isEmpty && number.allSatisfy { $0 == UInt8(ascii: ".") || (0x30...0x39).contains($0) }
        case .any: return true
        }
    }

    private static let idStart = Array(#"{"id":""#.utf8)
    private static let errorStart = Array(#"{"error":""#.utf8)
}

/// The bytes behind the committed length of a sink file after an unclean run, classified by their origin. Pure.
struct SinkTail {
    enum Origin: Equatable {
        /// The journal proves that the daemon appended them; their lines will be answered again.
        case own
        /// Whole lines that can't be records.
        case foreign
        /// Lines that may be records, and fragments: left in the file, they might duplicate or tear answers.
        case unclear
    }

    struct Piece: Equatable {
        var bytes: Range<Int>
        var origin: Origin
    }

    /// In file order; adjacent pieces have different origins.
    private(set) var pieces: [Piece] = []

    /// `start` is the offset of `bytes` in the file.
    init(_ bytes: [UInt8], from start: UInt64, journal: [AppendJournal.Extent], form: SinkForm) {
        let end = start + UInt64(bytes.count)
        let candidates = journal.filter { $0.start >= start && $0.start < end && $0.count <= end - $0.start }
        let proven = candidates.compactMap { extent -> Range<Int>? in
            let first = Int(extent.start - start)
            let range = first..<(first + Int(extent.count))
            let hash = bytes[range].withUnsafeBufferPointer { XXHash64.hash($0, seed: 0) }
            return hash == extent.hash ? range : nil
        }.sorted { $0.lowerBound < $1.lowerBound }
        var place = 0
        for range in proven {
            if range.lowerBound > place { addUnproven(bytes, place..<range.lowerBound, form) }
            if range.upperBound > place {
                add(max(place, range.lowerBound)..<range.upperBound, .own)
                place = range.upperBound
            }
        }
        if place < bytes.count { addUnproven(bytes, place..<bytes.count, form) }
    }

    func count(_ origin: Origin) -> Int { pieces.filter { $0.origin == origin }.reduce(0) { $0 + $1.bytes.count } }

    func bytes(_ origin: Origin, of all: [UInt8]) -> [[UInt8]] {
        pieces.filter { $0.origin == origin }.map { Array(all[$0.bytes]) }
    }

    private mutating func addUnproven(_ bytes: [UInt8], _ range: Range<Int>, _ form: SinkForm) {
        var start = range.lowerBound
        while start < range.upperBound {
            let newline = bytes[start..<range.upperBound].firstIndex(of: UInt8(ascii: "\n"))
            let end = newline ?? range.upperBound
            let line = bytes[start..<end]
            // A power loss leaves NULs in place of pages that weren't written to the disk.
            let isForeign = newline != nil && !line.contains(0) && !form.admits(line)
            let next = newline.map { $0 + 1 } ?? end
            add(start..<next, isForeign ? .foreign : .unclear)
            start = next
        }
    }

    private mutating func add(_ range: Range<Int>, _ origin: Origin) {
        if let last = pieces.last, last.origin == origin, last.bytes.upperBound == range.lowerBound {
            pieces[pieces.count - 1].bytes = last.bytes.lowerBound..<range.upperBound
        } else {
            pieces.append(Piece(bytes: range, origin: origin))
        }
    }
}
