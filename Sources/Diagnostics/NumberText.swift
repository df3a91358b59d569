import Glibc

/// Numbers as text; the same in every locale.
public enum NumberText {
    /// `value` with `digits` decimals, rounded as by C's printf (the exact binary value, ties to even).
    public static func fixed(_ value: Double, digits: Int) -> String {
        // Room for the largest double (309 digits), a sign, a point and the decimals.
        let capacity = 320 + max(digits, 0)
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: capacity) { buffer in
            let length = withVaList([Int32(max(digits, 0)), value]) { arguments in
                vsnprintf(buffer.baseAddress, capacity, "%.*f", arguments)
            }
            let written = UnsafeRawBufferPointer(buffer).prefix(max(0, Int(length)))
            return String(decoding: written, as: UTF8.self)
        }
    }

    /// A share as a percentage: 0.774 with one digit is `77.4 %`.
    public static func percent(_ share: Double, digits: Int = 1) -> String {
        fixed(share * 100, digits: digits) + " %"
    }

    /// `value` with at least `digits` decimals, and as many as are needed to distinguish it from `limit`: a sentence
    /// that says that 0.2504 is more than 0.25 must not print "0.25". If the two are equal, `digits`.
    public static func fixed(_ value: Double, digits: Int, apartFrom limit: Double) -> String {
        guard value != limit, value.isFinite, limit.isFinite else { return fixed(value, digits: digits) }
        var digits = digits
        while digits < 15, fixed(value, digits: digits) == fixed(limit, digits: digits) { digits += 1 }
        return fixed(value, digits: digits)
    }

    /// The same for shares as percentages.
    public static func percent(_ share: Double, digits: Int = 1, apartFrom limit: Double) -> String {
        fixed(share * 100, digits: digits, apartFrom: limit * 100) + " %"
    }

    /// With a thousands separator: 12345 is `12,345`.
    public static func grouped(_ value: Int) -> String {
        var digits = Array(String(value.magnitude))
        var position = digits.count - 3
        while position > 0 {
            digits.insert(",", at: position)
            position -= 3
        }
        return (value < 0 ? "-" : "") + String(digits)
    }

    /// A rate: an integer from 100 on, with more decimals below.
    public static func rate(_ value: Double) -> String {
        guard value.isFinite, value < 1e15 else { return "–" }
        if value >= 100 { return grouped(Int(value.rounded())) }
        return fixed(value, digits: value >= 10 ? 1 : 2)
    }

    /// Hours, minutes and seconds: `0:34`, `12:05`, `1:02:03`. Rounded to the nearest second.
    public static func clock(_ duration: Duration) -> String {
        let seconds = max(0, Int((duration / .seconds(1)).rounded()))
        let tail = seconds % 60
        let padded = tail < 10 ? "0\(tail)" : "\(tail)"
        let minutes = seconds / 60
        if minutes < 60 { return "\(minutes):\(padded)" }
        let rest = minutes % 60
        return "\(minutes / 60):\(rest < 10 ? "0" : "")\(rest):\(padded)"
    }
}
