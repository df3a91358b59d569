import CKernels

/// The arithmetic of a teacher's dense layers when it classifies. All else is f32 either way.
public enum TeacherPrecision: String, Sendable, CaseIterable {
    /// f32 throughout: the reference.
    case f32
    /// Weights and inputs rounded to bf16, sums in f32: twice as fast where the processor has AVX512-BF16, and the same
    /// as f32 elsewhere.
    case bf16

    /// Whether this processor computes so.
    public var isSupported: Bool {
        switch self {
        case .f32: true
        case .bf16: bert_bf16_supported() != 0
        }
    }
}
