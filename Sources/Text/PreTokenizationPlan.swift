/// A sequence of pre-tokenizers.
struct PreTokenizationPlan: Sendable {
    let steps: [PreTokenizerStep]

    /// Cuts `source` into pieces and leaves their bounds in `scratch.pieces`.
    ///
    /// - Parameter isAtOrigin: Whether `source` starts where the line starts (for Metaspace's scheme `first`).
    /// - Returns: The text that the bounds refer to: `source` itself or, if a step changes text, memory of `scratch`.
    func split(
        _ source: UnsafeBufferPointer<UInt8>, isAtOrigin: Bool, scratch: TokenizerScratch
    ) -> UnsafePointer<UInt8>? {
        scratch.pieces.count = 0
        guard var text = source.baseAddress, !source.isEmpty else { return nil }
        scratch.pieces.append(0)
        scratch.pieces.append(Int32(truncatingIfNeeded: source.count))
        for step in steps {
            scratch.swapPieces()
            scratch.pieces.count = 0
            if case .metaspace(let mark, let scheme, let splits) = step {
                scratch.swapMarked()
                scratch.marked.count = 0
                for index in stride(from: 0, to: scratch.otherPieces.count, by: 2) {
                    let start = Int(scratch.otherPieces.base[index])
                    PreTokenizerStep.markSpaces(
                        text, from: start, to: Int(scratch.otherPieces.base[index + 1]), mark: mark,
                        prepends: scheme == .always || scheme == .first && isAtOrigin && start == 0, splits: splits,
                        text: &scratch.marked, pieces: &scratch.pieces)
                }
                text = UnsafePointer(scratch.marked.base)
            } else {
                for index in stride(from: 0, to: scratch.otherPieces.count, by: 2) {
                    step.cut(
                        text, from: Int(scratch.otherPieces.base[index]), to: Int(scratch.otherPieces.base[index + 1]),
                        into: &scratch.pieces)
                }
            }
        }
        return text
    }
}
