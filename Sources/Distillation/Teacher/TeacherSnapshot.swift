import Models
import Tensors

/// The best weights so far, with what made them the best.
struct TeacherSnapshot {
    private var copies: [Matrix] = []
    private var accuracy = -1.0
    private var loss = Double.infinity

    func isBeaten(byAccuracy accuracy: Double, loss: Double) -> Bool {
        (accuracy, -loss) > (self.accuracy, -self.loss)
    }

    mutating func take(_ tensors: [TeacherTensor], accuracy: Double, loss: Double) {
        self.accuracy = accuracy
        self.loss = loss
        copies = tensors.map(\.contents)
    }

    /// Puts the copies back; nothing where none was taken.
    func restore(_ tensors: [TeacherTensor]) {
        for (tensor, copy) in zip(tensors, copies) {
            tensor.pointer.update(from: copy.pointer, count: tensor.count)
        }
    }
}
