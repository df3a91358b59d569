import Service
import Synchronization

/// Statuses with invented numbers and headlines.
enum StatusSamples {
    /// 2026-11-25 12:00 UTC.
    static let now = 1_795_608_000.0

    static func ready() -> ServiceStatus {
        var status = ServiceStatus(
            phase: .ready, since: now - 11_000, time: now, version: "1.2.3", pid: 4711, uptimeSeconds: 12_000)
        status.residentBytes = 214_000_000
        status.studentModel = ModelInfo(version: "v12", fingerprint: "9f3ab1c0d4e5f607", loadedAt: now - 9000)
        status.teacherModel = ModelInfo(version: "v3", loadedAt: now - 11_000)
        var wire = ServiceStatus.Source(name: "wire")
        (wire.lines, wire.answered, wire.refused, wire.pendingLines) = (12_345_678, 12_345_671, 7, 12)
        wire.linesPerSecond = 812.3
        var post = ServiceStatus.Source(name: "来稿")
        (post.lines, post.answered, post.linesPerSecond) = (503_112, 503_112, 46.2)
        status.sources = [wire, post]
        var answers = ServiceStatus.Sink(name: "answers")
        (answers.records, answers.bytes, answers.recordsPerSecond) = (12_848_783, 2_412_000_000, 858)
        status.sinks = [answers]
        (status.totals.lines, status.totals.answered, status.totals.refused) = (12_848_790, 12_848_783, 7)
        status.totals.linesPerSecond = 858.5
        status.teacher.deferralShare = 0.083
        status.teacher.deferralShareSinceStart = 0.0791
        (status.teacher.disagreements, status.teacher.queueLines, status.teacher.skipped) = (41_003, 48, 31)
        (status.latency.lineP50Seconds, status.latency.lineP99Seconds) = (0.0042, 0.187)
        (status.delivery.uncommittedRecords, status.delivery.checkpointLagSeconds) = (162, 0.19)
        status.pace.linesPerSecond = (0..<60).map { Double(700 + ($0 * 37) % 200) }
        status.labels = [label("体育", 6_000_000), label("财经", 4_000_000), label("society", 2_848_783)]
        status.confidence = (0..<20).map { $0 * $0 * 100 }
        status.agreement = (0..<12).map { hour in
            AgreementBucket(start: now - Double(12 - hour) * 3600, seconds: 3600, asked: 120, agreed: 115 - hour % 3)
        }
        status.disagreements = [
            disagreement("城南新馆试营业首日迎客三千", "体育", "财经"), disagreement("Harbour ferry adds late sailing", "society", "体育"),
        ]
        return status
    }

    static func label(_ name: String, _ answers: Int) -> ServiceStatus.Label {
        var label = ServiceStatus.Label(name)
        label.answers = answers
        return label
    }

    static func disagreement(_ text: String, _ student: String, _ teacher: String) -> DisagreementSummary {
        DisagreementSummary(
            text: text, source: "wire", time: now - 60, reason: "deferred", studentLabel: student,
            studentConfidence: 0.54, teacherLabel: teacher, teacherConfidence: 0.88)
    }

    /// Everything that comes from outside says `text`.
    static func hostile(_ text: String) -> ServiceStatus {
        var status = ready()
        status.message = text
        status.warnings = [text]
        status.studentModel = ModelInfo(version: text, fingerprint: text, loadedAt: 0)
        status.teacherModel = ModelInfo(version: text, fingerprint: text, loadedAt: 0)
        status.sources = [ServiceStatus.Source(name: text)]
        status.sinks = [ServiceStatus.Sink(name: text)]
        status.labels = [label(text, 3)]
        status.disagreements = [
            DisagreementSummary(
                text: text, source: text, time: now, reason: text, studentLabel: text, studentConfidence: 0.5,
                teacherLabel: text, teacherConfidence: 0.5)
        ]
        return status
    }

    /// Lines that try to break out of the page or the terminal.
    static let attacks = [
        "<script>alert('x')</script>", "\"><img src=x onerror=alert(1)>", "&lt;b&gt; & <b>", "' onmouseover='x",
        "\u{1B}[2J\u{1B}]0;title\u{7}", "a\u{202E}desrever\u{2066}x\u{200B}y\u{FEFF}",
        "zeile\r\nnext\u{2028}p\u{85}q\u{0}r",
        "</style></svg></table>", "e" + String(repeating: "\u{301}", count: 2000),
        String(repeating: "超长标题", count: 5461), String(repeating: "x", count: 65_536), "",
    ]
}

/// A clock that stands still until it is told to go on.
final class StatusClockScript: Sendable {
    private let seconds: Mutex<Double>

    init(_ start: Double) { seconds = Mutex(start) }

    var now: Double { seconds.withLock { $0 } }
    func advance(_ by: Double) { seconds.withLock { $0 += by } }

    /// The wall clock; the monotonic one began 1000 s before the first moment.
    var clock: DaemonClock {
        let start = now - 1000
        return DaemonClock(wall: { self.now }, monotonic: { self.now - start })
    }
}
