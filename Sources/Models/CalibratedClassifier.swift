/// A classifier that carries what was fitted on its validation lines.
public protocol CalibratedClassifier: LineClassifier {
    /// Logits are divided by this before softmax; 1 where none was fitted.
    var temperature: Float { get }
    /// Lines with less confidence (after temperature) go to the teacher; nil where none was fitted.
    var deferralThreshold: Float? { get }
}
