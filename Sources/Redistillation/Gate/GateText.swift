import Diagnostics

/// Numbers as the gate writes them.
enum GateText {
    /// A difference of shares in percentage points.
    static func points(_ share: Double, signed: Bool = false) -> String {
        let text = NumberText.fixed(abs(share) * 100, digits: 2)
        let sign = signed ? (share < 0 ? "−" : "+") : ""
        return "\(sign)\(text) points"
    }
}
