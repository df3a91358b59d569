import CKernels
import Diagnostics

/// The arithmetic of the fast path's recurrence. Cells, gates and all else are f32 either way.
public enum RecurrencePrecision: String, Sendable, CaseIterable {
    /// f32 throughout.
    case f32
    /// Recurrent weights and hidden states rounded to bf16; f32 where the processor has no AVX512-BF16.
    case bf16
    /// Recurrent weights rounded to 8 bits by columns, hidden states to 8 bits: whole numbers on every processor, with
    /// the dot product of bytes where it has AVX-512 VNNI.
    case i8

    /// i8, or what the environment variable `UNDERSTUDY_PRECISION` names.
    public static var serving: RecurrencePrecision {
        EnvironmentVariable.value("UNDERSTUDY_PRECISION").flatMap(RecurrencePrecision.init) ?? .i8
    }

    /// The kernel's name for it on this processor.
    var kernelCode: Int32 {
        switch self {
        case .f32: Int32(US_RECURRENCE_F32.rawValue)
        case .bf16: Int32((us_has_bf16() == 1 ? US_RECURRENCE_BF16 : US_RECURRENCE_F32).rawValue)
        case .i8: Int32((us_has_vnni() == 1 ? US_RECURRENCE_VNNI : US_RECURRENCE_I8).rawValue)
        }
    }
}
