/// A fixed-size block of numbers, aligned to 64 bytes (a cache line and an AVX-512 register).
///
/// Hot loops take `pointer`; the buffer owns the memory.
///
/// `@unchecked Sendable`: the pointer itself never changes. The contents follow one of two uses, and every owner keeps
/// to one: weights are written before the buffer is shared and only read afterwards; workspaces belong to one thread
/// at a time (they live in a scorer or trainer shard, and those aren't Sendable).
public final class AlignedBuffer<Element: BitwiseCopyable>: @unchecked Sendable {
    public let pointer: UnsafeMutablePointer<Element>
    public let count: Int

    /// Memory for `count` elements, every bit zero.
    public init(zeros count: Int) {
        precondition(count >= 0, "a buffer can't have a negative size")
        self.count = count
        let bytes = max(count * MemoryLayout<Element>.stride, 1)
        let raw = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
        raw.initializeMemory(as: UInt8.self, repeating: 0, count: bytes)
        pointer = raw.bindMemory(to: Element.self, capacity: count)
    }

    public convenience init(_ elements: some Collection<Element>) {
        self.init(zeros: elements.count)
        var next = pointer
        for element in elements {
            next.pointee = element
            next += 1
        }
    }

    deinit {
        UnsafeMutableRawPointer(pointer).deallocate()
    }

    @inlinable
    public subscript(index: Int) -> Element {
        get {
            precondition(index >= 0 && index < count)
            return pointer[index]
        }
        set {
            precondition(index >= 0 && index < count)
            pointer[index] = newValue
        }
    }

    /// A copy of the contents.
    public var array: [Element] { Array(UnsafeBufferPointer(start: pointer, count: count)) }
}
