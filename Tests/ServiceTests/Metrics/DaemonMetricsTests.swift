import Dispatch
import Foundation
import Service
import Synchronization
import Testing

@Suite struct DaemonMetricsTests {
    private func value(_ metrics: DaemonMetrics, _ series: String, _ gauges: DaemonGauges = DaemonGauges()) -> Double? {
        let text = PrometheusText.render(metrics.reading(gauges).families)
        let line = text.split(separator: "\n").first { $0.hasPrefix(series + " ") }
        return line.flatMap { Double($0.dropFirst(series.count + 1)) }
    }

    @Test func countsFromSeveralThreadsAddUp() {
        let metrics = DaemonMetrics(version: "1", flaws: ["too_long"])
        let source = metrics.source("wire")
        let labels = metrics.labels(["a", "b"])
        DispatchQueue.concurrentPerform(iterations: 8) { _ in
            for _ in 0..<500 {
                var job = JobMetrics(source: source, labels: labels, flaws: 1)
                job.predictions[1] += 3
                job.flaws[0] += 1
                job.setConfidences([Int](repeating: 0, count: 19) + [1])
                metrics.record(job)
            }
        }
        #expect(value(metrics, "understudy_lines_total{source=\"wire\",result=\"answered\"}") == 12_000)
        #expect(value(metrics, "understudy_lines_refused_total{source=\"wire\",flaw=\"too_long\"}") == 4000)
        #expect(value(metrics, "understudy_predictions_total{label=\"b\"}") == 12_000)
        #expect(value(metrics, "understudy_confidence_count") == 4000)
    }

    @Test func namesGoOnCountingAfterAReload() {
        let metrics = DaemonMetrics(version: "1", flaws: [])
        let first = metrics.sink("answers")
        metrics.record(first, SinkMetrics(records: 2, bytes: 20))
        let again = metrics.sink("answers")
        #expect(first == again)
        metrics.record(again, SinkMetrics(records: 1, bytes: 10, dropped: 4))
        #expect(value(metrics, "understudy_sink_records_total{sink=\"answers\"}") == 3)
        #expect(value(metrics, "understudy_sink_dropped_total{sink=\"answers\"}") == 4)
    }

    @Test func anotherModelMayHaveItsLabelsInAnotherOrder() {
        let metrics = DaemonMetrics(version: "1", flaws: [])
        let source = metrics.source("wire")
        for (labels, index) in [(["体育", "财经"], 0), (["财经", "体育", "科技"], 1)] {
            var job = JobMetrics(source: source, labels: metrics.labels(labels), flaws: 0)
            job.predictions[index] = 5
            metrics.record(job)
        }
        #expect(value(metrics, "understudy_predictions_total{label=\"体育\"}") == 10)
        #expect(value(metrics, "understudy_predictions_total{label=\"财经\"}") == 0)
        #expect(value(metrics, "understudy_predictions_total{label=\"科技\"}") == 0)
    }

    @Test func answersAreSplitByTheModelThatGaveThem() {
        let metrics = DaemonMetrics(version: "1", flaws: [])
        var job = JobMetrics(source: metrics.source("wire"), labels: metrics.labels(["a"]), flaws: 0)
        job.predictions[0] = 10
        (job.byTeacher, job.deferred, job.audited) = (3, 4, 2)
        (job.auditAnswered, job.auditAgreed, job.deferredDisagreements, job.skippedTimeout) = (2, 1, 2, 1)
        metrics.record(job)
        #expect(value(metrics, "understudy_answers_total{by=\"student\"}") == 7)
        #expect(value(metrics, "understudy_answers_total{by=\"teacher\"}") == 3)
        #expect(value(metrics, "understudy_deferred_total{reason=\"deferred\"}") == 4)
        #expect(value(metrics, "understudy_deferred_total{reason=\"audit\"}") == 2)
        #expect(value(metrics, "understudy_disagreements_total{reason=\"audit\"}") == 1)
        #expect(value(metrics, "understudy_audits_total{result=\"agreed\"}") == 1)
        #expect(value(metrics, "understudy_teacher_skipped_total{reason=\"timeout\"}") == 1)
    }

