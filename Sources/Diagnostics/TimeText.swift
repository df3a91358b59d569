/// Times as text: microseconds since 1970 in UTC. Pure, and the same in every locale.
public enum TimeText {
    public static let second: Int64 = 1_000_000
    public static let hour = 3600 * second
    public static let day = 24 * hour

    /// RFC 3339 with microseconds: `2026-11-25T13:02:52.123456Z`.
    public static func exact(_ time: Int64) -> String {
        let parts = Parts(time)
        return "\(parts.date)T\(parts.clock).\(padded(parts.microsecond, 6))Z"
    }

    /// For tables: `2026-11-25 13:02`.
    public static func minute(_ time: Int64) -> String {
        let parts = Parts(time)
        return "\(parts.date) \(padded(parts.second / 3600, 2)):\(padded(parts.second / 60 % 60, 2))"
    }

    /// `2026-11-25`.
    public static func date(_ time: Int64) -> String { Parts(time).date }

    /// Parses a time given by a person: `2026-11-25`, `2026-11-25T13:02`, with seconds, with `Z` or without (both UTC),
    /// or an age: `30m`, `24h`, `7d`. nil for other text.
    public static func parse(_ text: String, now: Int64) -> Int64? {
        if let unit = text.last, let length = lengths[unit], let count = Int64(text.dropLast()), count >= 0 {
            let (ago, overflows) = count.multipliedReportingOverflow(by: length)
            return overflows ? nil : now &- ago
        }
        let bytes = Array((text.hasSuffix("Z") ? text.dropLast() : text[...]).utf8)
        let layout = Array("0000-00-00T00:00:00".utf8)
        guard [10, 16, 19].contains(bytes.count) else { return nil }
        for (byte, form) in zip(bytes, layout) {
            let isDigit = (0x30...0x39).contains(byte)
            let fits = form == 0x30 ? isDigit : byte == form || (form == UInt8(ascii: "T") && byte == 0x20)
            guard fits else { return nil }
        }
        func number(_ range: Range<Int>) -> Int64 {
            range.upperBound <= bytes.count ? bytes[range].reduce(0) { $0 * 10 + Int64($1 - 0x30) } : 0
        }
        let month = number(5..<7)
        let dayOfMonth = number(8..<10)
        let clock = (number(11..<13), number(14..<16), number(17..<19))
        guard (1...12).contains(month), dayOfMonth >= 1, clock.0 < 24, clock.1 < 60, clock.2 < 61 else { return nil }
        let time = days(number(0..<4), month, dayOfMonth) * day
        // A day that doesn't exist in its month would become one of the next month.
        guard Parts(time).date.utf8.elementsEqual(bytes.prefix(10)) else { return nil }
        return time + ((clock.0 * 60 + clock.1) * 60 + clock.2) * second
    }

    private static let lengths: [Character: Int64] = ["m": 60 * second, "h": hour, "d": day]

    private static func padded(_ value: Int64, _ digits: Int) -> String {
        let text = String(value)
        return String(repeating: "0", count: max(0, digits - text.count)) + text
    }

    /// Days from 1970-01-01 in the proleptic Gregorian calendar (H. Hinnant, chrono-compatible low-level date
    /// algorithms, `days_from_civil`).
    private static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let year = month <= 2 ? year - 1 : year
        let era = (year >= 0 ? year : year - 399) / 400
        let yearOfEra = year - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    /// The components of a time (`civil_from_days` of the same source).
    private struct Parts {
        let date: String
        let second: Int64
        let microsecond: Int64

        init(_ time: Int64) {
            let wholeDays = TimeText.floor(time, TimeText.day)
            let rest = (time % TimeText.day + TimeText.day) % TimeText.day
            second = rest / TimeText.second
            microsecond = rest % TimeText.second
            let shifted = wholeDays + 719_468
            let era = TimeText.floor(shifted, 146_097)
            let dayOfEra = shifted - era * 146_097
            let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
            let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
            let shiftedMonth = (5 * dayOfYear + 2) / 153
            let day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
            let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
            let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
            date = "\(TimeText.padded(year, 4))-\(TimeText.padded(month, 2))-\(TimeText.padded(day, 2))"
        }

        var clock: String {
            [second / 3600, second / 60 % 60, second % 60].map { TimeText.padded($0, 2) }.joined(separator: ":")
        }
    }

    /// Division that rounds down, also for times before 1970.
    private static func floor(_ value: Int64, _ divisor: Int64) -> Int64 {
        value >= 0 ? value / divisor : -((-(value + 1)) / divisor) - 1
    }
}
