import Diagnostics
import Glibc
import Streams
import TestSupport
import Testing

/// Files in UTF-16, of either byte order.
@Suite(.offPool) struct DirectoryUTF16Tests {
    typealias Mode = DirectorySource.Settings.Mode
    typealias Start = DirectorySource.Settings.Start
    static let modes: [Mode] = [.files, .tail]
    static let units: [CodeUnit] = [.littleEndian, .bigEndian]

    let directory: TestDirectory

    init() throws { directory = try TestDirectory() }

    private func lane(
        _ mode: Mode, _ encoding: TextEncoding, roomBytes: Int = 4096, start: Start = .beginning,
        calls: DirectoryCalls = DirectoryCalls()
    ) throws -> DirectoryLane {
        let settings = DirectorySource.Settings(
            name: "drops", path: directory.path, mode: mode, start: start, encoding: encoding)
        return try DirectoryLane(settings, roomBytes: roomBytes, calls: calls)
    }

    private static func bytes(_ text: String, _ unit: CodeUnit) -> [UInt8] {
        text.utf16.flatMap { code in
            let pair = [UInt8(code >> 8), UInt8(code & 0xFF)]
            return unit == .bigEndian ? pair : pair.reversed()
        }
    }

    /// With line ends' bytes in all places of its characters.
    private static func line(_ number: Int, _ random: inout SplitMix) -> String {
        let characters = ["上", "\u{0A00}", "\u{0A0A}", "\u{0D0A}", "😀", "a", "\u{0D00}", "\r", "证"]
        let count = Int.random(in: 0...20, using: &random)
        return "\(number)" + (0..<count).map { _ in characters.randomElement(using: &random) ?? "a" }.joined()
    }

    /// Random texts that grow in pieces cut anywhere, are read in blocks of any size, and read on after a restart,
    /// against a model.
    @Test(arguments: modes, 0..<120) func linesAndTheirPlaces(_ mode: Mode, _ seed: Int) throws {
        var random = SplitMix(seed: UInt64(seed))
        let unit = Self.units[seed % 2]
        let hasMark = Bool.random(using: &random)
        let encoding: TextEncoding = hasMark ? .utf16 : unit == .bigEndian ? .utf16BigEndian : .utf16LittleEndian
        var bytes: [UInt8] = []
        var expected: [DirectoryLane.Line] = []
        let file = FileIdentity(device: 0, inode: 0)
        let count = 25
        for number in 1...count {
            var text = Self.line(number, &random) + (Bool.random(using: &random) ? "\r" : "")
            if number == 1, hasMark { text = "\u{FEFF}" + text }
            expected.append(
                DirectoryLane.Line(file: file, offset: UInt64(bytes.count), number: UInt64(number), text: text))
            let isOpen = number == count && mode == .files && Bool.random(using: &random)
            bytes += Self.bytes(text + (isOpen ? "" : "\n"), unit)
        }
        if bytes.count > 2, mode == .files, Int.random(in: 0..<4, using: &random) == 0 {
            // Half a code unit at the end is of the last line, or one of its own.
            if Array(bytes.suffix(2)) == Self.bytes("\n", unit) {
                expected.append(
                    DirectoryLane.Line(
                        file: file, offset: UInt64(bytes.count), number: UInt64(count + 1), text: "½"))
            } else {
                expected[count - 1].text += "½"
            }
            bytes.append(0x0A)
        }
        // Short reads as well.
        var calls = DirectoryCalls()
        let read = calls.read
        let shortReads = Monitor(SplitMix(seed: UInt64(seed)))
        calls.read = { descriptor, room, offset in
            let most = shortReads.withLock { Int.random(in: 1...max(1, room.count), using: &$0) }
            return read(descriptor, UnsafeMutableRawBufferPointer(rebasing: room[..<min(most, room.count)]), offset)
        }
        let roomBytes = [2, 3, 16, 64, 1000].randomElement(using: &random) ?? 16
        let lane = try lane(mode, encoding, roomBytes: roomBytes, calls: calls)
        if mode == .tail {
            var place = 0
            while place < bytes.count {
                let end = min(bytes.count, place + Int.random(in: 1...200, using: &random))
                try directory.append("a", bytes[place..<end])
                try lane.drain()
                place = end
            }
        } else {
            try directory.append("a", bytes)
            try lane.drain()
        }
        #expect(lane.texts == expected.map(\.text))
        #expect(lane.lines.map(\.offset) == expected.map(\.offset))
        #expect(lane.lines.map(\.number) == expected.map(\.number))
        // What was said is read by a run that begins in the middle of the file.
        for _ in 0..<3 {
            lane.commit(upTo: Int.random(in: 0...lane.trail.count, using: &random)) { _ in
                Int.random(in: 0..<8, using: &random) == 0
            }
            let left = lane.trail.compactMap(\.line)
            let done = Set(lane.durable.map(\.offset))
            try lane.restart()
            try lane.drain()
            let missing = expected.filter { !done.contains($0.offset) }
            #expect(lane.lines.map(\.offset) == missing.map(\.offset))
            #expect(lane.lines.map(\.number) == missing.map(\.number))
            #expect(lane.texts == missing.map(\.text), "\(left.count)")
        }
    }

