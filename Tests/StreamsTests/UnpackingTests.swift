import CFiles
import Testing

/// What the C side makes of the beginnings of zstd frames; archives as a whole are in `Directory/DirectoryArchiveTests`.
struct UnpackingTests {
    /// `hello`, as it is.
    private static let frame: [UInt8] = [0x28, 0xB5, 0x2F, 0xFD, 0x20, 5, 0x29, 0, 0] + Array("hello".utf8)
    private static let skippable: [UInt8] = [0x5C, 0x2A, 0x4D, 0x18, 3, 0, 0, 0, 1, 2, 3]

    /// nil where it is damaged.
    private static func unpacked(_ file: [UInt8], give: Int) throws -> [UInt8]? {
        let handle = try #require(understudy_unpacker_make(understudy_packing_zstd))
        defer { understudy_unpacker_free(handle) }
        var bytes: [UInt8] = []
        var room = [UInt8](repeating: 0, count: 3)
        var place = 0
        while true {
            var (used, made) = (0, 0)
            let status = file.withUnsafeBytes { all in
                understudy_unpack(
                    handle, all.baseAddress.map { $0 + place }, min(give, file.count - place), &used, &room, room.count,
                    &made)
            }
            place += used
            bytes += room[..<made]
            if status != 0 { return nil }
            if made == 0, place == file.count { return understudy_unpacker_is_whole(handle) != 0 ? bytes : nil }
        }
    }

    @Test(arguments: 1...20)
    func framesFollowEachOther(give: Int) throws {
        let file = Self.skippable + Self.frame + Self.frame + Self.skippable
        #expect(try Self.unpacked(file, give: give) == Array("hellohello".utf8))
        #expect(try Self.unpacked([], give: give) == [])
        #expect(try Self.unpacked(Self.frame + [0x28, 0xB5], give: give) == nil)
    }

    /// The magic numbers of zstd 0.1 to 0.7.
    @Test(arguments: 0x1E...0x27 as ClosedRange<UInt8>)
    func formatsOfFirstReleasesAreRefused(first: UInt8) throws {
        let old = [first] + Self.frame.dropFirst()
        for give in [1, 3, 4, 100] {
            #expect(try Self.unpacked(Array(old), give: give) == nil)
            #expect(try Self.unpacked(Self.frame + old, give: give) == nil)
        }
        // As zstd 0.7 wrote `port wire` and more; the library would still read it.
        let legacy: [UInt8] = [
            0x27, 0xB5, 0x2F, 0xFD, 0x04, 0x68, 0x55, 0x01, 0x00, 0x04, 0x02, 0x70, 0x6F, 0x72, 0x74, 0x20, 0x77, 0x69,
            0x72, 0x65, 0x0A, 0xE6, 0xB8, 0xAF, 0xE5, 0x8F, 0xA3, 0xE6, 0x96, 0xB0, 0xE8, 0x88, 0xAA, 0xE7, 0xBA, 0xBF,
            0xE5, 0xBC, 0x80, 0xE9, 0x80, 0x9A, 0x0A, 0x02, 0x00, 0x2D, 0x06, 0x60, 0x14, 0xEA, 0x09, 0x3B, 0xEA, 0xD4,
            0x1E,
        ]
        #expect(try Self.unpacked(legacy, give: 100) == nil)
        #expect(try Self.unpacked(legacy, give: 1) == nil)
    }
}
