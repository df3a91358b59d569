import Cascade

/// How a candidate does beside the student.
public struct ShadowReading: Sendable, Equatable, Codable {
    public var version: String
    /// Of all lines.
    public var share: Double
    /// Lines that it answered, and those of them with the student's label.
    public var lines: Int
    public var alike: Int
    public var broken: Int
    /// Lines that the teacher answered too, of how many that are wanted.
    public var judged: Int
    public var wanted: Int
    public var shadowRight: Int
    public var studentRight: Int

    init(_ tally: ShadowTally, version: String, share: Double, wanted: Int) {
        self.version = version
        self.share = share
        self.wanted = wanted
        lines = tally.lines
        alike = tally.alike
        broken = tally.broken
        judged = tally.judged
        shadowRight = tally.bothRight + tally.onlyShadowRight
        studentRight = tally.bothRight + tally.onlyStudentRight
    }

    var families: [MetricFamily] {
        let name = ("student", version)
        var lines = MetricFamily(
            .counter, "understudy_shadow_lines_total", "Lines that the shadow answered, by whether the student agreed.")
        lines.add(alike, name, ("agreed", "true"))
        lines.add(self.lines - alike, name, ("agreed", "false"))
        var judged = MetricFamily(
            .counter, "understudy_shadow_judged_lines_total",
            "Lines that shadow, student and teacher answered.")
        judged.add(self.judged, name)
        var right = MetricFamily(
            .counter, "understudy_shadow_agreed_with_teacher_total",
            "Those of them with the teacher's label, by who said it.")
        right.add(shadowRight, name, ("by", "shadow"))
        right.add(studentRight, name, ("by", "student"))
        return [lines, judged, right]
    }
}
