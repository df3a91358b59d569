import CFiles
import Glibc
import Testing

/// Packs test data with the libraries' own functions.
enum Archives {
    static func gzip(_ text: [UInt8]) throws -> [UInt8] {
        var stream = z_stream()
        let version = ZLIB_VERSION
        let size = Int32(MemoryLayout<z_stream>.size)
        try #require(
            deflateInit2_(&stream, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY, version, size) == Z_OK)
        defer { deflateEnd(&stream) }
        var text = text
        var packed = [UInt8](repeating: 0, count: text.count + 1000)
        let count = text.withUnsafeMutableBufferPointer { from in
            packed.withUnsafeMutableBufferPointer { to in
                stream.next_in = from.baseAddress
                stream.avail_in = UInt32(from.count)
                stream.next_out = to.baseAddress
                stream.avail_out = UInt32(to.count)
                return deflate(&stream, Z_FINISH) == Z_STREAM_END ? to.count - Int(stream.avail_out) : -1
            }
        }
        try #require(count > 0)
        return Array(packed[..<count])
    }

    static func zstd(_ text: [UInt8]) throws -> [UInt8] {
        var packed = [UInt8](repeating: 0, count: text.count + 1000)
        let count = packed.count
        let made = ZSTD_compress(&packed, count, text, text.count, 3)
        try #require(ZSTD_isError(made) == 0)
        return Array(packed[..<made])
    }
}
