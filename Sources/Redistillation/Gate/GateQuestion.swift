import Store

/// What the gate asks: a criterion without its answer.
struct GateQuestion: Sendable {
    let name: String
    let title: String
    let threshold: String

    func answered(_ measured: String, _ holds: Bool, _ note: String = "") -> GateCriterion {
        GateCriterion(
            name: name, title: title, measured: measured, threshold: threshold, verdict: holds ? .passed : .failed,
            note: note)
    }

    func unanswered(_ note: String = "") -> GateCriterion {
        GateCriterion(
            name: name, title: title, measured: "—", threshold: threshold, verdict: .unmeasured, note: note)
    }
}
