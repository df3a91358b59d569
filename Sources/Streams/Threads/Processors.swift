import Glibc

/// The processors that this process may use.
public enum Processors {
    /// Their number: those of the affinity mask (`taskset`, a cpuset), or all online ones if the mask can't be read.
    public static var available: Int {
        allowed(inStatus: contents(of: "/proc/self/status")) ?? max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))
    }

    /// The number of bits in the `Cpus_allowed:` mask of a /proc/PID/status file (proc(5)); nil if there is none.
    package static func allowed(inStatus status: [UInt8]) -> Int? {
        for line in status.split(separator: 0x0A) where line.starts(with: "Cpus_allowed:".utf8) {
            let digits = line.drop { $0 != UInt8(ascii: ":") }.compactMap { Character(UnicodeScalar($0)).hexDigitValue }
            let bits = digits.reduce(0) { $0 + $1.nonzeroBitCount }
            return bits > 0 ? bits : nil
        }
        return nil
    }

    private static func contents(of path: String) -> [UInt8] {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return [] }
        defer { close(file) }
        var all: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = read(file, &piece, piece.count)
            guard count > 0 else { return all }
            all.append(contentsOf: piece[..<count])
        }
    }
}
