import Glibc
import Synchronization

/// Places where a test can have the process killed, as a power cut would: between any two steps that must not come
/// apart. `UNDERSTUDY_CRASH_AT=committed:3` kills at the third time that the place is reached.
///
/// Each is passed once per job or commit, never per line, and costs a comparison when nothing is asked for.
public enum CrashPoint: String, Sendable, CaseIterable {
    /// A sink file has been made and isn't registered yet.
    case created
    /// A sink file has been registered and holds nothing yet.
    case registered
    /// A job's bytes are in some of its sink files and not in all.
    case appending
    /// A job's bytes are in all of its sink files; its source's position isn't noted.
    case appended
    /// The cut has been made and the sink files aren't synchronised.
    case cut
    /// The sink files are synchronised; nothing is committed.
    case synchronised
    /// The transaction is durable; the sources don't know yet.
    case committed
    /// The sources know: finished files have been moved or deleted.
    case acknowledged
    /// New models have been loaded and don't answer yet.
    case swapping
    /// The run has its lock and is noted; nothing is read.
    case runBegun = "run-begun"
    /// The log is read; nothing is learnt.
    case harvested
    /// Training has ended; the candidate is in memory.
    case trained
    /// The candidate lies in the workplace; it isn't measured.
    case measured = "candidate-written"
    /// The gate has decided; nothing is published.
    case decided
    /// The candidate is published; nothing leads to it.
    case published
    /// A student from elsewhere has been copied beside the registry's versions; it has no name yet.
    case adopted
    /// The registry's record says what the links don't say yet.
    case promoting
    /// One of two links is flipped.
    case flipping
    /// Both are flipped; the run isn't noted as ended.
    case promoted

    private static let wanted: (name: String, time: Int)? = {
        guard let value = EnvironmentVariable.value("UNDERSTUDY_CRASH_AT") else { return nil }
        let parts = value.split(separator: ":")
        guard let name = parts.first else { return nil }
        return (String(name), parts.count > 1 ? Int(parts[1]) ?? 1 : 1)
    }()
    private static let passed = Atomic(0)

    /// Kills the process if this is the place that was asked for.
    public func pass() {
        guard let wanted = Self.wanted, wanted.name == rawValue else { return }
        if Self.passed.wrappingAdd(1, ordering: .relaxed).newValue == wanted.time {
            kill(getpid(), SIGKILL)
        }
    }
}
