import Diagnostics
import Store
import Streams
import TestSupport
import Testing

/// A first start that ends while it turns WAL mode on leaves SQLite's rollback journal beside the database.
@Suite(.offPool) struct RollbackJournalTests {
    private static let pageBytes = 4096

    /// Makes a state with one row, closed; gives a journal that puts its first page back as it was before WAL mode.
    private static func write(to folder: TemporaryFolder) throws -> [UInt8] {
        let store = try Store.open(directory: folder.path) { _ in }
        try store.register(Samples.sink(inode: 1, length: 5))
        try store.close()
        let main = try #require(folder.bytes(of: "state.sqlite"))
        var page = Array(main[..<pageBytes])
        // The file format's versions for reading and writing: 1 is a rollback journal, 2 is WAL.
        #expect(page[18...19] == [2, 2])
        (page[18], page[19]) = (1, 1)
        return journal(of: page, pages: main.count / pageBytes)
    }

    /// The SQLite file format, section 3: a header of one sector, then the page with its number and its checksum.
    private static func journal(of page: [UInt8], pages: Int) -> [UInt8] {
        let nonce: UInt32 = 7
        var bytes: [UInt8] = [0xD9, 0xD5, 0x05, 0xF9, 0x20, 0xA1, 0x63, 0xD7]
        for number in [1, nonce, UInt32(pages), 512, UInt32(pageBytes)] { bytes += big(number) }
        bytes += [UInt8](repeating: 0, count: 512 - bytes.count)
        var checksum = nonce
        for place in stride(from: pageBytes - 200, to: 0, by: -200) { checksum &+= UInt32(page[place]) }
        return bytes + big(1) + page + big(checksum)
    }

    private static func big(_ number: UInt32) -> [UInt8] {
        withUnsafeBytes(of: number.bigEndian) { Array($0) }
    }

    @Test func whatWasCutShortIsRolledBack() throws {
        let folder = try TemporaryFolder()
        let journal = try Self.write(to: folder)
        try folder.write(journal, to: "state.sqlite-journal")
        let reports = Reports()
        let store = try Store.open(directory: folder.path, report: reports.add)
        #expect(try store.sinkLengths().map(\.length) == [5])
        try store.close()
        #expect(reports.all.isEmpty)
        #expect(!folder.names.contains { $0.contains("journal") || $0.contains("damaged") })
    }

    /// The journal of a database that is set aside goes with it: replayed into the new one, it would destroy that.
    @Test func theJournalIsSetAsideWithItsDatabase() throws {
        let folder = try TemporaryFolder()
        let journal = try Self.write(to: folder)
        try folder.write([UInt8](), to: "state.sqlite")
        try folder.write(journal, to: "state.sqlite-journal")
        let store = try Store.open(directory: folder.path) { _ in }
        #expect(!folder.names.contains("state.sqlite-journal"))
        try store.register(Samples.sink(inode: 2, length: 7))
        try store.close()
        #expect(try Store.open(directory: folder.path) { _ in }.sinkLengths().map(\.length) == [7])
        #expect(folder.names.contains { $0.contains("damaged") && $0.hasSuffix("-journal") })
    }
}
