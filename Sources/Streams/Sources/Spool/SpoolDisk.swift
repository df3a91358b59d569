import CFiles
import Glibc

/// The calls by which a spool takes up space; tests put others in their place to fill the disk.
package struct SpoolDisk: Sendable {
    /// Writes to a descriptor at an offset; how many bytes, or -1 with the reason in errno.
    package var write: @Sendable (Int32, UnsafeRawBufferPointer, UInt64) -> Int
    /// Moves up to so many bytes from a pipe into a descriptor at an offset; returns as `write`, 0 at the pipe's end.
    package var move: @Sendable (Int32, Int32, UInt64, Int) -> Int
    /// Takes space in a descriptor, from an offset on, before it is needed; 0 or -1.
    package var reserve: @Sendable (Int32, UInt64, UInt64) -> Int32

    package init(
        write: @escaping @Sendable (Int32, UnsafeRawBufferPointer, UInt64) -> Int = {
            pwrite($0, $1.baseAddress, $1.count, off_t($2))
        },
        move: @escaping @Sendable (Int32, Int32, UInt64, Int) -> Int = {
            understudy_splice($0, $1, Int64($2), $3)
        },
        reserve: @escaping @Sendable (Int32, UInt64, UInt64) -> Int32 = {
            understudy_reserve($0, Int64($1), Int64($2))
        }
    ) {
        self.write = write
        self.move = move
        self.reserve = reserve
    }
}
