import Glibc
import TestSupport
import Testing

/// What was ever written into a directory, and what must come out of it.
///
/// Every line is written once and says which it is, so that a lost, doubled or torn one shows.
struct DirectoryModel {
    /// The content of one file from its making, or its last truncation, to its end.
    struct Content {
        var bytes: [UInt8] = []
        /// Whether it may be that nobody reads it any more: it was destroyed before its lines were durable.
        var isLost = false
        /// Whether its last line counts though no LF ends it.
        var isClosed = false
    }

    struct Expected: Equatable {
        var offset: UInt64
        var number: UInt64
        var mayBeMissing: Bool
    }

    private(set) var contents: [Content] = []
    /// The contents of the present names.
    private(set) var names: [String: Int] = [:]
    private var lineCount = 0
    private var renameCount = 0

    /// Lines, and perhaps the beginning of another, cut anywhere.
    mutating func append(to name: String, partial: Bool, _ random: inout SplitMix) -> [UInt8] {
        var written: [UInt8] = []
        for _ in 0..<Int.random(in: 0...4, using: &random) { written += nextLine(&random) }
        if partial {
            let line = nextLine(&random)
            // Enough of it to tell which line it is.
            let shortest = "第\(lineCount)条".utf8.count
            written += line[..<Int.random(in: shortest..<line.count, using: &random)]
        }
        let index = names[name] ?? contents.count
        if index == contents.count { contents.append(Content()) }
        names[name] = index
        // What was begun before is a line with what follows.
        contents[index].bytes += written
        return written
    }

    private mutating func nextLine(_ random: inout SplitMix) -> [UInt8] {
        lineCount += 1
        let filling = String(repeating: "股市今天收盘上涨", count: Int.random(in: 0...3, using: &random))
        return Array("第\(lineCount)条\(filling)\n".utf8)
    }

    mutating func newName(for name: String) -> String {
        renameCount += 1
        return "\(name).\(renameCount)"
    }

    mutating func rename(_ name: String, _ other: String) {
        names[other] = names.removeValue(forKey: name)
    }

    func content(of name: String) -> Content? { names[name].map { contents[$0] } }

    /// No line follows what is in the file now.
    mutating func close(_ name: String) {
        if let index = names[name] { contents[index].isClosed = true }
    }

    /// What is in the file now is destroyed.
    mutating func destroy(_ name: String) {
        guard let index = names.removeValue(forKey: name) else { return }
        contents[index].isLost = true
    }

    /// Every line that must come out.
    var expected: [String: Expected] {
        var lines: [String: Expected] = [:]
        for content in contents {
            var offset = 0
            var number: UInt64 = 1
            var pieces = content.bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
            if let last = pieces.last, last.isEmpty || !content.isClosed { pieces.removeLast() }
            for piece in pieces {
                lines[String(decoding: piece, as: UTF8.self)] = Expected(
                    offset: UInt64(offset), number: number, mayBeMissing: content.isLost)
                offset += piece.count + 1
                number += 1
            }
        }
        return lines
    }

    /// Compares it with what came out.
    func check(_ durable: [DirectoryLane.Line], seed: UInt64) {
        let expected = expected
        let counts = Dictionary(durable.map { ($0.text, 1) }, uniquingKeysWith: +)
        let doubled = counts.filter { $0.value > 1 }.keys.sorted()
        let missing = expected.filter { !$0.value.mayBeMissing && counts[$0.key] == nil }.keys.sorted()
        let torn = durable.filter { expected[$0.text] == nil }.map(\.text)
        #expect(doubled == [], "seed \(seed)")
        #expect(missing == [], "seed \(seed)")
        #expect(torn == [], "seed \(seed)")
        for line in durable {
            guard let place = expected[line.text] else { continue }
            #expect(line.offset == place.offset && line.number == place.number, "seed \(seed): \(line.text)")
        }
    }
}
