/// How a file's content is packed, known by its first bytes.
package enum Packing: Sendable {
    case plain, gzip, zstd

    private static let gzipMagic: [UInt8] = [0x1F, 0x8B, 0x08]
    private static let zstdMagic: [UInt8] = [0x28, 0xB5, 0x2F, 0xFD]

    /// nil while `start`, the first bytes of a file, is too short to tell. `isAll`: nothing follows it.
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
