/// A 64-bit hash of bytes by multiply-and-fold, after wyhash (Wang Yi, public domain). Stable across runs and machines
/// of the same byte order, so values derived from it may be stored in model files.
public enum ByteHash {
    @inlinable static var secret0: UInt64 { 0xA076_1D64_78BD_642F }
    @inlinable static var secret1: UInt64 { 0xE703_7ED1_A0B4_28DB }

    /// The two halves of the 128-bit product, folded.
    @inlinable @inline(__always)
    public static func fold(_ a: UInt64, _ b: UInt64) -> UInt64 {
        let product = a.multipliedFullWidth(by: b)
        return product.high ^ product.low
    }

    /// A well-mixed hash of one 64-bit key.
    @inlinable @inline(__always)
    public static func mix(_ key: UInt64) -> UInt64 {
        fold(fold(key ^ secret0, secret1), key ^ secret1)
    }

    @inlinable @inline(__always)
    public static func hash(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        guard let base = bytes.baseAddress else { return mix(0) }
        var state = secret0 ^ UInt64(bytes.count)
        var index = 0
        while index &+ 8 <= bytes.count {
            state = fold(state ^ (base + index).loadUnaligned(as: UInt64.self), secret1)
            index &+= 8
        }
        var rest: UInt64 = 0
        while index < bytes.count {
            rest = rest << 8 | UInt64(bytes[index])
            index &+= 1
        }
        return fold(state ^ rest, secret0)
    }

    @inlinable @inline(__always)
    public static func hash(_ bytes: UnsafeBufferPointer<UInt8>) -> UInt64 { hash(UnsafeRawBufferPointer(bytes)) }
}
