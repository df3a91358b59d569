public struct NGramHasher: Sendable {
    let mask: UInt64
    let order: Int
    public init(buckets: Int, order: Int) { mask = UInt64(buckets - 1); self.order = order }
    public func append(_ line: UnsafeBufferPointer<UInt8>, into ids: inout [Int32]) {
        var window = [UInt64]()
        func flush(_ w: UInt64) {
            window.append(w)
            if window.count > order { window.removeFirst() }
            var h: UInt64 = 0
            for (i, u) in window.reversed().enumerated() {
                h = (h ^ u) &* 0x9e37_79b9_7f4a_7c15
                h ^= h >> 29
                if i == 0 && u == 2 { continue }
                ids.append(Int32((h &* UInt64(i * 2 + 3)) >> 20 & mask))
            }
        }
        flush(1)
        for s in String(decoding: line, as: UTF8.self).unicodeScalars { flush(UInt64(s.value)) }
        flush(2)
    }
}
