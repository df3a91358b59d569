/// A fixed set of distinct byte strings, looked up by bytes that lie anywhere, without making an array of them.
struct ByteStringTable {
    private let bytes: [UInt8]
    private let offsets: [Int]
    /// Open addressing with linear probing: an index into the strings, or -1. At most half full.
    private var slots: [Int32]

    /// A string that appears twice is found at its first index.
    init(_ strings: some Sequence<[UInt8]>) {
        var bytes: [UInt8] = []
        var offsets = [0]
        for string in strings {
            bytes.append(contentsOf: string)
            offsets.append(bytes.count)
        }
        self.bytes = bytes
        self.offsets = offsets
        var capacity = 16
        while capacity < 2 * offsets.count { capacity *= 2 }
        slots = [Int32](repeating: -1, count: capacity)
        for index in 0..<count {
            let range = offsets[index]..<offsets[index + 1]
            let place = bytes.withUnsafeBufferPointer { slot(of: UnsafeBufferPointer(rebasing: $0[range])) }
            if slots[place] < 0 { slots[place] = Int32(index) }
        }
    }

    var count: Int { offsets.count - 1 }

    func index(of string: UnsafeBufferPointer<UInt8>) -> Int? {
        let found = slots[slot(of: string)]
        return found < 0 ? nil : Int(found)
    }

    /// The slot that holds `string`, or the empty one where it would go.
    private func slot(of string: UnsafeBufferPointer<UInt8>) -> Int {
        // FNV-1a, 64 bits.
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in string { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        var slot = Int(truncatingIfNeeded: hash ^ (hash >> 32)) & (slots.count - 1)
        while slots[slot] >= 0 {
            let index = Int(slots[slot])
            if bytes[offsets[index]..<offsets[index + 1]].elementsEqual(string) { break }
            slot = (slot + 1) & (slots.count - 1)
        }
        return slot
    }
}
