import CFiles
import Glibc

/// The calls by which a spool takes up space; tests put others in their place to fill the disk.
package struct SpoolDisk: Sendable {
    /// Writes at an offset; how many bytes, or -1 with the reason in errno.
    package var write: @Sendable (Int32, UnsafeRawBufferPointer, UInt64) -> Int
    /// Takes space before it is needed; 0 or the errno.
    package var reserve: @Sendable (Int32, UInt64, UInt64) -> Int32

    package init(
        write: @escaping @Sendable (Int32, UnsafeRawBufferPointer, UInt64) -> Int,
        reserve: @escaping @Sendable (Int32, UInt64, UInt64) -> Int32
    ) {
        self.write = write
        self.reserve = reserve
    }

    package static let system = SpoolDisk(
        write: { pwrite($0, $1.baseAddress, $1.count, off_t($2)) },
        reserve: { understudy_reserve($0, Int64($1), Int64($2)) })
}
