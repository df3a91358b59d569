import Streams
import TestSupport
import Testing

/// A line as a framer or the model of one found it.
private struct Found: Equatable {
    var number: UInt64
    var offset: UInt64
    /// nil: too long.
    var bytes: [UInt8]?
    var length: Int
}

/// The simple model: the whole stream at once, one byte at a time.
private func model(_ stream: [UInt8], maximum: Int) -> [Found] {
    var found: [Found] = []
    var start = 0
    while start < stream.count {
        let newline = stream[start...].firstIndex(of: 0x0A)
        var line = Array(stream[start..<(newline ?? stream.count)])
        var offset = start
        if found.isEmpty, line.starts(with: [0xEF, 0xBB, 0xBF]) {
            line.removeFirst(3)
            offset += 3
        }
        if line.last == 0x0D { line.removeLast() }
        found.append(
            Found(
                number: UInt64(found.count + 1), offset: UInt64(offset),
                bytes: line.count > maximum ? nil : line, length: line.count))
        start = (newline ?? stream.count) + 1
    }
    return found
}

/// The same of UTF-16.
private func model(_ stream: [UInt8], maximum: Int, unit: CodeUnit) -> [Found] {
    func isPair(_ place: Int, _ code: UInt16) -> Bool {
        let pair = [UInt8(code >> 8), UInt8(code & 0xFF)]
        return stream[place...].prefix(2).elementsEqual(unit == .bigEndian ? pair : pair.reversed())
    }
    var found: [Found] = []
    var start = 0
    while start < stream.count {
        let newline = stride(from: start, to: stream.count - 1, by: 2).first { isPair($0, 0x0A) }
        let end = newline ?? stream.count
        var (first, last) = (start, end)
        if start == 0, isPair(0, 0xFEFF) { first = 2 }
        if last % 2 == 0, last - 2 >= first, isPair(last - 2, 0x0D) { last -= 2 }
        found.append(
            Found(
                number: UInt64(found.count + 1), offset: UInt64(first),
                bytes: last - first > maximum ? nil : Array(stream[first..<last]), length: last - first))
        start = end + (newline == nil ? 0 : 2)
    }
    return found
}

/// Runs the framer over `stream` in pieces of the given sizes, with chunks as small as they may be.
private func frame(
    _ stream: [UInt8], maximum: Int, limit: Int, unit: CodeUnit = .byte, next: () -> Int
) -> [Found] {
    var framer = LineFramer(maximumLineBytes: maximum, unit: unit)
    let chunkBytes = framer.greatestUnfinished + 32
    var chunk = [UInt8](repeating: 0xAA, count: chunkBytes)
    var used = 0
    var position = 0
    var found: [Found] = []
    var records: [Record] = []
    func note(_ records: [Record]) {
        for record in records {
            let start = Int(record.start)
            found.append(
                Found(
                    number: record.number, offset: record.offset,
                    bytes: record.isTooLong ? nil : Array(chunk[start..<(start + record.keptLength)]),
                    length: Int(record.length)))
        }
    }
    while position < stream.count {
        if used == chunkBytes {
            let kept = Array(chunk[framer.unfinishedStart..<used])
            chunk = kept + [UInt8](repeating: 0xBB, count: chunkBytes - kept.count)
            used = kept.count
            framer.relocate()
        }
        let count = min(max(1, next()), stream.count - position, chunkBytes - used)
        chunk.replaceSubrange(used..<(used + count), with: stream[position..<(position + count)])
        used += count
        position += count
        var hasMore = true
        while hasMore {
            records.removeAll()
            hasMore = chunk.withUnsafeBufferPointer { bytes in
                bytes.baseAddress.map {
                    framer.frame($0, upTo: used, chunk: 0, into: &records, limit: limit)
                } ?? false
            }
            note(records)
        }
    }
    let last = chunk.withUnsafeBufferPointer { bytes in
        bytes.baseAddress.flatMap { framer.finish($0, upTo: used, chunk: 0) }
    }
    if let last { note([last]) }
    return found
}

@Suite struct LineFramerTests {
    @Test(arguments: 0..<400)
    func agreesWithTheModelHoweverReadsSplit(seed: Int) {
        var random = SplitMix(seed: UInt64(seed))
        let maximum = Int.random(in: 1...24, using: &random)
        let alphabet: [UInt8] = [0x0A, 0x0A, 0x0D, 0x61, 0x62, 0xEF, 0xBB, 0xBF, 0x00, 0xE6]
        var stream: [UInt8] = Bool.random(using: &random) ? [0xEF, 0xBB, 0xBF] : []
        for _ in 0..<Int.random(in: 0...200, using: &random) {
            if Int.random(in: 0..<20, using: &random) == 0 {
                stream += Array(repeating: 0x78, count: Int.random(in: 0...(3 * maximum), using: &random))
            }
            stream.append(alphabet.randomElement(using: &random) ?? 0x0A)
        }
        let largest = Int.random(in: 1...40, using: &random)
        let found = frame(stream, maximum: maximum, limit: Int.random(in: 1...5, using: &random)) {
            Int.random(in: 1...largest, using: &random)
        }
        #expect(found == model(stream, maximum: maximum))
    }

