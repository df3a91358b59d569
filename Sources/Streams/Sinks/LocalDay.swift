import Glibc

/// A day by the local clock.
struct LocalDay: Sendable {
    /// Days since 1970-01-01.
    let number: Int
    /// YYYY-MM-DD.
    let text: String
    private let quarter: time_t

    init(containing time: time_t) {
        var time = time
        var fields = tm()
        localtime_r(&time, &fields)
        func padded(_ number: Int32, _ width: Int) -> String {
            let digits = String(number)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        text = "\(padded(fields.tm_year + 1900, 4))-\(padded(fields.tm_mon + 1, 2))-\(padded(fields.tm_mday, 2))"
        quarter = Self.quarter(time)
        (fields.tm_hour, fields.tm_min, fields.tm_sec, fields.tm_isdst) = (0, 0, 0, 0)
        number = timegm(&fields) / 86_400
    }

    /// Whether `time` is known to be in this day without asking for the local time again.
    ///
    /// Clocks differ from UTC by quarters of an hour and are changed at quarters, so none has two days in it.
    func covers(_ time: time_t) -> Bool { Self.quarter(time) == quarter }

    private static func quarter(_ time: time_t) -> time_t {
        let seconds = 15 * 60
        return (time >= 0 ? time : time - seconds + 1) / seconds
    }
}
