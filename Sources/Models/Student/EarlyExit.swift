/// When a student answers by its n-grams alone, without its biLSTM (early exit: Teerapittayanon et al. 2016, §III).
///
/// Beside the shortcut, which adds to the biLSTM's logits, such a student has a linear classifier over the same hashed
/// n-grams that was distilled by itself. Where that one is certain, its logits stand.
public struct EarlyExit: Sendable, Equatable {
    /// The calibrated confidence from which on a line exits, 0 … 1.
    public var threshold: Float
    /// What the exit's logits are multiplied by, so that they want the same temperature as the others.
    public var scale: Float

    public init(threshold: Float, scale: Float) {
        self.threshold = threshold
        self.scale = scale
    }
}
