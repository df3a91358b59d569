import Cascade
import Foundation
import Service
import Testing

/// What people and programs see of drift, promotions and shadows.
@Suite struct MonitoringPageTests {
    private func status(_ oversight: MonitoringReading) -> ServiceStatus {
        var status = ServiceStatus(
            phase: .ready, since: 1_795_000_000, time: 1_795_010_000, version: "0.0.0", pid: 7, uptimeSeconds: 10_000)
        status.oversight = oversight
        return status
    }

    private var oversight: MonitoringReading {
        get throws {
            // As another program reads it.
            try JSONDecoder().decode(
                MonitoringReading.self,
                from: Data(
                    """
                    {"drift": {"verdict": "drifting", "lines": 12000, "referenceLines": 1500, "referenceIsOwn": false,
                      "windowHours": 24, "labelIndex": 0.31, "confidenceIndex": 0.07, "maximumIndex": 0.25,
                      "unknownTokenShare": 0.012, "referenceUnknownTokenShare": 0.004,
                      "labels": [{"label": "<b>体育</b>", "reference": 0.5, "now": 0.8}]},
                     "promotion": {"version": "v3", "predecessor": "v2", "promotedAt": 1795000000,
                      "verdict": "rolled_back", "sentence": "the teacher agreed less",
                      "audits": {"asked": 100, "agreed": 60}, "predecessorAudits": {"asked": 500, "agreed": 450}},
                     "shadow": {"version": "v4", "share": 0.1, "lines": 900, "alike": 850, "broken": 0, "judged": 90,
                      "wanted": 1000, "shadowRight": 70, "studentRight": 60},
                     "shadowOutcomes": [], "runsAskedFor": 1,
                     "rollbacks": [{"from": "v3", "to": "v2", "time": 1795005000, "reason": "the teacher agreed less"}]}
                    """.utf8))
        }
    }

    @Test func thePageSaysItInWords() throws {
        let page = StatusPage.render(status(try oversight))
        for text in [
            "Drifting, compared with the 1,500 lines", "0.310", "rolled back and rejected", "60.0 % of 100",
            "90.0 % of 500", "v4, on 10.0 % of the lines", "&lt;b&gt;体育&lt;/b&gt;",
        ] { #expect(page.contains(text), "\(text)") }
        #expect(!page.contains("<b>体育"))
    }

    @Test func theTerminalSaysTheSame() throws {
        let text = StatusText(status(try oversight)).text
        #expect(text.contains("Drifting") && text.contains("rolled back and rejected"))
        #expect(text.contains("candidate: v4"))
        #expect(text.split(separator: "\n").allSatisfy { $0.count <= 80 })
    }

    /// The sentence shows that the index is above the limit, and how many lines it takes until there is one.
    @Test func driftIsSaidWithTheDigitsThatItTakes() throws {
        var oversight = try oversight
        oversight.drift.labelIndex = 0.2504
        func text(_ oversight: MonitoringReading) -> String {
            StatusText(status(oversight)).text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        }
        let drifting = text(oversight)
        #expect(drifting.contains("of labels 0.2504, of confidence 0.070; more than 0.25 is drift."), "\(drifting)")
        oversight.drift.verdict = .unknown
        oversight.drift.labelIndex = nil
        oversight.drift.lines = 300
        oversight.drift.minimumLines = 1000
        let early = text(oversight)
        #expect(
            early.contains("Too few lines for a verdict: 300 lines in the last 24 hours, of 1,000 needed."), "\(early)")
    }

    @Test func withoutItThereIsNothing() {
        let page = StatusPage.render(status(MonitoringReading()))
        #expect(!page.contains("Drift") && !page.contains("Shadow"))
    }
}