    @Test func theCircuitCountsWhatItEnters() {
        let metrics = DaemonMetrics(version: "1", flaws: [])
        for state in [CircuitState.closed, .open, .open, .halfOpen, .open, .halfOpen, .closed] {
            metrics.setCircuit(state)
        }
        #expect(value(metrics, "understudy_teacher_circuit_state") == 0)
        #expect(value(metrics, "understudy_teacher_circuit_transitions_total{to=\"open\"}") == 2)
        #expect(value(metrics, "understudy_teacher_circuit_transitions_total{to=\"half_open\"}") == 2)
        #expect(value(metrics, "understudy_teacher_circuit_transitions_total{to=\"closed\"}") == 1)
    }

    @Test func modelsAndLifeAreTold() {
        let metrics = DaemonMetrics(version: "1", flaws: [])
        metrics.setModels(student: ModelInfo(version: "v1", loadedAt: 0), teacher: nil)
        metrics.recordSwap(
            student: ModelInfo(version: "v2", fingerprint: "abc", loadedAt: 0),
            teacher: ModelInfo(version: "t", loadedAt: 0))
        metrics.recordFailedSwap()
        metrics.recordReload(succeeded: false)
        metrics.recordCommit(seconds: 0.002, succeeded: true)
        metrics.recordTeacherPass(lines: 32, seconds: 0.2)
        metrics.recordDelivery(lines: 10, seconds: 0.004)
        #expect(
            value(metrics, "understudy_model_info{role=\"student\",version=\"v2\",fingerprint=\"abc\"}") == 1)
        #expect(value(metrics, "understudy_model_info{role=\"teacher\",version=\"t\",fingerprint=\"\"}") == 1)
        #expect(value(metrics, "understudy_model_info{role=\"student\",version=\"v1\",fingerprint=\"\"}") == nil)
        #expect(value(metrics, "understudy_model_swaps_total{result=\"ok\"}") == 1)
        #expect(value(metrics, "understudy_model_swaps_total{result=\"failed\"}") == 1)
        #expect(value(metrics, "understudy_reloads_total{result=\"failed\"}") == 1)
        #expect(value(metrics, "understudy_commits_total{result=\"ok\"}") == 1)
        #expect(value(metrics, "understudy_line_latency_seconds_bucket{le=\"0.005\"}") == 10)
        #expect((value(metrics, "process_resident_memory_bytes") ?? 0) > 1_000_000)
        #expect((value(metrics, "process_open_fds") ?? 0) >= 1)
    }

    /// A scrape sees whether the configuration on the disk is the one in force, and since when.
    @Test func theLastReloadIsTold() {
        let time = Mutex(1000.0)
        let clock = DaemonClock(wall: { time.withLock { $0 } }, monotonic: { 0 })
        let metrics = DaemonMetrics(version: "1", flaws: [], clock: clock)
        let (flag, moment) = (
            "understudy_last_reload_successful", "understudy_last_reload_success_timestamp_seconds"
        )
        #expect(value(metrics, flag) == 1 && value(metrics, moment) == 1000)
        time.withLock { $0 = 2000 }
        metrics.recordReload(succeeded: false)
        #expect(value(metrics, flag) == 0 && value(metrics, moment) == 1000)
        time.withLock { $0 = 3000 }
        metrics.recordReload(succeeded: true)
        #expect(value(metrics, flag) == 1 && value(metrics, moment) == 3000)
    }

    @Test func fingerprintsAreToldByTheirBeginning() {
        let metrics = DaemonMetrics(version: "1", flaws: [])
        let whole = String(repeating: "0123456789abcdef", count: 4)
        metrics.setModels(student: ModelInfo(version: "v1", fingerprint: whole, loadedAt: 0), teacher: nil)
        let name = "understudy_model_info{role=\"student\",version=\"v1\",fingerprint=\"0123456789ab\"}"
        #expect(value(metrics, name) == 1)
    }

    @Test func gaugesAreOfTheMoment() {
        let metrics = DaemonMetrics(version: "1", flaws: [])
        _ = metrics.source("wire")
        _ = metrics.source("drops")
        var gauges = DaemonGauges()
        gauges.pendingLines = ["wire": 12, "gone": 3]
        gauges.checkpointLagSeconds = 0.25
        #expect(value(metrics, "understudy_pending_lines{source=\"wire\"}", gauges) == 12)
        #expect(value(metrics, "understudy_pending_lines{source=\"drops\"}", gauges) == 0)
        #expect(value(metrics, "understudy_pending_lines{source=\"gone\"}", gauges) == nil)
        #expect(value(metrics, "understudy_checkpoint_lag_seconds", gauges) == 0.25)
    }
}
