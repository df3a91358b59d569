import Glibc

/// What the system says about this process, read from /proc when asked.
public struct ProcessFigures: Sendable, Equatable {
    public var residentBytes: Int
    /// In user and kernel mode together.
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

    /// The second number of /proc/self/statm.
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

    /// The entries of /proc/self/fd but for ".", ".." and the one that reads it.
    private static func descriptors() -> Int {
        guard let folder = opendir("/proc/self/fd") else { return 0 }
        defer { closedir(folder) }
        var count = 0
        while readdir(folder) != nil { count += 1 }
        return max(0, count - 3)
    }
}
