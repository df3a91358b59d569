import Glibc

/// The student's loss on one line: λ · CE(student, label) + (1 − λ) · distil(student, teacher).
///
/// distil is the mean squared error of the logits (Ba & Caruana 2014; Tang et al. 2019, §3.1), averaged over classes,
/// or T² · KL(teacher ‖ student) at temperature T (Hinton et al. 2015, §2). For a line without a label the loss is only
/// the distil term, with weight 1; for a line without teacher logits only the label's term, also with weight 1.
public struct DistillationLoss: Sendable, Equatable {
    public enum Kind: String, Sendable, CaseIterable, Codable {
        case mse
        case kl
    }

    public var kind: Kind
    /// λ: the weight of the labels, 0 to 1.
    public var labelShare: Float
    /// T.
    public var temperature: Float
    /// Share of the label's probability that is spread over all classes (Szegedy et al. 2016, §7).
    public var labelSmoothing: Float

    public init(kind: Kind = .mse, labelShare: Float = 0, temperature: Float = 1, labelSmoothing: Float = 0) {
        self.kind = kind
        self.labelShare = labelShare
        self.temperature = temperature
        self.labelSmoothing = labelSmoothing
    }

    /// The loss of one line; its gradient with respect to the `classes` logits is written to `gradient`.
    ///
    /// - Parameters:
    ///   - label: the label's index, or negative if unknown.
    ///   - teacher: the teacher's logits, or nil if there are none.
    public func evaluate(
        logits: UnsafePointer<Float>, classes: Int, label: Int32, teacher: UnsafePointer<Float>?,
        gradient: UnsafeMutablePointer<Float>
    ) -> Float {
        gradient.update(repeating: 0, count: classes)
        var loss: Float = 0
        if label >= 0 {
            let weight = teacher == nil ? 1 : labelShare
            if weight > 0 { loss += crossEntropy(logits, classes, Int(label), weight, gradient) }
        }
        if let teacher, labelShare < 1 || label < 0 {
            let weight = label < 0 ? 1 : 1 - labelShare
            switch kind {
            case .mse: loss += meanSquaredError(logits, classes, teacher, weight, gradient)
            case .kl: loss += divergence(logits, classes, teacher, weight, gradient)
            }
        }
        return loss
    }

    private func crossEntropy(
        _ logits: UnsafePointer<Float>, _ classes: Int, _ label: Int, _ weight: Float,
        _ gradient: UnsafeMutablePointer<Float>
    ) -> Float {
        let logSum = Self.logSumExp(logits, classes, scale: 1)
        var loss: Float = 0
        for index in 0..<classes {
            let target = labelSmoothing / Float(classes) + (index == label ? 1 - labelSmoothing : 0)
            loss -= target * (logits[index] - logSum)
            gradient[index] += weight * (exp(logits[index] - logSum) - target)
        }
        return weight * loss
    }

    private func meanSquaredError(
        _ logits: UnsafePointer<Float>, _ classes: Int, _ teacher: UnsafePointer<Float>, _ weight: Float,
        _ gradient: UnsafeMutablePointer<Float>
    ) -> Float {
        var sum: Float = 0
        for index in 0..<classes {
            let difference = logits[index] - teacher[index]
            sum += difference * difference
            gradient[index] += weight * 2 * difference / Float(classes)
        }
        return weight * sum / Float(classes)
    }

    private func divergence(
        _ logits: UnsafePointer<Float>, _ classes: Int, _ teacher: UnsafePointer<Float>, _ weight: Float,
        _ gradient: UnsafeMutablePointer<Float>
    ) -> Float {
        let scale = 1 / temperature
        let studentSum = Self.logSumExp(logits, classes, scale: scale)
        let teacherSum = Self.logSumExp(teacher, classes, scale: scale)
        var loss: Float = 0
        for index in 0..<classes {
            let logStudent = logits[index] * scale - studentSum
            let logTeacher = teacher[index] * scale - teacherSum
            let probability = exp(logTeacher)
            loss += probability * (logTeacher - logStudent)
            // d(T² · KL)/d logit = T · (softmax(student/T) − softmax(teacher/T))
            gradient[index] += weight * temperature * (exp(logStudent) - probability)
        }
        return weight * temperature * temperature * loss
    }

    private static func logSumExp(_ values: UnsafePointer<Float>, _ count: Int, scale: Float) -> Float {
        var largest = -Float.infinity
        for index in 0..<count { largest = max(largest, values[index] * scale) }
        var sum: Float = 0
        for index in 0..<count { sum += exp(values[index] * scale - largest) }
        return largest + log(sum)
    }
}
