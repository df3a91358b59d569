import Diagnostics
import Glibc

/// What a run may take: time and memory. It shares the machine with a daemon that mustn't wait for it.
struct RunLimits: Sendable {
    enum Breach: Sendable, Equatable {
        /// A signal asked for the end.
        case interrupted
        case outOfTime
        /// The resident memory, in bytes.
        case outOfMemory(Int)
    }

    private let begun: ContinuousClock.Instant
    private let minutes: Int
    private let mebibytes: Int
    private let wasInterrupted: @Sendable () -> Bool

    init(minutes: Int, mebibytes: Int, wasInterrupted: @escaping @Sendable () -> Bool) {
        // Not the time of day: that may jump.
        begun = .now
        self.minutes = minutes
        self.mebibytes = mebibytes
        self.wasInterrupted = wasInterrupted
    }

    var seconds: Double { begun.duration(to: .now) / .seconds(1) }

    /// What the run has hit, if anything. Costs a few microseconds.
    var breach: Breach? {
        if wasInterrupted() { return .interrupted }
        if seconds > Double(minutes) * 60 { return .outOfTime }
        let resident = Self.residentBytes
        return resident > mebibytes << 20 ? .outOfMemory(resident) : nil
    }

    /// Ends a step that can't be cut short.
    func check() throws(UnderstudyError) {
        if let breach { throw error(breach) }
    }

    /// The same where there is a candidate: then the time may be over.
    func checkAllButTime() throws(UnderstudyError) {
        if let breach, breach != .outOfTime { throw error(breach) }
    }

    /// Work that asks `breach` whether to stop: where it was stopped, the error says why.
    func explaining<Value>(_ work: () throws(UnderstudyError) -> Value) throws(UnderstudyError) -> Value {
        do throws(UnderstudyError) {
            return try work()
        } catch {
            guard error.code == .tryAgain, let breach else { throw error }
            throw self.error(breach)
        }
    }

    func error(_ breach: Breach) -> UnderstudyError {
        switch breach {
        case .interrupted: UnderstudyError(.tryAgain, "interrupted; the serving student stays")
        case .outOfTime:
            UnderstudyError(
                .tryAgain,
                "the \(minutes) minutes of redistill.maximum_minutes are over before there was a candidate; allow more, "
                    + "or fewer log_rows and replay_rows")
        case .outOfMemory(let bytes):
            UnderstudyError(
                .tryAgain,
                "the run takes \((bytes + (1 << 20) - 1) >> 20) MiB, more than redistill.maximum_memory_mebibytes (\(mebibytes)); allow "
                    + "more, or fewer log_rows and replay_rows")
        }
    }

    /// Resident now, in bytes; 0 where /proc can't be read.
    static var residentBytes: Int {
        guard let file = fopen("/proc/self/statm", "re") else { return 0 }
        defer { fclose(file) }
        var total: CUnsignedLong = 0
        var resident: CUnsignedLong = 0
        let read = withUnsafeMutablePointer(to: &total) { total in
            withUnsafeMutablePointer(to: &resident) { resident in
                withVaList([total, resident]) { vfscanf(file, "%lu %lu", $0) }
            }
        }
        return read == 2 ? Int(resident) * Int(sysconf(Int32(_SC_PAGESIZE))) : 0
    }

    /// The most that was ever resident, in bytes.
    static var peakBytes: Int {
        var usage = rusage()
        guard getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage) == 0 else { return 0 }
        return usage.ru_maxrss * 1024
    }
}
