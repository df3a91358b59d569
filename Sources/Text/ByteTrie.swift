/// A double-array trie over byte strings (Aoe 1989): from node s byte b leads to node base[s] + b if that node's check
/// is s. Every node carries the value of the string that ends there, or −1.
struct ByteTrie: Sendable {
    struct Unit: BitwiseCopyable, Sendable {
        var base: Int32 = 0
        var check: Int32 = -1
        var value: Int32 = -1
    }

    static let root = 0

    let units: FrozenArray<Unit>

    /// The node that `byte` leads to, or −1.
    @inline(__always)
    static func step(_ units: UnsafePointer<Unit>, from node: Int, _ byte: UInt8) -> Int {
        let next = Int(units[node].base) &+ Int(byte)
        return units[next].check == Int32(truncatingIfNeeded: node) ? next : -1
    }

    var pointer: UnsafePointer<Unit> { units.pointer(at: 0) }

    /// The value of exactly these bytes, or −1.
    func value(of bytes: UnsafeBufferPointer<UInt8>) -> Int32 {
        var node = Self.root
        for byte in bytes {
            node = Self.step(pointer, from: node, byte)
            if node < 0 { return -1 }
        }
        return units[node].value
    }

    /// Builds the trie. Keys are distinct and not empty; values are at least 0.
    init(_ keys: [(bytes: [UInt8], value: Int32)]) {
        var builder = ByteTrieBuilder(keys)
        builder.build()
        units = FrozenArray(builder.units)
    }
}
