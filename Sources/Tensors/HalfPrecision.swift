/// Conversions between f32 and the two 16-bit floating-point formats, in loops that the compiler can vectorise.
///
/// Rounding is to nearest, ties to even (IEEE 754-2008 §4.3.1); subnormal numbers and infinities are kept, and every
/// NaN remains a NaN.
public enum HalfPrecision {
    /// binary16 → f32, exact.
    @inlinable
    public static func single(fromF16 half: UInt16) -> Float {
        let sign = UInt32(half & 0x8000) << 16
        let magnitude = UInt32(half & 0x7fff)
        if magnitude >= 0x7c00 { return Float(bitPattern: sign | 0x7f80_0000 | (magnitude & 0x3ff) << 13) }
        // The bits, read as an f32, are the value times 2^-112; the product is exact for normal and subnormal numbers.
        let scaled = Float(bitPattern: magnitude << 13) * Float(bitPattern: (127 + 112) << 23)
        return Float(bitPattern: sign | scaled.bitPattern)
    }

    /// f32 → binary16; values from 65520 on become infinity.
    @inlinable
    public static func f16(_ value: Float) -> UInt16 {
        let sign = UInt16(truncatingIfNeeded: (value.bitPattern >> 16) & 0x8000)
        let magnitude = value.bitPattern & 0x7fff_ffff
        if magnitude > 0x7f80_0000 { return sign | 0x7e00 }
        if magnitude >= (127 + 16) << 23 { return sign | 0x7c00 }
        if magnitude < (127 - 14) << 23 {
            // Below the smallest normal number: adding 0.5 aligns the value so that the addition does the rounding.
            let aligned = Float(bitPattern: magnitude) + 0.5
            return sign | UInt16(truncatingIfNeeded: aligned.bitPattern &- Float(0.5).bitPattern)
        }
        let odd = (magnitude >> 13) & 1
        let rebased = magnitude &- ((127 - 15) << 23) &+ 0xfff &+ odd
        return sign | UInt16(truncatingIfNeeded: rebased >> 13)
    }

    /// bfloat16 → f32, exact.
    @inlinable
    public static func single(fromBF16 half: UInt16) -> Float {
        Float(bitPattern: UInt32(half) << 16)
    }

    /// f32 → bfloat16; values from half a step above the greatest finite number on become infinity.
    @inlinable
    public static func bf16(_ value: Float) -> UInt16 {
        let bits = value.bitPattern
        if bits & 0x7fff_ffff > 0x7f80_0000 { return UInt16(truncatingIfNeeded: bits >> 16) | 0x40 }
        return UInt16(truncatingIfNeeded: (bits &+ 0x7fff &+ (bits >> 16) & 1) >> 16)
    }

    /// `destination.count` binary16 numbers, little-endian and at any alignment, to f32.
    public static func decodeF16(_ source: UnsafeRawPointer, into destination: UnsafeMutableBufferPointer<Float>) {
        for index in 0..<destination.count {
            destination[index] = single(fromF16: source.loadUnaligned(fromByteOffset: index &* 2, as: UInt16.self))
        }
    }

    /// `destination.count` bfloat16 numbers, little-endian and at any alignment, to f32.
    public static func decodeBF16(_ source: UnsafeRawPointer, into destination: UnsafeMutableBufferPointer<Float>) {
        for index in 0..<destination.count {
            destination[index] = single(fromBF16: source.loadUnaligned(fromByteOffset: index &* 2, as: UInt16.self))
        }
    }
}
