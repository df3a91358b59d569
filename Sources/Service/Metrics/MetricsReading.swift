import Glibc

/// A snapshot of the counters, with the gauges and the figures of the process.
public struct MetricsReading: Sendable {
    let state: MetricsState
    public var gauges: DaemonGauges
    public var process: ProcessFigures
    let version: String
    let flaws: [String]
    let startedAt: Double
    let startedMonotonic: Double
    let wall: Double
    let monotonic: Double

    public var uptimeSeconds: Double { max(0, monotonic - startedMonotonic) }

    /// Lines of all sources per second, over the last minute.
    public var linesPerSecond: Double {
        state.sources.reduce(0) { $0 + rate($1.pace) }
    }

    /// The share of the lines answered in the last minute that were deferred; nil if there were none.
    public var deferralShare: Double? {
        let answered = rate(state.answeredPace)
        return answered > 0 ? min(1, rate(state.deferredPace) / answered) : nil
    }

    func rate(_ pace: TimeBuckets) -> Double {
        pace.rate(at: monotonic, since: startedMonotonic)
    }
}

/// The contents of `/metrics`. Names follow Prometheus' conventions: base units, `_total` for counters, plural nouns.
extension MetricsReading {
    /// All metrics, in the order in which a line passes through the daemon.
    public var families: [MetricFamily] {
        lineFamilies + answerFamilies + teacherFamilies + latencyFamilies + deliveryFamilies + lifeFamilies
            + processFamilies
    }

    private var lineFamilies: [MetricFamily] {
        var lines = MetricFamily(
            .counter, "understudy_lines_total", "Lines read, by source and result.")
        var refused = MetricFamily(
            .counter, "understudy_lines_refused_total", "Lines that can't be classified, by source and flaw.")
        var dead = MetricFamily(
            .counter, "understudy_dead_letters_total", "Refused lines written to the dead-letter sink, by source.")
        var bytes = MetricFamily(
            .counter, "understudy_source_bytes_total", "Bytes of the lines read, line ends included, by source.")
        var pending = MetricFamily(
            .gauge, "understudy_pending_lines", "Lines read and not yet answered, by source.")
        for source in state.sources {
            let name = ("source", source.name)
            lines.add(source.answered, name, ("result", "answered"))
            lines.add(source.blank, name, ("result", "blank"))
            lines.add(source.flaws.reduce(0, +), name, ("result", "refused"))
            for (kind, count) in source.flaws.enumerated() { refused.add(count, name, ("flaw", flaws[kind])) }
            dead.add(source.dead, name)
            bytes.add(source.bytes, name)
            pending.add(gauges.pendingLines[source.name] ?? 0, name)
        }
        return [lines, refused, dead, bytes, pending]
    }

    private var answerFamilies: [MetricFamily] {
        var predictions = MetricFamily(.counter, "understudy_predictions_total", "Answers, by label.")
        for (label, count) in zip(state.labels, state.predictions) { predictions.add(count, ("label", label)) }
        let answered = state.sources.reduce(0) { $0 + $1.answered }
        var answers = MetricFamily(
            .counter, "understudy_answers_total", "Answers, by the model whose label they carry.")
        answers.add(answered - state.byTeacher, ("by", "student"))
        answers.add(state.byTeacher, ("by", "teacher"))
        var confidence = MetricFamily(
            .histogram, "understudy_confidence", "The student's confidence in its label, 0 to 1.")
        confidence.add(state.confidence)
        return [predictions, answers, confidence]
    }

