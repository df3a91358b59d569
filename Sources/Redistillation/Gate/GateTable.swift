import Diagnostics
import Store

/// The gate's criteria as a table of plain text, for a terminal and the journal.
public enum GateTable {
    public static func text(_ criteria: [GateCriterion]) -> String {
        PrintableText.table(
            [["", "criterion", "measured", "wanted"]]
                + criteria.map { [mark($0.verdict), $0.title, $0.measured, $0.threshold] }, leftAligned: [0, 1, 2, 3])
    }

    private static func mark(_ verdict: GateCriterion.Verdict) -> String {
        switch verdict {
        case .passed: "ok"
        case .failed: "FAILED"
        case .unmeasured: "-"
        }
    }
}
