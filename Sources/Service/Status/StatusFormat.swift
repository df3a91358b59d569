import Diagnostics
import Glibc

/// Formats sizes, times and shares for the terminal and the page.
enum StatusFormat {
    /// `1.4 GB`, in powers of 1000.
    static func bytes(_ count: Int) -> String {
        var value = Double(count)
        for unit in ["B", "kB", "MB", "GB"] {
            if value < 1000 { return NumberText.fixed(value, digits: unit == "B" || value >= 100 ? 0 : 1) + " \(unit)" }
            value /= 1000
        }
        return NumberText.fixed(value, digits: 1) + " TB"
    }

    /// `45 s`, `12 min`, `3 h 20 min`, `5 d 3 h`.
    static func span(_ seconds: Double) -> String {
        let whole = Int(max(0, min(seconds, 1e12)))
        let (days, hours, minutes) = (whole / 86_400, whole / 3600 % 24, whole / 60 % 60)
        if days > 0 { return hours > 0 ? "\(days) d \(hours) h" : "\(days) d" }
        if hours > 0 { return minutes > 0 ? "\(hours) h \(minutes) min" : "\(hours) h" }
        return minutes > 0 ? "\(minutes) min" : "\(whole) s"
    }

    /// A short duration: `350 µs`, `4.2 ms`, `1.3 s`.
    static func duration(_ seconds: Double?) -> String {
        guard let seconds else { return "–" }
        if seconds < 0.001 { return NumberText.fixed(seconds * 1e6, digits: 0) + " µs" }
        if seconds < 1 { return NumberText.fixed(seconds * 1e3, digits: seconds < 0.1 ? 1 : 0) + " ms" }
        return NumberText.fixed(seconds, digits: 1) + " s"
    }

    /// Numbers such as 1,234 in full; 1,234,567 as `1.23 M`.
    static func count(_ value: Int) -> String {
        let size = Double(value.magnitude)
        if size >= 1e9 { return NumberText.fixed(Double(value) / 1e9, digits: 2) + " G" }
        if size >= 1e6 { return NumberText.fixed(Double(value) / 1e6, digits: 2) + " M" }
        return NumberText.grouped(value)
    }

    /// Zero is printed as 0.
    static func rate(_ value: Double) -> String {
        value == 0 ? "0" : NumberText.rate(value)
    }

    /// One phrase for each of the models.
    static func models(_ status: ServiceStatus) -> [String] {
        guard let student = status.studentModel else { return ["no model is loaded yet"] }
        return ["student \(student.version)", status.teacherModel.map { "teacher \($0.version)" } ?? "no teacher"]
    }

    static func percent(_ share: Double?) -> String {
        share.map { NumberText.percent($0) } ?? "–"
    }

    /// `14:05:09` in the local time zone, with the date if it isn't evident.
    static func clock(_ time: Double, now: Double) -> String {
        date(time, now - time < 20 * 3600 ? "%H:%M:%S" : "%Y-%m-%d %H:%M")
    }

    /// `2026-11-25 14:05:09 CET`.
    static func moment(_ time: Double) -> String {
        date(time, "%Y-%m-%d %H:%M:%S %Z")
    }

    private static func date(_ time: Double, _ format: String) -> String {
        var seconds = time_t(max(0, min(time, 253_402_300_799)))
        var fields = tm()
        localtime_r(&seconds, &fields)
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64) { buffer in
            let length = strftime(buffer.baseAddress, 64, format, &fields)
            return String(decoding: UnsafeRawBufferPointer(buffer).prefix(length), as: UTF8.self)
        }
    }
}
