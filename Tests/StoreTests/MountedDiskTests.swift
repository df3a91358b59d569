import Diagnostics
import Foundation
import Glibc
import Store
import Streams
import TestSupport
import Testing

/// Against real file systems of their own, which only root can mount.
@Suite(.offPool, .enabled(if: MountedDisk.isPossible, "mounting a tmpfs needs root")) struct MountedDiskTests {
    @Test func aFullDiskStopsACommitAndKeepsWhatWasCommitted() throws {
        let disk = try MountedDisk(kibibytes: 1024)
        let store = try Store.open(directory: disk.path) { _ in }
        var committed: UInt64 = 0
        var failure: UnderstudyError?
        let text = String(repeating: "海上风电场并网发电，", count: 500)
        for number in 1...500 as ClosedRange<UInt64> {
            do throws(UnderstudyError) {
                try store.commit(
                    Commit(
                        checkpoints: [Samples.checkpoint(inode: 1, offset: number)],
                        disagreements: [Samples.row(id: number, text: text)]))
                committed = number
            } catch {
                failure = error
                break
            }
        }
        #expect(failure?.code == .noSpace)
        #expect(committed > 0)
        #expect(try store.checkpoints().map(\.offset) == [committed])
        // It recovers by itself when there is room again.
        try disk.resize(kibibytes: 4096)
        try store.commit(Commit(checkpoints: [Samples.checkpoint(inode: 1, offset: committed + 1)]))
        #expect(try store.checkpoints().map(\.offset) == [committed + 1])
        try store.close()
        let reports = Reports()
        #expect(
            try Store.open(directory: disk.path, report: reports.add).checkpoints().map(\.offset) == [committed + 1])
        #expect(reports.all.isEmpty)
    }

    @Test func aDiskThatIsFullAtTheStart() throws {
        let disk = try MountedDisk(kibibytes: 64)
        disk.fill()
        do {
            _ = try Store.open(directory: disk.path) { _ in }
            Issue.record("opened without room")
        } catch {
            #expect(error.code == .noSpace)
        }
        // A state that is there isn't taken for damaged because there is no room for its log.
        let other = try MountedDisk(kibibytes: 256)
        try Store.open(directory: other.path) { _ in }.close()
        other.fill()
        let reports = Reports()
        do {
            _ = try Store.open(directory: other.path, report: reports.add).register(Samples.sink(inode: 1, length: 1))
            Issue.record("registered without room")
        } catch {
            #expect(error.code == .noSpace)
        }
        #expect(reports.all.isEmpty)
    }

    @Test func aReadOnlyDisk() throws {
        let disk = try MountedDisk(kibibytes: 512)
        try Store.open(directory: disk.path) { _ in }.close()
        try disk.remountReadOnly()
        for directory in [disk.path, disk.path + "/new"] {
            do {
                _ = try Store.open(directory: directory) { _ in }
                Issue.record("opened on a read-only disk")
            } catch {
                #expect(error.code == .cannotCreate)
            }
        }
    }
}
