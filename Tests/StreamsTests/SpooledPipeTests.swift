import Diagnostics
import Foundation
import Glibc
import Streams
import TestSupport
import Testing

/// Spooled sources whose bytes come out of a pipe, and are moved.
@Suite(.offPool) struct SpooledPipeTests {
    private let scratch: TemporaryFolder
    private let reports = FlowReports()
    private var spool: String { scratch.path + "/spool" }

    init() throws { scratch = try TemporaryFolder() }

    private func put(_ text: String, into path: String) {
        let file = open(path, O_WRONLY | O_CLOEXEC)
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
            rest = rest.dropFirst(max(count, 0))
        }
        close(file)
    }

    private func spooledFIFO(_ store: SpoolStore, segment: UInt64, disk: SpoolDisk = SpoolDisk()) throws
        -> SpooledSource
    {
        let fifo = try FIFOSource(name: "wire", path: scratch.path + "/wire", report: reports.report)
        return try SpooledSource(
            fifo, spool: spool, maximumBytes: 1 << 30, segmentBytes: segment,
            checkpoints: Array(store.checkpoints.values), disk: disk, report: reports.report)
    }

    @Test(arguments: 0..<20)
    func everyLineOfAPipeIsAnsweredOnce(seed: Int) throws {
        var random = SplitMix(seed: UInt64(seed))
        let segment = UInt64.random(in: 1...5000, using: &random)
        let path = scratch.path + "/wire"
        var store = SpoolStore()
        var expected: [String] = []
        mkfifo(path, 0o600)
        // Holds the pipe between the runs, as systemd would.
        let holder = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC)
        defer { close(holder) }
        for _ in 0..<Int.random(in: 1...4, using: &random) {
            let source = try spooledFIFO(store, segment: segment)
            let lane = SpoolLane(source, room: Int.random(in: 1...3000, using: &random))
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                var text = ""
                for _ in 0..<Int.random(in: 1...40, using: &random) {
                    expected.append(
                        "\(expected.count)" + String(repeating: "稿", count: .random(in: 0...90, using: &random)))
                    text += (expected.last ?? "") + "\n"
                }
                put(text, into: path)
                let wanted = store.lines.count + Int.random(in: 0...40, using: &random)
                while store.lines.count < min(wanted, expected.count) { _ = try lane.step(&store) }
                if Bool.random(using: &random) { lane.commit(&store) }
            }
        }
        let source = try spooledFIFO(store, segment: segment)
        let lane = SpoolLane(source, room: 1000)
        while Set(store.lines.keys).count < expected.count || store.answers.count < expected.count {
            _ = try lane.step(&store)
            if store.lines.count == expected.count { lane.commit(&store) }
        }
        #expect(store.answers.sorted() == expected.sorted())
        #expect(reports.all.isEmpty)
        if expected.count > 60, segment < 1000 {
            #expect(
                try FileManager.default.contentsOfDirectory(atPath: spool + "/wire").max() != "00000000000000000001.seg"
            )
        }
    }

    @Test func aFullDiskLeavesTheBytesInThePipe() throws {
        let isFull = Monitor(true)
        let disk = SpoolDisk(
            move: { pipe, file, offset, count in
                guard isFull.withLock({ $0 }) else { return SpoolDisk().move(pipe, file, offset, count) }
                errno = ENOSPC
                return -1
            })
        let path = scratch.path + "/wire"
        do {
            let source = try spooledFIFO(SpoolStore(), segment: 100, disk: disk)
            put("甲\n乙\n", into: path)
            try waitUntil { !reports.all.isEmpty }
            isFull.withLock { $0 = false }
            var store = SpoolStore()
            let lane = SpoolLane(source)
            while store.lines.count < 2 { _ = try lane.step(&store) }
            lane.commit(&store)
            #expect(store.answers == ["甲", "乙"])
        }
        #expect(reports.all.map(\.code) == [.noSpace])
    }

    @Test func aFileSystemThatCannotBeMovedIntoIsWritten() throws {
        let disk = SpoolDisk(
            move: { _, _, _, _ in
                errno = EINVAL
                return -1
            })
        let source = try spooledFIFO(SpoolStore(), segment: 100, disk: disk)
        put("甲\n", into: scratch.path + "/wire")
        var store = SpoolStore()
        let lane = SpoolLane(source)
        while store.lines.isEmpty { _ = try lane.step(&store) }
        #expect(reports.all.isEmpty)
    }

    @Test func aLongLineOfAPipeIsCutToo() throws {
        var ends: [Int32] = [-1, -1]
        try #require(pipe(&ends) == 0)
        let input = try StandardInputSource(name: "wire", descriptor: ends[0])
        let writing = ends[1]
        let thread = try WorkerThread(name: "writes") {
            let text = String(repeating: "a", count: 1_500_000) + "\n短"
            put(text, into: "/proc/self/fd/\(writing)")
            close(writing)
        }
        let source = try SpooledSource(
            input, spool: spool, maximumBytes: 1 << 30, segmentBytes: 100, checkpoints: [], report: reports.report)
        var store = SpoolStore()
        try SpoolLane.drain(source, &store, room: 100_000)
        thread.join()
        close(ends[0])
        #expect(store.answers.map(\.utf8.count) == [100 + 1 << 20, 1_500_000 - 100 - 1 << 20, 3])
    }
}
