import Diagnostics

/// Numbers as the gate writes them.
enum GateText {
    /// A difference of shares in percentage points.
    static func points(_ share: Double, signed: Bool = false) -> String {
        points(share, signed: signed, apartFrom: share)
    }

    /// The same with as many digits as it takes to see that it isn't `limit`.
    static func points(_ share: Double, signed: Bool = false, apartFrom limit: Double) -> String {
        let text = NumberText.fixed(abs(share) * 100, digits: 2, apartFrom: abs(limit) * 100)
        let sign = signed ? (share < 0 ? "−" : "+") : ""
        return "\(sign)\(text) points"
    }
}
