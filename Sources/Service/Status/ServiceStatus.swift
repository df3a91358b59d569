import Diagnostics
import Foundation
import Glibc

/// The state of the daemon at one moment, as shown by `/status`, the page and `understudy status`.
///
/// Times are seconds since 1970, rates are of the last minute, counts are since the start.
public struct ServiceStatus: Sendable, Equatable, Codable {
    public struct Source: Sendable, Equatable, Codable {
        public var name: String
        public var lines = 0
        public var answered = 0
        public var blank = 0
        public var refused = 0
        public var dead = 0
        public var bytes = 0
        public var pendingLines = 0
        public var linesPerSecond = 0.0
    }

    public struct Sink: Sendable, Equatable, Codable {
        public var name: String
        public var records = 0
        public var bytes = 0
        public var dropped = 0
        public var recordsPerSecond = 0.0
        public var droppedPerSecond = 0.0
    }

    public struct Label: Sendable, Equatable, Codable {
        public var label: String
        public var answers = 0
    }

    public struct Totals: Sendable, Equatable, Codable {
        public var lines = 0
        public var answered = 0
        public var refused = 0
        public var dropped = 0
        public var linesPerSecond = 0.0
    }

    public struct Teacher: Sendable, Equatable, Codable {
        public var circuit = CircuitState.closed
        /// The share of answered lines deferred in the last minute; nil if there were none.
        public var deferralShare: Double?
        /// The share since the start.
        public var deferralShareSinceStart: Double?
        public var deferred = 0
        public var audited = 0
        /// Deferred lines that it did not answer.
        public var skipped = 0
        public var disagreements = 0
        /// Answers with its label.
        public var answers = 0
        public var queueLines = 0
    }

    public struct Latency: Sendable, Equatable, Codable {
        /// Time from reading a line to delivering its answer to the sinks; nil before the first.
        public var lineP50Seconds: Double?
        public var lineP99Seconds: Double?
        public var studentBatchP50Seconds: Double?
        public var teacherPassP50Seconds: Double?
    }

    public struct Delivery: Sendable, Equatable, Codable {
        public var jobsInFlight = 0
        public var uncommittedRecords = 0
        /// Oldest uncommitted record uncommitted answer.
        public var checkpointLagSeconds = 0.0
        public var failedCommits = 0
    }

    /// Lines per second in the last minutes, oldest first.
    public struct Pace: Sendable, Equatable, Codable {
        public var stepSeconds = 10.0
        public var linesPerSecond: [Double] = []
    }

    public var phase: ServicePhase
    /// Start of the phase.
    public var since: Double
    /// One sentence about the phase; may be empty.
    public var message: String
    public var time: Double
    public var version: String
    public var pid: Int
    public var uptimeSeconds: Double
    public var residentBytes = 0
    public var studentModel: ModelInfo?
    public var teacherModel: ModelInfo?
    public var totals = Totals()
    public var sources: [Source] = []
    public var sinks: [Sink] = []
    public var teacher = Teacher()
    public var latency = Latency()
    public var delivery = Delivery()
    public var pace = Pace()
    /// Most frequent first.
    public var labels: [Label] = []
    /// Histogram of the student's confidences, in equal bins from 0 to 1.
    public var confidence: [Int] = []
    /// Agreement by hour, oldest first; hours without an audit are left out.
    public var agreement: [AgreementBucket] = []
    /// Newest first.
    public var disagreements: [DisagreementSummary] = []
    /// Drift and promotions; nil from a daemon that doesn't report them.
    public var oversight: MonitoringReading?
    /// Sentences about problems that need attention; empty if there are none.
    public var warnings: [String] = []

    public init(
        phase: ServicePhase, since: Double, message: String = "", time: Double, version: String, pid: Int,
        uptimeSeconds: Double
    ) {
        self.phase = phase
        self.since = since
        self.message = message
        self.time = time
        self.version = version
        self.pid = pid
        self.uptimeSeconds = uptimeSeconds
    }

    /// Compares the recent hours with the earlier ones.
    public var trend: AgreementTrend { AgreementTrend(agreement, now: time) }
}

// In extensions, so that the memberwise initialisers are kept.
extension ServiceStatus.Source {
    public init(name: String) { self.name = name }
}

extension ServiceStatus.Sink {
    public init(name: String) { self.name = name }
}

extension ServiceStatus.Label {
    public init(_ label: String) { self.label = label }
}

