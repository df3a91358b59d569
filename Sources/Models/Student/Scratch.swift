import Tensors

/// Working memory that grows to the largest request and is then reused.
final class Scratch {
    private var buffer = AlignedBuffer<Float>(zeros: 0)

    /// At least `count` floats; what they hold is whatever the last user left.
    func floats(_ count: Int) -> UnsafeMutablePointer<Float> {
        if buffer.count < count { buffer = AlignedBuffer(zeros: count + count / 4) }
        return buffer.pointer
    }

    /// `count` floats, all zero.
    func zeros(_ count: Int) -> UnsafeMutablePointer<Float> {
        let pointer = floats(count)
        pointer.update(repeating: 0, count: count)
        return pointer
    }
}
