import Glibc
import Service
import TestSupport
import Testing

@Suite(.offPool) struct InheritedDescriptorsTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test func aFIFOIsFoundByItsPathOnce() throws {
        var entries: [InheritedDescriptors.Entry] = []
        for name in ["other", "wire"] {
            try #require(mkfifo(folder.file(name), 0o600) == 0)
            let descriptor = open(folder.file(name), O_RDWR | O_CLOEXEC)
            try #require(descriptor >= 0)
            entries.append(.init(descriptor: descriptor, name: name))
        }
        defer { for entry in entries { close(entry.descriptor) } }
        let inherited = InheritedDescriptors(entries)
        #expect(inherited.claim(fifo: folder.file("missing")) == nil)
        #expect(inherited.claim(fifo: folder.file("wire")) == entries[1].descriptor)
        #expect(inherited.claim(fifo: folder.file("wire")) == nil)
        #expect(inherited.unclaimed == [entries[0]])
    }

    @Test func aRegularFileIsNoFIFO() throws {
        let descriptor = open(folder.file("file"), O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        try #require(descriptor >= 0)
        defer { close(descriptor) }
        let inherited = InheritedDescriptors([.init(descriptor: descriptor, name: "file")])
        #expect(inherited.claim(fifo: folder.file("file")) == nil)
        #expect(inherited.unclaimed.map(\.name) == ["file"])
    }

    @Test func nothingIsInheritedWithoutASocketUnit() {
        let inherited = InheritedDescriptors.take()
        #expect(inherited.unclaimed.isEmpty)
        #expect(inherited.claim(fifo: "/run/understudy/wire") == nil)
    }
}