extension ServiceStatus {
    /// Builds a status from a reading of the metrics, with warnings derived from the numbers.
    ///
    /// The caller supplies the rest: the phase, the latest disagreements, further warnings, and the agreement by hour
    /// if the disagreement log goes back further than this process.
    public init(
        _ reading: MetricsReading, phase: ServicePhase, since: Double, message: String = "",
        disagreements: [DisagreementSummary] = [], warnings: [String] = [], agreement: [AgreementBucket]? = nil
    ) {
        let state = reading.state
        self.init(
            phase: phase, since: since, message: message, time: reading.wall, version: reading.version,
            pid: Int(getpid()), uptimeSeconds: reading.uptimeSeconds)
        residentBytes = reading.process.residentBytes
        studentModel = state.student
        teacherModel = state.teacher
        sources = state.sources.map { source in
            Source(
                name: source.name, lines: source.lines, answered: source.answered, blank: source.blank,
                refused: source.flaws.reduce(0, +), dead: source.dead, bytes: source.bytes,
                pendingLines: reading.gauges.pendingLines[source.name] ?? 0,
                linesPerSecond: reading.rate(source.pace))
        }
        sinks = state.sinks.map { sink in
            Sink(
                name: sink.name, records: sink.totals.records, bytes: sink.totals.bytes, dropped: sink.totals.dropped,
                recordsPerSecond: reading.rate(sink.pace), droppedPerSecond: reading.rate(sink.droppedPace))
        }
        totals = Totals(
            lines: sources.reduce(0) { $0 + $1.lines }, answered: sources.reduce(0) { $0 + $1.answered },
            refused: sources.reduce(0) { $0 + $1.refused }, dropped: sinks.reduce(0) { $0 + $1.dropped },
            linesPerSecond: reading.linesPerSecond)
        teacher = Teacher(
            circuit: state.circuit, deferralShare: reading.deferralShare,
            deferralShareSinceStart: totals.answered > 0 ? Double(state.deferred) / Double(totals.answered) : nil,
            deferred: state.deferred, audited: state.audited,
            skipped: state.skippedFull + state.skippedBroken + state.skippedTimeout,
            disagreements: state.deferredDisagreements + state.auditAnswered - state.auditAgreed,
            answers: state.byTeacher, queueLines: reading.gauges.teacherQueueLines)
        latency = Latency(
            lineP50Seconds: state.lineLatency.quantile(0.5), lineP99Seconds: state.lineLatency.quantile(0.99),
            studentBatchP50Seconds: state.studentSeconds.quantile(0.5),
            teacherPassP50Seconds: state.teacherSeconds.quantile(0.5))
        delivery = Delivery(
            jobsInFlight: reading.gauges.jobsInFlight, uncommittedRecords: reading.gauges.uncommittedRecords,
            checkpointLagSeconds: reading.gauges.checkpointLagSeconds, failedCommits: state.failedCommits)
        pace = Self.pace(reading)
        labels = zip(state.labels, state.predictions).map { Label(label: $0, answers: $1) }
            .sorted { ($0.answers, $1.label) > ($1.answers, $0.label) }
        confidence = Array(state.confidence.counts.dropLast())
        self.agreement = agreement ?? Self.agreement(reading)
        self.disagreements = disagreements
        self.warnings = warnings + StatusWarnings.about(self)
    }

    /// Without the current, incomplete step, and without steps before the start.
    private static func pace(_ reading: MetricsReading) -> Pace {
        let recent = reading.state.recentLines
        let full = recent.values(at: reading.monotonic).dropLast()
        let steps = min(full.count, Int((reading.uptimeSeconds / recent.seconds).rounded(.down)))
        return Pace(
            stepSeconds: recent.seconds, linesPerSecond: full.suffix(steps).map { Double($0) / recent.seconds })
    }

    static func agreement(_ reading: MetricsReading) -> [AgreementBucket] {
        let asked = reading.state.auditAnsweredByHour
        let agreed = reading.state.auditAgreedByHour.values(at: reading.wall)
        let counts = asked.values(at: reading.wall)
        let current = (reading.wall / asked.seconds).rounded(.down) * asked.seconds
        return counts.indices.compactMap { index in
            guard counts[index] > 0 else { return nil }
            return AgreementBucket(
                start: current - Double(counts.count - 1 - index) * asked.seconds, seconds: asked.seconds,
                asked: counts[index], agreed: agreed[index])
        }
    }
}

extension ServiceStatus {
    /// Encodes the status as JSON with sorted snake_case keys and a final line end.
    public func json() throws(UnderstudyError) -> Data {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        do {
            return try encoder.encode(self) + Data("\n".utf8)
        } catch {
            throw UnderstudyError(.internalFailure, "the status can't be written as JSON: \(error)")
        }
    }

    /// Decodes the output of `json()`. Errors have no place.
    public init(json: Data) throws(UnderstudyError) {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        do {
            self = try decoder.decode(ServiceStatus.self, from: json)
        } catch {
            throw UnderstudyError(
                .invalidData, "the response isn't a status of this version of understudy; is it another program?")
        }
    }
}

/// The phase of the daemon.
public enum ServicePhase: String, Sendable, Codable, CaseIterable {
    /// Models are loaded and warmed up; sources aren't read yet.
    case starting
    /// Lines are read and answered.
    case ready
    /// Lines are answered while the configuration or a model is replaced.
    case reloading
    /// Reading has stopped; lines already read are answered.
    case draining
    /// The work has stopped and will not resume by itself.
    case failed
}

/// A line with different labels of the two models, as the status shows it.
public struct DisagreementSummary: Sendable, Equatable, Codable {
    /// A long text may be shortened.
    public var text: String
    public var source: String
    /// Seconds since 1970.
    public var time: Double
    /// `deferred` or `audit`.
    public var reason: String
    public var studentLabel: String
    public var studentConfidence: Double
    public var teacherLabel: String
    public var teacherConfidence: Double

    public init(
        text: String, source: String, time: Double, reason: String, studentLabel: String, studentConfidence: Double,
        teacherLabel: String, teacherConfidence: Double
    ) {
        self.text = text
        self.source = source
        self.time = time
        self.reason = reason
        self.studentLabel = studentLabel
        self.studentConfidence = studentConfidence
        self.teacherLabel = teacherLabel
        self.teacherConfidence = teacherConfidence
    }
}