    private var teacherFamilies: [MetricFamily] {
        var deferred = MetricFamily(
            .counter, "understudy_deferred_total",
            "Lines to be sent to the teacher: the student was unsure (deferred), or the line is an audit (audit).")
        deferred.add(state.deferred, ("reason", "deferred"))
        deferred.add(state.audited, ("reason", "audit"))
        var skipped = MetricFamily(
            .counter, "understudy_teacher_skipped_total", "Lines to be sent to the teacher that it didn't answer.")
        skipped.add(state.skippedFull, ("reason", "full"))
        skipped.add(state.skippedBroken, ("reason", "broken"))
        skipped.add(state.skippedTimeout, ("reason", "timeout"))
        var disagreements = MetricFamily(
            .counter, "understudy_disagreements_total",
            "Lines for which the teacher gave another label than the student.")
        disagreements.add(state.deferredDisagreements, ("reason", "deferred"))
        disagreements.add(state.auditAnswered - state.auditAgreed, ("reason", "audit"))
        var audits = MetricFamily(
            .counter, "understudy_audits_total", "Audited lines that the teacher answered, by result.")
        audits.add(state.auditAgreed, ("result", "agreed"))
        audits.add(state.auditAnswered - state.auditAgreed, ("result", "disagreed"))
        var queue = MetricFamily(.gauge, "understudy_teacher_queue_lines", "Lines that wait for the teacher.")
        queue.add(gauges.teacherQueueLines)
        var circuit = MetricFamily(
            .gauge, "understudy_teacher_circuit_state",
            "State of the teacher's circuit breaker: 0 closed (the teacher is used), 1 half open, 2 open.")
        circuit.add(state.circuit.number)
        var transitions = MetricFamily(
            .counter, "understudy_teacher_circuit_transitions_total", "Times the circuit breaker entered a state.")
        for to in CircuitState.allCases { transitions.add(state.transitions[to.number], ("to", to.rawValue)) }
        return [deferred, skipped, disagreements, audits, queue, circuit, transitions]
    }

    private var latencyFamilies: [MetricFamily] {
        [
            histogram("understudy_student_batch_lines", "Lines in a pass of the student.", state.studentBatchLines),
            histogram("understudy_student_batch_seconds", "Duration of a pass of the student.", state.studentSeconds),
            histogram("understudy_teacher_batch_lines", "Lines in a pass of the teacher.", state.teacherBatchLines),
            histogram("understudy_teacher_pass_seconds", "Duration of a pass of the teacher.", state.teacherSeconds),
            histogram(
                "understudy_line_latency_seconds", "Time from reading a line to delivering its answer.",
                state.lineLatency),
            gauge("understudy_jobs_in_flight", "Jobs that were started and are not yet written.", gauges.jobsInFlight),
        ]
    }

    private var deliveryFamilies: [MetricFamily] {
        var records = MetricFamily(.counter, "understudy_sink_records_total", "Records written, by sink.")
        var bytes = MetricFamily(.counter, "understudy_sink_bytes_total", "Bytes written, by sink.")
        var dropped = MetricFamily(
            .counter, "understudy_sink_dropped_total", "Records dropped because the sink was full, by sink.")
        for sink in state.sinks {
            records.add(sink.totals.records, ("sink", sink.name))
            bytes.add(sink.totals.bytes, ("sink", sink.name))
            dropped.add(sink.totals.dropped, ("sink", sink.name))
        }
        var commits = MetricFamily(
            .counter, "understudy_commits_total", "Commits of offsets, sink lengths and disagreements, by result.")
        commits.add(state.commits, ("result", "ok"))
        commits.add(state.failedCommits, ("result", "failed"))
        var lag = MetricFamily(
            .gauge, "understudy_checkpoint_lag_seconds",
            "Age of the oldest record that no commit covers; 0 if there is none.")
        lag.add(gauges.checkpointLagSeconds)
        return [
            records, bytes, dropped, commits,
            histogram("understudy_commit_seconds", "Duration of a commit.", state.commitSeconds),
            gauge(
                "understudy_uncommitted_records", "Records written that no commit covers.", gauges.uncommittedRecords),
            lag,
        ]
    }

    private var lifeFamilies: [MetricFamily] {
        var models = MetricFamily(
            .gauge, "understudy_model_info",
            "The models that answer, with the first 12 digits of the fingerprints of their files; always 1.")
        for (role, model) in [("student", state.student), ("teacher", state.teacher)] {
            guard let model else { continue }
            models.add(1, ("role", role), ("version", model.version), ("fingerprint", model.shortFingerprint))
        }
        var swaps = MetricFamily(.counter, "understudy_model_swaps_total", "Changes of models, by result.")
        swaps.add(state.swaps, ("result", "ok"))
        swaps.add(state.failedSwaps, ("result", "failed"))
        var reloads = MetricFamily(.counter, "understudy_reloads_total", "Reloads of the configuration, by result.")
        reloads.add(state.reloads, ("result", "ok"))
        reloads.add(state.failedReloads, ("result", "failed"))
        var build = MetricFamily(.gauge, "understudy_build_info", "The program's version; always 1.")
        build.add(1, ("version", version))
        var isReloaded = MetricFamily(
            .gauge, "understudy_last_reload_successful",
            "Whether the last reload of the configuration succeeded: 1 or 0; 1 before the first.")
        isReloaded.add(state.lastReloadSucceeded ? 1 : 0)
        var reloadedAt = MetricFamily(
            .gauge, "understudy_last_reload_success_timestamp_seconds",
            "When a configuration was last loaded, including at the start, in seconds since the Unix epoch.")
        reloadedAt.add(state.lastReloadSuccess ?? startedAt)
        return [models, swaps, reloads, isReloaded, reloadedAt, build]
    }

