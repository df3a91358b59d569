import Glibc

/// A day by the local clock.
struct LocalDay: Sendable {
    /// Seconds since the epoch: the day's first, and the next day's first.
    let start: time_t
    let end: time_t
    /// YYYY-MM-DD.
    let text: String

    init(containing time: time_t) {
        var time = time
        var fields = tm()
        localtime_r(&time, &fields)
        func padded(_ number: Int32, _ width: Int) -> String {
            let digits = String(number)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        text = "\(padded(fields.tm_year + 1900, 4))-\(padded(fields.tm_mon + 1, 2))-\(padded(fields.tm_mday, 2))"
        // mktime knows where a day has 23 or 25 hours, if it isn't told whether summer time holds.
        (fields.tm_hour, fields.tm_min, fields.tm_sec, fields.tm_isdst) = (0, 0, 0, -1)
        start = min(mktime(&fields), time)
        (fields.tm_mday, fields.tm_hour, fields.tm_min, fields.tm_sec) = (fields.tm_mday + 1, 0, 0, 0)
        fields.tm_isdst = -1
        end = max(mktime(&fields), time + 1)
    }

    func contains(_ time: time_t) -> Bool { start <= time && time < end }
}
