import Glibc

/// The end of a process that gets no memory for a large block: numbers have nowhere else to go, and every promise about
/// lines holds for a process that is killed.
public enum OutOfMemory {
    /// Says so on standard error and ends at once, with the status of what may work later.
    public static func end(wanted bytes: Int) -> Never {
        StandardError.write(
            "error: the system gives no memory for \(NumberText.grouped(bytes)) bytes; allow more (ulimit -v, MemoryMax=),"
                + " or use smaller models or fewer threads\n")
        _exit(UnderstudyError.Code.tryAgain.exitStatus)
    }
}
