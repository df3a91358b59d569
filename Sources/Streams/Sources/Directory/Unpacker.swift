import CFiles

/// Reads a compressed file from its beginning, in bounded memory, whatever its unpacked size.
final class Unpacker {
    enum Outcome: Equatable {
        /// The number of unpacked bytes, at least one.
        case bytes(Int)
        case end
        /// Damaged or truncated: it yields no more data.
        case damaged
    }

    private static let inputBytes = 131_072

    private let handle: OpaquePointer
    private let input: UnsafeMutableRawBufferPointer
    private var inputStart = 0
    private var inputEnd = 0
    private var isAtEnd = false
    /// The read offset in the packed file, in bytes.
    private(set) var rawOffset: UInt64 = 0

    /// nil if there isn't enough memory.
    init?(_ packing: Packing) {
        guard
            let handle = understudy_unpacker_make(packing == .gzip ? understudy_packing_gzip : understudy_packing_zstd)
        else { return nil }
        self.handle = handle
        input = .allocate(byteCount: Self.inputBytes, alignment: 16)
    }

    deinit {
        understudy_unpacker_free(handle)
        input.deallocate()
    }

    func read(
        _ file: OpenFile, into room: UnsafeMutableRawBufferPointer
    ) throws(CannotTell) -> Outcome {
        while true {
            if inputStart == inputEnd, !isAtEnd {
                let count = try file.read(into: input, at: rawOffset)
                isAtEnd = count == 0
                (inputStart, inputEnd) = (0, count)
                rawOffset += UInt64(count)
            }
            var used = 0
            var made = 0
            let start = input.baseAddress.map { $0 + inputStart }
            let status = understudy_unpack(
                handle, start, inputEnd - inputStart, &used, room.baseAddress, room.count, &made)
            inputStart += used
            if made > 0 { return .bytes(made) }
            if status != 0 { return .damaged }
            if isAtEnd { return understudy_unpacker_is_whole(handle) != 0 ? .end : .damaged }
        }
    }
}

/// The compression of a file's content, detected by its first bytes.
package enum Packing: Sendable {
    case plain, gzip, zstd

    private static let gzipMagic: [UInt8] = [0x1F, 0x8B, 0x08]
    private static let zstdMagic: [UInt8] = [0x28, 0xB5, 0x2F, 0xFD]

    /// nil while `start`, the first bytes of a file, is too short to tell. `isAll`: no bytes follow it.
    package init?(_ start: some Collection<UInt8>, isAll: Bool) {
        for (magic, packing) in [(Self.gzipMagic, Packing.gzip), (Self.zstdMagic, .zstd)] {
            if start.starts(with: magic) {
                self = packing
                return
            }
            if !isAll, magic.starts(with: start) { return nil }
        }
        self = .plain
    }
}
