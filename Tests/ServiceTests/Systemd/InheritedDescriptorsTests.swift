import Glibc
import Service
import Testing

@Suite struct InheritedDescriptorsTests {
    private let folder: String

    init() throws {
        var template = Array("/tmp/understudy-fifos-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private func remove() {
        for name in ["wire", "other", "file"] { unlink("\(folder)/\(name)") }
        rmdir(folder)
    }

    @Test func aFIFOIsFoundByItsPathOnce() throws {
        defer { remove() }
        var entries: [InheritedDescriptors.Entry] = []
        for name in ["other", "wire"] {
            try #require(mkfifo("\(folder)/\(name)", 0o600) == 0)
            let descriptor = open("\(folder)/\(name)", O_RDWR | O_CLOEXEC)
            try #require(descriptor >= 0)
            entries.append(.init(descriptor: descriptor, name: name))
        }
        defer { for entry in entries { close(entry.descriptor) } }
        let inherited = InheritedDescriptors(entries)
        #expect(inherited.claim(fifo: "\(folder)/missing") == nil)
        #expect(inherited.claim(fifo: "\(folder)/wire") == entries[1].descriptor)
        #expect(inherited.claim(fifo: "\(folder)/wire") == nil)
        #expect(inherited.unclaimed == [entries[0]])
    }

    @Test func aRegularFileIsNoFIFO() throws {
        defer { remove() }
        let descriptor = open("\(folder)/file", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        try #require(descriptor >= 0)
        defer { close(descriptor) }
        let inherited = InheritedDescriptors([.init(descriptor: descriptor, name: "file")])
        #expect(inherited.claim(fifo: "\(folder)/file") == nil)
        #expect(inherited.unclaimed.map(\.name) == ["file"])
    }

    @Test func nothingIsInheritedWithoutASocketUnit() {
        let inherited = InheritedDescriptors.take()
        #expect(inherited.unclaimed.isEmpty)
        #expect(inherited.claim(fifo: "/run/understudy/wire") == nil)
    }
}
