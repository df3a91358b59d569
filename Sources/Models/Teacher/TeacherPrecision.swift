import CKernels
import Diagnostics

/// The arithmetic of a teacher's dense layers when it classifies. All else is f32 either way.
public enum TeacherPrecision: String, Sendable, CaseIterable {
    /// f32 throughout: the reference.
    case f32
    /// Weights and inputs rounded to bf16, sums in f32: twice as fast where the processor has AVX512-BF16, and the same
    /// as f32 elsewhere.
    case bf16
    /// Weights rounded to 8 bits by outputs, inputs to 8 bits by tokens, whole sums: where the processor has AVX-512
    /// VNNI, and the same as f32 elsewhere.
    case i8

    /// i8, or what the environment variable `UNDERSTUDY_PRECISION` names.
    public static var serving: TeacherPrecision {
        EnvironmentVariable.value("UNDERSTUDY_PRECISION").flatMap(TeacherPrecision.init) ?? .i8
    }

    /// Whether this processor computes so.
    public var isSupported: Bool {
        switch self {
        case .f32: true
        case .bf16: us_level() == US_AVX512.rawValue && bert_bf16_supported() != 0
        case .i8: us_has_vnni() == 1 && bert_i8_supported() != 0
        }
    }
}
