import Diagnostics
import Glibc

/// A fixed-size block of numbers, aligned to 64 bytes (a cache line and an AVX-512 register).
///
/// Performance-critical loops use `pointer`; the buffer owns the memory. Large buffers have pages of their own: a page
/// takes memory at its first access, and all of them are returned to the system with the buffer.
///
/// `@unchecked Sendable`: the pointer itself never changes. Every owner follows one of two rules for the contents:
/// weights are written before the buffer is shared and only read afterwards; workspaces are used by one thread at a
/// time (they are in a scorer or trainer shard, and those aren't Sendable).
public final class AlignedBuffer<Element: BitwiseCopyable>: @unchecked Sendable {
    public let pointer: UnsafeMutablePointer<Element>
    public let count: Int
    private let byteCount: Int

    /// Minimum size in bytes of a buffer with its own pages: for smaller ones, rounding up to whole pages and the
    /// system calls would cost too much.
    private static var ownPages: Int { 1 << 20 }

    /// Memory for `count` elements, every bit zero.
    public init(zeros count: Int) {
        precondition(count >= 0, "a buffer can't have a negative size")
        self.count = count
        byteCount = max(count * MemoryLayout<Element>.stride, 1)
        let raw: UnsafeMutableRawPointer
        if byteCount >= Self.ownPages {
            let pages = mmap(nil, byteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
            guard let pages, pages != MAP_FAILED else { OutOfMemory.end(wanted: byteCount) }
            raw = pages
        } else {
            raw = UnsafeMutableRawPointer.allocate(byteCount: byteCount, alignment: 64)
            raw.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
        }
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
        if byteCount >= Self.ownPages {
            munmap(pointer, byteCount)
        } else {
            UnsafeMutableRawPointer(pointer).deallocate()
        }
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
