import CFiles

/// The heap of a process that runs for months: what loading a model took for a moment goes back to the system.
///
/// Source: mallopt(3), malloc_trim(3). By default glibc raises the size from which a block has pages of its own as
/// such blocks are freed, and has a heap for each thread; both keep memory that nobody uses.
public enum HeapMemory {
    /// Keeps large blocks out of the heap and threads in few heaps. To be called before there are other threads.
    public static func limit() {
        mallopt(M_MMAP_THRESHOLD, 256 << 10)
        mallopt(M_TRIM_THRESHOLD, 256 << 10)
        mallopt(M_ARENA_MAX, 2)
    }

    /// Gives free pages back to the system. Takes about a millisecond; for after a model was loaded or let go.
    public static func giveBack() { malloc_trim(0) }
}