    @Test(arguments: units) func archives(_ unit: CodeUnit) throws {
        var random = SplitMix(seed: 3)
        let lines = (0..<200).map { Self.line($0, &random) }
        let text = Self.bytes("\u{FEFF}" + lines.map { $0 + "\n" }.joined(), unit)
        // Two members, cut within a pair.
        try directory.append("a.gz", try Archives.gzip(Array(text[..<1001])) + Archives.gzip(Array(text[1001...])))
        let lane = try lane(.files, .utf16, roomBytes: 37)
        try lane.drain()
        #expect(lane.texts == ["\u{FEFF}" + lines[0]] + lines[1...])
        try lane.keep(
            SourcePosition(origin: try #require(lane.opened.first), offset: lane.lines[50].offset, line: 51))
        try lane.restart()
        #expect(try lane.drain().texts == Array(lines[50...]))
        #expect(lane.reported.isEmpty)
    }

    @Test(arguments: units) func aFileThatIsFollowedFromItsEnd(_ unit: CodeUnit) throws {
        let old = Self.bytes("\u{FEFF}上\n\u{0A00}\n上上", unit)
        try directory.append("a", old)
        let lane = try lane(.tail, .utf16, start: .end)
        try lane.drain()
        try directory.append("a", Self.bytes("上\n上海\n", unit))
        #expect(try lane.drain().texts == ["上上上", "上海"])
        #expect(lane.lines.map(\.number) == [3, 4])
    }

    @Test(arguments: modes, units) func aHoleIsPassedOver(_ mode: Mode, _ unit: CodeUnit) throws {
        let hole = [UInt8](repeating: 0, count: 200)
        try directory.append("a", Self.bytes("一\n", unit) + hole + Self.bytes("a\n上\n", unit))
        let lane = try lane(mode, unit == .bigEndian ? .utf16BigEndian : .utf16, roomBytes: 64)
        try lane.drain()
        #expect(lane.texts == ["一", "a", "上"])
        #expect(lane.lines.map(\.offset) == [0, 204, 208] && lane.reported.count == 1)
    }

    /// Where the encoding isn't set, each file is said to be what it looks like once, and its lines come as they are.
    @Test(arguments: modes) func aMarkThatTheConfigurationDoesNotKnowIsSaidOnce(_ mode: Mode) throws {
        let lane = try lane(mode, .utf8)
        try directory.append("a", Self.bytes("\u{FEFF}一条\n", .littleEndian))
        try directory.append("b", Self.bytes("\u{FEFF}一条\n二条\n", .bigEndian))
        try directory.append("c", "普通\n")
        for _ in 0..<3 {
            try lane.drain()
            try directory.append("a", Self.bytes("又一条\n", .littleEndian))
        }
        let said = lane.reported.map { "\($0.place ?? ""): \($0.message)" }.sorted()
        #expect(
            said == [
                directory.path("a")
                    + ": looks like UTF-16 (byte order mark FF FE); set encoding: utf-16 for this source",
                directory.path("b")
                    + ": looks like UTF-16 (byte order mark FE FF); set encoding: utf-16 for this source",
            ])
        #expect(lane.texts.contains("普通") && lane.lines.count > 3)
    }

    @Test func theMarkInAnArchiveIsSaid() throws {
        try directory.append("a.gz", try Archives.gzip(Self.bytes("\u{FEFF}一条\n", .littleEndian)))
        let lane = try lane(.files, .utf8)
        try lane.drain()
        #expect(lane.reported.count == 1 && lane.reported.first?.message.hasPrefix("looks like UTF-16") == true)
    }

    @Test func aFileInUTF8AmongThoseInUTF16IsSaid() throws {
        try directory.append("a", "\u{FEFF}一条\n")
        let lane = try lane(.files, .utf16)
        try lane.drain()
        #expect(
            lane.reported.map(\.message) == [
                "looks like UTF-8 (byte order mark EF BB BF); set encoding: utf-8 for this source"
            ])
    }
}
