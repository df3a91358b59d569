import Glibc

extension SourceOrigin {
    /// The origin of all that one run takes from a stream that can't be read again. The time in nanoseconds tells the
    /// runs apart.
    static func stream(source: String, path: String) -> SourceOrigin {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return SourceOrigin(
            source: source, path: path, file: nil,
            stream: UInt64(bitPattern: Int64(now.tv_sec)) &* 1_000_000_000 &+ UInt64(bitPattern: Int64(now.tv_nsec)))
    }
}