    /// Under the standard names of Prometheus' client libraries.
    private var processFamilies: [MetricFamily] {
        var start = MetricFamily(
            .gauge, "process_start_time_seconds", "Start time of the process since the Unix epoch, in seconds.")
        start.add(startedAt)
        var cpu = MetricFamily(
            .counter, "process_cpu_seconds_total", "User and system CPU time spent by the process, in seconds.")
        cpu.add(process.cpuSeconds)
        return [
            start, cpu,
            gauge("process_resident_memory_bytes", "Resident memory of the process.", process.residentBytes),
            gauge("process_open_fds", "Open file descriptors.", process.openDescriptors),
            gauge("process_max_fds", "Maximum number of open file descriptors.", process.maximumDescriptors),
        ]
    }

    private func histogram(_ name: String, _ help: String, _ values: Histogram) -> MetricFamily {
        var family = MetricFamily(.histogram, name, help)
        family.add(values)
        return family
    }

    private func gauge(_ name: String, _ help: String, _ value: Int) -> MetricFamily {
        var family = MetricFamily(.gauge, name, help)
        family.add(value)
        return family
    }
}

/// Queue lengths and lags at one moment. The daemon reads them on request, so they cost nothing otherwise.
public struct DaemonGauges: Sendable, Equatable {
    /// Lines read and not yet answered, by source.
    public var pendingLines: [String: Int] = [:]
    public var jobsInFlight = 0
    /// Lines in the teacher's queue.
    public var teacherQueueLines = 0
    /// Records written and not yet committed.
    public var uncommittedRecords = 0
    /// Oldest uncommitted record uncommitted record; 0 if there is none.
    public var checkpointLagSeconds = 0.0

    public init() {}
}

/// Figures of this process, read from /proc on request.
public struct ProcessFigures: Sendable, Equatable {
    public var residentBytes: Int
    /// User and kernel mode together.
    public var cpuSeconds: Double
    public var openDescriptors: Int
    public var maximumDescriptors: Int

    /// A value that can't be read is 0.
    public static func current() -> ProcessFigures {
        var usage = rusage()
        getrusage(RUSAGE_SELF.rawValue, &usage)
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        return ProcessFigures(
            residentBytes: residentPages() * sysconf(Int32(_SC_PAGESIZE)),
            cpuSeconds: seconds(usage.ru_utime) + seconds(usage.ru_stime), openDescriptors: descriptors(),
            maximumDescriptors: Int(clamping: limit.rlim_cur))
    }

    private static func seconds(_ time: timeval) -> Double {
        Double(time.tv_sec) + Double(time.tv_usec) / 1e6
    }

    /// The second field of /proc/self/statm.
    private static func residentPages() -> Int {
        let descriptor = open("/proc/self/statm", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return 0 }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 256)
        let length = read(descriptor, &bytes, bytes.count)
        guard length > 0 else { return 0 }
        let fields = bytes[..<length].split(separator: UInt8(ascii: " "))
        guard fields.count > 1 else { return 0 }
        return Int(String(decoding: fields[1], as: UTF8.self)) ?? 0
    }

    /// The number of entries of /proc/self/fd, without ".", ".." and the descriptor used for reading it.
    private static func descriptors() -> Int {
        guard let folder = opendir("/proc/self/fd") else { return 0 }
        defer { closedir(folder) }
        var count = 0
        while readdir(folder) != nil { count += 1 }
        return max(0, count - 3)
    }
}
