/// A value for every code point, in two stages: pages of 256, equal pages stored once.
struct CodePointTable<Value: BitwiseCopyable & Sendable>: Sendable {
    /// Start in `values` of the page of every 256 code points.
    private let pages: FrozenArray<UInt32>
    private let values: FrozenArray<Value>

    /// `all` has a value for each of the 0x110000 code points.
    init(_ all: [Value]) {
        precondition(all.count == 0x110000)
        var pages: [UInt32] = []
        var values: [Value] = []
        var known: [UInt64: [UInt32]] = [:]
        let pageBytes = 256 * MemoryLayout<Value>.stride
        all.withUnsafeBytes { source in
            for first in stride(from: 0, to: all.count, by: 256) {
                let page = UnsafeRawBufferPointer(rebasing: source[first / 256 * pageBytes..<(first / 256 + 1) * pageBytes])
                let hash = ByteHash.hash(page)
                let match = known[hash]?.first { start in
                    values.withUnsafeBytes { stored in
                        stored[Int(start) / 256 * pageBytes..<(Int(start) / 256 + 1) * pageBytes].elementsEqual(page)
                    }
                }
                if let match {
                    pages.append(match)
                } else {
                    known[hash, default: []].append(UInt32(values.count))
                    pages.append(UInt32(values.count))
                    values.append(contentsOf: all[first..<first + 256])
                }
            }
        }
        self.pages = FrozenArray(pages)
        self.values = FrozenArray(values)
    }

    /// `scalar` is at most U+10FFFF.
    @inline(__always)
    subscript(scalar: UInt32) -> Value {
        values[Int(pages[Int(scalar >> 8)]) &+ Int(scalar & 0xFF)]
    }
}
