import CKernels
import Tensors

/// Where dropout acts in one pass over a chunk of lines, and with which mask.
///
/// Masks are functions of the key, the place and the element, so the backward pass makes the same ones again.
struct TeacherDropout {
    var hidden: Float
    var attention: Float
    var classifier: Float
    /// Different for every step and chunk.
    var key: UInt64

    /// No dropout at all.
    static let none = TeacherDropout(hidden: 0, attention: 0, classifier: 0, key: 0)

    enum Place: UInt64 {
        case embeddings, attention, attentionOutput, output, classifier
    }

    /// The kernels' form for one place; `line` keeps lines apart where elements are counted from each line's start.
    func mask(_ place: Place, layer: Int = 0, line: Int = 0) -> bert_dropout {
        let probability =
            switch place {
            case .attention: attention
            case .classifier: classifier
            case .embeddings, .attentionOutput, .output: hidden
            }
        var state = key ^ (place.rawValue << 56 | UInt64(layer) << 40 | UInt64(line))
        let bits = SeededGenerator.splitMix64(&state)
        return bert_dropout(
            key0: UInt32(truncatingIfNeeded: bits), key1: UInt32(truncatingIfNeeded: bits >> 32),
            threshold: UInt32(Double(probability) * 4_294_967_296), scale: 1 / (1 - probability))
    }
}
