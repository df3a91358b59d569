import Tensors

/// Working memory of one thread that grows to the largest size asked for. The contents don't survive growth.
final class TeacherWorkspace {
    private var buffer = AlignedBuffer<Float>(zeros: 0)

    /// Room for `count` floats, their values unspecified.
    func reserve(_ count: Int) -> UnsafeMutablePointer<Float> {
        if buffer.count < count { buffer = AlignedBuffer(zeros: count) }
        return buffer.pointer
    }

    /// What was reserved last.
    var pointer: UnsafeMutablePointer<Float> { buffer.pointer }
}
