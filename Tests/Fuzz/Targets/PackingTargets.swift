import CFiles

extension FuzzTargets {
    static func gzip(_ bytes: [UInt8]) { unpack(bytes, understudy_packing_gzip) }

    static func zstd(_ bytes: [UInt8]) { unpack(bytes, understudy_packing_zstd) }

    /// A compressed file. The first two bytes select the sizes of the reads and writes: the output, and whether it is
    /// damaged or complete, must not depend on them. Only the place where damage is detected may.
    private static func unpack(_ bytes: [UInt8], _ packing: understudy_packing) {
        var input = FuzzInput(bytes)
        let (give, ask) = (Int(input.byte()) + 1, 16 * (Int(input.byte()) + 1))
        let file = Array(input.rest)
        let whole = unpacked(file, packing, give: max(1, file.count), ask: 1 << 16)
        let pieces = unpacked(file, packing, give: give, ask: ask)
        guard let whole, let pieces else { return }
        // For a frame whose last block is empty, libzstd compares the length with the header only if it gets the whole
        // frame at once.
        let isEqual = whole.end == pieces.end || packing == understudy_packing_zstd && whole.end == .damaged
        hold(isEqual, "pieces of \(give) and \(ask) bytes end as \(pieces.end), not as \(whole.end)")
        let least = min(whole.bytes.count, pieces.bytes.count)
        hold(whole.bytes.prefix(least) == pieces.bytes.prefix(least), "pieces unpack to other bytes")
        if whole.end == .whole, pieces.end == .whole {
            hold(whole.bytes.count == pieces.bytes.count, "pieces unpack to another length")
        }
    }

    /// For the reader it makes no difference whether the library detects damage or waits for more input.
    private enum End { case whole, damaged }

    /// Maximum number of unpacked bytes.
    private static let mostBytes = 1 << 16

    /// nil for a file that unpacks to too much data for a fuzz run.
    private static func unpacked(
        _ file: [UInt8], _ packing: understudy_packing, give: Int, ask: Int
    ) -> (bytes: [UInt8], end: End)? {
        guard let handle = understudy_unpacker_make(packing) else { return nil }
        defer { understudy_unpacker_free(handle) }
        var room = [UInt8](repeating: 0, count: ask)
        var bytes: [UInt8] = []
        var place = 0
        while true {
            let given = min(give, file.count - place)
            var (used, made) = (0, 0)
            let status = file.withUnsafeBytes { all in
                understudy_unpack(handle, all.baseAddress.map { $0 + place }, given, &used, &room, ask, &made)
            }
            hold(used <= given && made <= ask, "more is taken or made than there is")
            place += used
            bytes += room[..<made]
            if bytes.count > mostBytes { return nil }
            if made > 0 { continue }
            if status != 0 { return (bytes, .damaged) }
            if place == file.count { return (bytes, understudy_unpacker_is_whole(handle) != 0 ? .whole : .damaged) }
            hold(used > 0, "nothing is taken and nothing made")
        }
    }
}