    @Test(arguments: [CodeUnit.littleEndian, .bigEndian], 0..<400)
    func agreesWithTheModelOfUTF16(unit: CodeUnit, seed: Int) {
        var random = SplitMix(seed: UInt64(seed))
        let maximum = Int.random(in: 1...24, using: &random)
        // Among them U+0A00, U+4E0A, U+0A0A and U+0D0A, which have the bytes of line ends in all places.
        let alphabet: [UInt16] = [0x0A, 0x0A, 0x0D, 0x61, 0x0A00, 0x4E0A, 0x0A0A, 0x0D0A, 0x0D00, 0xFEFF, 0xD83D]
        var codes: [UInt16] = Bool.random(using: &random) ? [0xFEFF] : []
        for _ in 0..<Int.random(in: 0...100, using: &random) {
            if Int.random(in: 0..<20, using: &random) == 0 {
                codes += Array(repeating: 0x4E0A, count: Int.random(in: 0...(2 * maximum), using: &random))
            }
            codes.append(alphabet.randomElement(using: &random) ?? 0x0A)
        }
        var stream = codes.flatMap { code in
            let pair = [UInt8(code >> 8), UInt8(code & 0xFF)]
            return unit == .bigEndian ? pair : pair.reversed()
        }
        if Int.random(in: 0..<3, using: &random) == 0, !stream.isEmpty { stream.removeLast() }
        let largest = Int.random(in: 1...40, using: &random)
        let limit = Int.random(in: 1...5, using: &random)
        let found = frame(stream, maximum: maximum, limit: limit, unit: unit) {
            Int.random(in: 1...largest, using: &random)
        }
        #expect(found == model(stream, maximum: maximum, unit: unit))
    }

    @Test func dropsLineEndsAndTheByteOrderMark() {
        let stream: [UInt8] = [0xEF, 0xBB, 0xBF] + Array("first\r\nsecond\n\nlast\r".utf8)
        let lines = frame(stream, maximum: 100, limit: 10) { 7 }
        #expect(lines.map { $0.bytes.map { String(decoding: $0, as: UTF8.self) } } == ["first", "second", "", "last"])
        #expect(lines.map(\.offset) == [3, 10, 17, 18])
    }

    @Test func aLineOfTheMaximumIsTakenAndOneByteMoreIsNot() {
        for ending in ["\n", "\r\n", ""] {
            let taken = [UInt8](repeating: 0x61, count: 64) + Array(ending.utf8)
            #expect(frame(taken, maximum: 64, limit: 10) { 9 }.map(\.bytes?.count) == [64])
            let refused = [UInt8](repeating: 0x61, count: 65) + Array(ending.utf8)
            let found = frame(refused, maximum: 64, limit: 10) { 9 }
            #expect(found.map(\.length) == [65] && found.map(\.bytes) == [nil])
        }
    }

    @Test func aHugeLineIsSkippedInPassing() {
        let stream = Array("a\n".utf8) + [UInt8](repeating: 0x62, count: 3_000_000) + Array("\nc\n".utf8)
        let found = frame(stream, maximum: 1000, limit: 10) { 65_536 }
        #expect(found.map(\.length) == [1, 3_000_000, 1])
        #expect(found.map(\.offset) == [0, 2, 3_000_003])
    }

    /// A torn line doesn't move the place where the next one starts.
    @Test(arguments: [(100, "torn"), (3, "too long")]) func tearsTheUnfinishedLine(maximum: Int, name: String) {
        var framer = LineFramer(maximumLineBytes: maximum)
        var records: [Record] = []
        let bytes = Array("ab\ncdefghijkl".utf8)
        let torn = bytes.withUnsafeBufferPointer { buffer in
            buffer.baseAddress.flatMap { base in
                _ = framer.frame(base, upTo: bytes.count, chunk: 0, into: &records, limit: 10)
                return framer.tear(base, upTo: bytes.count, chunk: 0)
            }
        }
        #expect(torn?.isTorn == true && torn?.isLine == true && torn?.endsOrigin == true)
        #expect(torn?.isTooLong == (maximum < 10) && torn?.keptLength == (maximum < 10 ? 0 : 10))
        #expect(torn?.offset == 3 && torn?.end == 3 && torn?.number == 2 && torn?.nextNumber == 2)
        #expect(framer.ending(chunk: 0).offset == 3)
    }

    @Test func tellsHowMuchOfALineIsUnfinished() {
        var framer = LineFramer(maximumLineBytes: 10)
        var records: [Record] = []
        let bytes = Array("ab\ncdefg".utf8)
        bytes.withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return }
            _ = framer.frame(base, upTo: bytes.count, chunk: 0, into: &records, limit: 10)
        }
        #expect(framer.unfinishedBytes(upTo: bytes.count) == 5)
        #expect(records.count == 1)
    }
}
