import Store

/// What the gate says of a candidate.
public struct GateDecision: Sendable, Equatable {
    /// All of them, always in the same order.
    public var criteria: [GateCriterion]

    public init(criteria: [GateCriterion]) {
        self.criteria = criteria
    }

    public var failed: [GateCriterion] { criteria.filter { $0.verdict == .failed } }
    public var isPassed: Bool { failed.isEmpty && criteria.contains { $0.verdict == .passed } }

    /// One sentence.
    public var reason: String {
        let failed = failed
        guard !failed.isEmpty else { return "every criterion is met" }
        return failed.map { "\($0.title.lowercasedFirst): \($0.measured), wanted \($0.threshold)" }
            .joined(separator: "; ")
    }
}

extension String {
    fileprivate var lowercasedFirst: String { prefix(1).lowercased() + dropFirst() }
}
