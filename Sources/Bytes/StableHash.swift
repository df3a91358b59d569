/// A 64-bit hash of bytes that never changes: splits and line ids made with it are the same across runs and machines.
///
/// FNV-1a (Fowler, Noll & Vo) followed by SplitMix64's finaliser, because FNV's own high bits are too uneven on short
/// texts to be used as a share. Swift's `Hasher` differs from process to process. Not resistant to deliberate
/// collisions.
public enum StableHash {
    public static func hash(_ bytes: UnsafeBufferPointer<UInt8>, salt: UInt64 = 0) -> UInt64 {
        mixed(fnv1a(bytes, salt: salt))
    }

    /// FNV-1a alone, 64 bits: for tables in memory.
    @inlinable public static func fnv1a(_ bytes: some Sequence<UInt8>, salt: UInt64 = 0) -> UInt64 {
        var state = 0xcbf2_9ce4_8422_2325 ^ salt
        for byte in bytes { state = (state ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return state
    }

    public static func hash(_ text: String, salt: UInt64 = 0) -> UInt64 {
        var text = text
        return text.withUTF8 { hash($0, salt: salt) }
    }

    /// A bijective mix of 64 bits in which every input bit affects every output bit.
    public static func mixed(_ value: UInt64) -> UInt64 {
        var mixed = value
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
