import Diagnostics
import Distillation

/// Shows a fine-tuning's progress on a meter: a stage for the frozen layers and one for each epoch.
final class TrainTeacherProgress {
    private let meter: ProgressMeter
    private var stage = ""
    private var done = 0

    init(_ meter: ProgressMeter) {
        self.meter = meter
    }

    func show(_ progress: TeacherTrainingProgress) {
        switch progress.stage {
        case .frozenLayers:
            begin("frozen layers", total: progress.linesTotal)
            meter.advance(by: progress.linesDone - done)
            done = progress.linesDone
        case .training:
            let perEpoch = progress.linesTotal / progress.epochs
            begin("epoch \(progress.epoch)/\(progress.epochs)", total: perEpoch)
            let here = progress.linesDone - perEpoch * (progress.epoch - 1)
            meter.advance(by: here - done, loss: progress.loss, accuracy: progress.accuracy)
            done = here
        case .validated(let accuracy, let loss, let isBest):
            end()
            meter.note(
                "validation: loss \(NumberText.fixed(loss, digits: 4)), accuracy \(NumberText.percent(accuracy))"
                    + (isBest ? ", the best so far" : ""))
        }
    }

    func end() {
        meter.end()
        stage = ""
    }

    private func begin(_ name: String, total: Int) {
        guard stage != name else { return }
        meter.begin(name, total: total)
        stage = name
        done = 0
    }
}
