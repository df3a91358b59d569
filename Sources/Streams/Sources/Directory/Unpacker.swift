import CFiles

/// Reads a compressed file from its beginning, in bounded memory, however much it unpacks to.
final class Unpacker {
    enum Outcome: Equatable {
        /// So many bytes, at least one.
        case bytes(Int)
        case end
        /// Damaged, or cut short: nothing more comes of it.
        case damaged
    }

    private static let inputBytes = 131_072

    private let handle: OpaquePointer
    private let input: UnsafeMutableRawBufferPointer
    private var inputStart = 0
    private var inputEnd = 0
    private var isAtEnd = false
    /// Where reading stands in the packed file, in bytes.
    private(set) var rawOffset: UInt64 = 0

    /// nil when there is no memory for it.
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
