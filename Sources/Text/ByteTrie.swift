import Glibc

/// A double-array trie over byte strings (Aoe 1989): byte b leads from node s to node base[s] + b if that node's check
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

    /// Builds the trie. Keys must be distinct and not empty; values must be at least 0.
    init(_ keys: [(bytes: [UInt8], value: Int32)]) {
        var builder = ByteTrieBuilder(keys)
        builder.build()
        units = FrozenArray(builder.units)
    }
}

/// Lays out a `ByteTrie`.
struct ByteTrieBuilder {
    private(set) var units: [ByteTrie.Unit] = []
    private let keys: [(bytes: [UInt8], value: Int32)]
    /// Free slots as a linked ring through slot 0, which is always taken (the root).
    private var nextFree: [Int32] = []
    private var previousFree: [Int32] = []

    /// Maximum number of slots tried for a node with several children before its block goes to the end of the array.
    private static let attempts = 256

    init(_ keys: [(bytes: [UInt8], value: Int32)]) {
        self.keys = keys.sorted { Self.precedes($0.bytes, $1.bytes) }
    }

    private static func precedes(_ one: [UInt8], _ other: [UInt8]) -> Bool {
        let order = memcmp(one, other, min(one.count, other.count))
        return order < 0 || order == 0 && one.count < other.count
    }

    mutating func build() {
        units = [ByteTrie.Unit()]
        units[0].check = Int32.max  // taken, without a parent
        nextFree = [0]
        previousFree = [0]
        grow(to: 512)
        // Remaining work: keys first ..< last share `depth` bytes, which lead to `node`. A list instead of recursion,
        // since a key may be as long as its file.
        var work = [(first: 0, last: keys.count, depth: 0, node: 0)]
        while let (first, last, depth, node) = work.popLast() {
            var index = first
            while index < last, keys[index].bytes.count == depth {
                units[node].value = keys[index].value
                index += 1
            }
            var groups: [(byte: UInt8, first: Int, last: Int)] = []
            while index < last {
                let byte = keys[index].bytes[depth]
                let start = index
                while index < last, keys[index].bytes[depth] == byte { index += 1 }
                groups.append((byte, start, index))
            }
            if groups.isEmpty { continue }
            let base = place(groups.map(\.byte))
            units[node].base = Int32(base)
            for group in groups {
                let child = base + Int(group.byte)
                occupy(child, parent: node)
                work.append((group.first, group.last, depth + 1, child))
            }
        }
    }

    /// A base at which the slots of all `bytes` (ascending) are free.
    private mutating func place(_ bytes: [UInt8]) -> Int {
        let lowest = Int(bytes[0])
        var slot = Int(nextFree[0])
        var attempt = 0
        while slot != 0, attempt < Self.attempts {
            let base = slot - lowest
            if base >= 0, base + 256 <= units.count, bytes.allSatisfy({ units[base + Int($0)].check < 0 }) {
                return base
            }
            slot = Int(nextFree[slot])
            attempt += 1
        }
        let base = units.count
        grow(to: base + 256)
        return base
    }

    private mutating func grow(to count: Int) {
        // A step reads up to base + 255; bases are kept 256 below the end.
        for slot in units.count..<count {
            units.append(ByteTrie.Unit())
            let last = previousFree[0]
            nextFree.append(0)
            previousFree.append(last)
            nextFree[Int(last)] = Int32(slot)
            previousFree[0] = Int32(slot)
        }
    }

    private mutating func occupy(_ slot: Int, parent: Int) {
        units[slot].check = Int32(parent)
        nextFree[Int(previousFree[slot])] = nextFree[slot]
        previousFree[Int(nextFree[slot])] = previousFree[slot]
    }
}
