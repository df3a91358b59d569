import CFiles
import Tensors

/// Heap settings for a process that runs for months: memory that loading a model needed temporarily is returned to the
/// system.
///
/// Source: mallopt(3), malloc_trim(3). By default glibc raises its mmap threshold as large blocks are freed, and has a
/// heap for each thread; both keep unused memory.
public enum HeapMemory {
    /// Keeps large blocks out of the heap and limits the number of heaps. Must be called before other threads exist.
    public static func limit() {
        mallopt(M_MMAP_THRESHOLD, 256 << 10)
        mallopt(M_TRIM_THRESHOLD, 256 << 10)
        mallopt(M_ARENA_MAX, 2)
    }

    /// Returns free pages to the system. Takes about a millisecond; for use after a model was loaded or released.
    public static func giveBack() { malloc_trim(0) }
}

/// Working memory of one thread that grows to the largest request and is then reused. The contents are lost on growth.
public final class Scratch {
    private var buffer = AlignedBuffer<Float>(zeros: 0)

    public init() {}

    /// At least `count` floats with undefined values.
    public func floats(_ count: Int) -> UnsafeMutablePointer<Float> {
        if buffer.count < count { buffer = AlignedBuffer(zeros: count + count / 4) }
        return buffer.pointer
    }

    /// `count` floats, all zero.
    func zeros(_ count: Int) -> UnsafeMutablePointer<Float> {
        let pointer = floats(count)
        pointer.update(repeating: 0, count: count)
        return pointer
    }

    /// The memory of the last request.
    public var pointer: UnsafeMutablePointer<Float> { buffer.pointer }
}
