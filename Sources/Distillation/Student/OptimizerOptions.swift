import Glibc

/// How weights follow their gradients.
public struct OptimizerOptions: Sendable, Equatable {
    public enum Kind: String, Sendable, CaseIterable {
        /// Adam (Kingma & Ba 2015); with a weight decay, AdamW (Loshchilov & Hutter 2019).
        case adam
        /// Plain stochastic gradient descent.
        case sgd
    }

    public enum Schedule: String, Sendable, CaseIterable {
        case constant
        /// Falls linearly to zero at the last step.
        case linear
        /// Half a cosine from the full rate to zero (Loshchilov & Hutter 2017).
        case cosine
    }

    public var kind = Kind.adam
    public var learningRate: Float = 1e-3
    /// The shortcut's rate over the others': its rows are seen seldom and start at zero.
    public var shortcutRateFactor: Float = 3
    public var schedule = Schedule.linear
    /// Share of all steps over which the rate rises linearly from zero.
    public var warmup: Float = 0
    public var beta1: Float = 0.9
    public var beta2: Float = 0.999
    public var epsilon: Float = 1e-8
    /// Of the dense tensors' matrices; never of biases, nor of the two tables.
    public var weightDecay: Float = 0
    /// Gradients are scaled down to this global norm; 0 for no limit.
    public var clip: Float = 0

    public init() {}

    /// The rate at `step` (from 0) of `steps`.
    public func rate(step: Int, of steps: Int) -> Float {
        let warm = Int((warmup * Float(steps)).rounded())
        if step < warm { return learningRate * Float(step + 1) / Float(warm + 1) }
        let progress = Float(step - warm) / Float(max(steps - warm, 1))
        switch schedule {
        case .constant: return learningRate
        case .linear: return learningRate * (1 - progress)
        case .cosine: return learningRate * 0.5 * (1 + cos(progress * .pi))
        }
    }
}
