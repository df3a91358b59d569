import Foundation
import Service
import Testing

@Suite struct ServiceStatusTests {
    @Test func comesOutOfAReading() {
        let script = StatusClockScript(1_795_608_000)
        let metrics = DaemonMetrics(version: "1.2.3", flaws: ["too_long"], clock: script.clock)
        let source = metrics.source("wire")
        for _ in 0..<120 {
            var job = JobMetrics(source: source, labels: metrics.labels(["体育", "财经"]), flaws: 1)
            job.predictions = [2, 6]
            (job.flaws[0], job.blank, job.deferred, job.byTeacher) = (1, 1, 2, 1)
            (job.auditAnswered, job.auditAgreed, job.deferredDisagreements) = (2, 1, 1)
            metrics.record(job)
            metrics.record(metrics.sink("answers"), SinkMetrics(records: 8, bytes: 80))
            script.advance(1)
        }
        var gauges = DaemonGauges()
        gauges.pendingLines = ["wire": 3]
        let status = ServiceStatus(metrics.reading(gauges), phase: .ready, since: 1_795_608_000)
        #expect(status.uptimeSeconds == 120)
        #expect(status.sources[0].lines == 1200)
        #expect(status.sources[0].linesPerSecond == 10)
        #expect(status.sources[0].pendingLines == 3)
        #expect(status.sinks[0].recordsPerSecond == 8)
        #expect(status.totals.answered == 960)
        #expect(status.totals.refused == 120)
        #expect(status.totals.linesPerSecond == 10)
        #expect(status.teacher.deferralShare == 0.25)
        #expect(status.teacher.deferralShareSinceStart == 0.25)
        #expect(status.teacher.disagreements == 240)
        #expect(status.labels.map(\.label) == ["财经", "体育"])
        #expect(status.pace.linesPerSecond == [Double](repeating: 10, count: 12))
        #expect(AgreementTrend.total(status.agreement).asked == 240)
        #expect(status.agreement.last?.agreed ?? 0 > 0)
        script.advance(600)
        let later = ServiceStatus(metrics.reading(), phase: .ready, since: 0)
        #expect(later.totals.linesPerSecond == 0)
        #expect(later.teacher.deferralShare == nil)
        #expect(later.totals.lines == 1200)
    }

    @Test func hoursOfAgreementAreKeptApart() {
        let script = StatusClockScript(3600 * 1000)
        let metrics = DaemonMetrics(version: "1", flaws: [], clock: script.clock)
        var job = JobMetrics(source: metrics.source("wire"), labels: metrics.labels(["a"]), flaws: 0)
        for agreed in [10, 8, 6] {
            (job.auditAnswered, job.auditAgreed) = (10, agreed)
            metrics.record(job)
            script.advance(2 * 3600)
        }
        let status = ServiceStatus(metrics.reading(), phase: .ready, since: 0)
        #expect(status.agreement.map(\.agreed) == [10, 8, 6])
        #expect(status.agreement.map(\.start) == [1000, 1002, 1004].map { $0 * 3600 })
    }

    @Test func survivesJSON() throws {
        for status in [StatusSamples.ready(), StatusSamples.hostile("\u{0}<&\u{2028}\"\\体育")] {
            let json = try status.json()
            #expect(try ServiceStatus(json: json) == status)
        }
    }

    @Test func jsonHasSortedSnakeCaseKeys() throws {
        let json = String(decoding: try StatusSamples.ready().json(), as: UTF8.self)
        #expect(json.contains("\"lines_per_second\" : 858.5"))
        #expect(json.contains("\"circuit\" : \"closed\""))
        let keys = json.split(separator: "\n").filter { $0.hasPrefix("  \"") }.map { $0.split(separator: "\"")[1] }
        #expect(keys.count > 15)
        #expect(keys == keys.sorted())
    }

    /// Values from SciPy, `binomtest(agreed, asked).proportion_ci(0.95, "wilson")`.
    @Test(arguments: [
        (8, 10, 0.490162, 0.943318), (0, 10, 0, 0.277533), (10, 10, 0.722467, 1), (950, 1000, 0.934686, 0.961870),
    ])
    func intervalIsWilsons(agreed: Int, asked: Int, low: Double, high: Double) {
        let interval = AgreementBucket(start: 0, seconds: 3600, asked: asked, agreed: agreed).interval
        #expect(abs(interval.lowerBound - low) < 1e-5)
        #expect(abs(interval.upperBound - high) < 1e-5)
    }

    @Test func nothingAskedSaysNothing() {
        let bucket = AgreementBucket(start: 0, seconds: 3600, asked: 0, agreed: 0)
        #expect(bucket.interval == 0...1)
        #expect(bucket.share == nil)
    }

    @Test func aFallIsSeenAndChanceIsNot() {
        func trend(_ earlier: Int, _ recent: Int, asked: Int) -> AgreementTrend {
            let buckets = (0..<24).map { hour in
                AgreementBucket(
                    start: Double(hour) * 3600, seconds: 3600, asked: asked, agreed: hour < 18 ? earlier : recent)
            }
            return AgreementTrend(buckets, now: 24 * 3600)
        }
        #expect(trend(96, 88, asked: 100) == .falling)
        #expect(trend(96, 95, asked: 100) == .steady)
        #expect(trend(88, 96, asked: 100) == .steady)
        #expect(trend(3, 0, asked: 3) == .unknown)
        #expect(AgreementTrend([], now: 0) == .unknown)
    }

    @Test func numbersThatNeedSomebodyBecomeWarnings() {
        let metrics = DaemonMetrics(version: "1", flaws: [])
        metrics.record(metrics.sink("answers"), SinkMetrics(dropped: 60))
        metrics.setCircuit(.open)
        var gauges = DaemonGauges()
        gauges.checkpointLagSeconds = 42
        let status = ServiceStatus(metrics.reading(gauges), phase: .ready, since: 0, warnings: ["The disk is full."])
        #expect(status.warnings.count == 4)
        #expect(status.warnings.first == "The disk is full.")
        for word in ["42 s", "teacher", "answers"] { #expect(status.warnings.contains { $0.contains(word) }) }
        #expect(ServiceStatus(metrics.reading(), phase: .ready, since: 0).warnings.count == 2)
    }
}
