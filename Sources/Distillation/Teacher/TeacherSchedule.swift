/// Linear warm-up, then linear decay to zero.
public struct TeacherSchedule: Sendable {
    public let steps: Int
    public let warmUpSteps: Int

    public init(steps: Int, warmUpShare: Float) {
        self.init(steps: steps, warmUpSteps: Int((Float(steps) * warmUpShare).rounded()))
    }

    public init(steps: Int, warmUpSteps: Int) {
        self.steps = steps
        self.warmUpSteps = min(warmUpSteps, steps)
    }

    /// The share of the highest rate that step `step` (from 0) learns with.
    public func factor(_ step: Int) -> Float {
        if step < warmUpSteps { return Float(step + 1) / Float(warmUpSteps) }
        return Float(max(steps - step, 0)) / Float(max(steps - warmUpSteps, 1))
    }
}
