import Bytes
import Glibc

/// A value for every code point, in two stages: pages of 256, equal pages stored once.
struct CodePointTable<Value: BitwiseCopyable & Sendable>: Sendable {
    /// For every 256 code points, the start of their page in `values`.
    private let pages: FrozenArray<UInt32>
    private let values: FrozenArray<Value>

    /// `all` has a value for each of the 0x110000 code points.
    init(_ all: [Value]) {
        precondition(all.count == 0x110000)
        var pages: [UInt32] = []
        var values: [Value] = []
        var starts: [UInt64: [Int]] = [:]
        for first in stride(from: 0, to: all.count, by: 256) {
            let hash = all.withUnsafeBytes { ByteHash.hash(Self.page($0, at: first)) }
            let known = starts[hash]?.first { start in
                all.withUnsafeBytes { new in
                    values.withUnsafeBytes { Self.areEqual(Self.page($0, at: start), Self.page(new, at: first)) }
                }
            }
            if let known {
                pages.append(UInt32(known))
            } else {
                starts[hash, default: []].append(values.count)
                pages.append(UInt32(values.count))
                values.append(contentsOf: all[first..<first + 256])
            }
        }
        self.pages = FrozenArray(pages)
        self.values = FrozenArray(values)
    }

    /// The bytes of the page that starts with that element.
    private static func page(_ bytes: UnsafeRawBufferPointer, at first: Int) -> UnsafeRawBufferPointer {
        let stride = MemoryLayout<Value>.stride
        return UnsafeRawBufferPointer(rebasing: bytes[first * stride..<(first + 256) * stride])
    }

    private static func areEqual(_ one: UnsafeRawBufferPointer, _ other: UnsafeRawBufferPointer) -> Bool {
        guard let one = one.baseAddress, let other = other.baseAddress else { return false }
        return memcmp(one, other, 256 * MemoryLayout<Value>.stride) == 0
    }

    /// `scalar` is at most U+10FFFF.
    @inline(__always)
    subscript(scalar: UInt32) -> Value {
        values[Int(pages[Int(scalar >> 8)]) &+ Int(scalar & 0xFF)]
    }
}
