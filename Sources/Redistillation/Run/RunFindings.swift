import Distillation
import Models

/// What a run finds out on its way, for the gate, the registry and the report.
struct RunFindings {
    let materials: RunMaterials
    let seed: UInt64
    var harvest: Harvest.Outcome
    var replay: DataSet
    var evidence: GateEvidence
    var decision = GateDecision(criteria: [])
    /// The candidate and how its training went; nil before.
    var candidate: StudentDistiller.Result?
    /// As it lies in the workplace.
    var candidateDirectory: String?
    /// The teacher's logits on the holdout, row-major.
    var teacherLogits: [Float] = []
    var candidateReference: StudentReference?

    init(materials: RunMaterials, seed: UInt64) {
        self.materials = materials
        self.seed = seed
        let empty = DataSet(labels: materials.labels, lines: LineBatch(), labelIndices: [])
        harvest = Harvest.Outcome(
            learnt: empty, heldOut: empty, known: [:], teacherLabels: [:], trusted: [], perLabel: [],
            counts: HarvestCounts())
        replay = empty
        evidence = GateEvidence(labels: materials.labels, truth: materials.holdout.labelIndices)
    }
}
