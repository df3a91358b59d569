import Glibc
import Synchronization

/// The daemon's counters. Thread-safe, with one lock that is taken once per job and not per line.
///
/// Once all names are registered, recording allocates nothing, apart from one copy while a reading is retained. There
/// is no timer: rates and ages are computed on reading.
public final class DaemonMetrics: Sendable {
    public struct SourceID: Sendable, Equatable {
        let index: Int
    }

    public struct SinkID: Sendable, Equatable {
        let index: Int
    }

    /// The labels of a model in its order, and the indices of their counters.
    public struct LabelSet: Sendable, Equatable {
        let slots: [Int]

        public var count: Int { slots.count }
    }

    /// Version of the program.
    public let version: String
    /// Names of the flaws, in the order of `JobMetrics.flaws`.
    public let flaws: [String]
    let clock: DaemonClock
    let startedAt: Double
    let startedMonotonic: Double
    private let state = Mutex(MetricsState())

    public init(version: String, flaws: [String], clock: DaemonClock = .system) {
        self.version = version
        self.flaws = flaws
        self.clock = clock
        startedAt = clock.wall()
        startedMonotonic = clock.monotonic()
    }

    // MARK: Names

    /// Returns the counters of a source. A known name, for example after a reload, keeps its counts.
    public func source(_ name: String) -> SourceID {
        state.withLock { state in
            if let index = state.sources.firstIndex(where: { $0.name == name }) { return SourceID(index: index) }
            state.sources.append(MetricsState.Source(name: name, flaws: [Int](repeating: 0, count: flaws.count)))
            return SourceID(index: state.sources.count - 1)
        }
    }

    /// Returns the counters of a sink; see `source(_:)`.
    public func sink(_ name: String) -> SinkID {
        state.withLock { state in
            if let index = state.sinks.firstIndex(where: { $0.name == name }) { return SinkID(index: index) }
            state.sinks.append(MetricsState.Sink(name: name))
            return SinkID(index: state.sinks.count - 1)
        }
    }

    /// Returns the counters of a model's labels. Models may have different orders.
    public func labels(_ names: [String]) -> LabelSet {
        state.withLock { state in
            LabelSet(
                slots: names.map { name in
                    if let slot = state.labels.firstIndex(of: name) { return slot }
                    state.labels.append(name)
                    state.predictions.append(0)
                    return state.labels.count - 1
                })
        }
    }

    // MARK: Counting

    /// Counts a finished job.
    public func record(_ job: JobMetrics) {
        let now = clock.monotonic()
        let hour = clock.wall()
        let answered = job.answered
        let lines = job.lines
        state.withLock { state in
            let index = job.source.index
            state.sources[index].lines += lines
            state.sources[index].answered += answered
            state.sources[index].blank += job.blank
            for kind in job.flaws.indices { state.sources[index].flaws[kind] += job.flaws[kind] }
            state.sources[index].dead += job.dead
            state.sources[index].bytes += job.bytes
            state.sources[index].pace.add(lines, at: now)
            for label in job.predictions.indices {
                state.predictions[job.labels.slots[label]] += job.predictions[label]
            }
            state.byTeacher += job.byTeacher
            state.deferred += job.deferred
            state.audited += job.audited
            state.skippedFull += job.skippedFull
            state.skippedBroken += job.skippedBroken
            state.skippedTimeout += job.skippedTimeout
            state.deferredDisagreements += job.deferredDisagreements
            state.auditAnswered += job.auditAnswered
            state.auditAgreed += job.auditAgreed
            if job.studentLines > 0 {
                state.studentBatchLines.add(Double(job.studentLines))
                state.studentSeconds.add(job.studentSeconds)
            }
            state.confidence.add(counts: job.confidences, sum: job.confidenceSum)
            state.answeredPace.add(answered, at: now)
            state.deferredPace.add(job.deferred, at: now)
            state.recentLines.add(lines, at: now)
            if job.auditAnswered > 0 {
                state.auditAnsweredByHour.add(job.auditAnswered, at: hour)
                state.auditAgreedByHour.add(job.auditAgreed, at: hour)
            }
        }
    }

    /// Counts a pass of the teacher over `lines` lines.
    public func recordTeacherPass(lines: Int, seconds: Double) {
        state.withLock { state in
            state.teacherBatchLines.add(Double(lines))
            state.teacherSeconds.add(seconds)
        }
    }

    /// Counts `lines` lines that reached a sink `seconds` after they were read.
    public func recordDelivery(lines: Int, seconds: Double) {
        state.withLock { $0.lineLatency.add(seconds, times: lines) }
    }

    /// Counts a sink's activity since its last record.
    public func record(_ sink: SinkID, _ metrics: SinkMetrics) {
        let now = clock.monotonic()
        state.withLock { state in
            state.sinks[sink.index].totals.records += metrics.records
            state.sinks[sink.index].totals.bytes += metrics.bytes
            state.sinks[sink.index].totals.dropped += metrics.dropped
            state.sinks[sink.index].pace.add(metrics.records, at: now)
            state.sinks[sink.index].droppedPace.add(metrics.dropped, at: now)
        }
    }

    public func recordCommit(seconds: Double, succeeded: Bool) {
        state.withLock { state in
            if succeeded { state.commits += 1 } else { state.failedCommits += 1 }
            state.commitSeconds.add(seconds)
        }
    }

    public func recordReload(succeeded: Bool) {
        let now = clock.wall()
        state.withLock { state in
            if succeeded { state.reloads += 1 } else { state.failedReloads += 1 }
            state.lastReloadSucceeded = succeeded
            if succeeded { state.lastReloadSuccess = now }
        }
    }

    /// Sets the models at the start.
    public func setModels(student: ModelInfo, teacher: ModelInfo?) {
        state.withLock { state in
            state.student = student
            state.teacher = teacher
        }
    }

    /// Counts a swap of models and sets the new ones.
    public func recordSwap(student: ModelInfo, teacher: ModelInfo?) {
        state.withLock { state in
            state.swaps += 1
            state.student = student
            state.teacher = teacher
        }
    }

    public func recordFailedSwap() {
        state.withLock { $0.failedSwaps += 1 }
    }

    /// Sets the state of the teacher's circuit breaker, and counts a transition if it changed.
    public func setCircuit(_ circuit: CircuitState) {
        state.withLock { state in
            guard state.circuit != circuit else { return }
            state.circuit = circuit
            state.transitions[circuit.number] += 1
        }
    }

    // MARK: Reading

    /// Returns a snapshot. The caller supplies the gauges.
    public func reading(_ gauges: DaemonGauges = DaemonGauges()) -> MetricsReading {
        let copy = state.withLock { $0 }
        return MetricsReading(
            state: copy, gauges: gauges, process: .current(), version: version, flaws: flaws, startedAt: startedAt,
            startedMonotonic: startedMonotonic, wall: clock.wall(), monotonic: clock.monotonic())
    }
}

/// The clocks of the metrics, in seconds. Tests replace them.
public struct DaemonClock: Sendable {
    /// Seconds since 1970.
    public var wall: @Sendable () -> Double
    /// Seconds since a fixed moment; monotonic.
    public var monotonic: @Sendable () -> Double

    public init(wall: @escaping @Sendable () -> Double, monotonic: @escaping @Sendable () -> Double) {
        self.wall = wall
        self.monotonic = monotonic
    }

    public static let system = DaemonClock(wall: { read(CLOCK_REALTIME) }, monotonic: { read(CLOCK_MONOTONIC) })

    private static func read(_ clock: clockid_t) -> Double {
        var time = timespec()
        clock_gettime(clock, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
