import Glibc

extension ServiceStatus {
    /// The status that a reading of the metrics gives, with warnings about what the numbers show.
    ///
    /// The caller knows the rest: the phase, the latest disagreements, further warnings, and where the disagreement log
    /// goes back further than this process, the agreement by hours.
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

    /// Without the step that still grows, and without steps before the start.
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
