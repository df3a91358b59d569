/// Some lines of a batch laid end to end, as the training passes see them: only how long they are.
struct TeacherSpan {
    /// `lines + 1` offsets in tokens; the first is 0.
    var offsets: [Int] = [0]

    var lines: Int { offsets.count - 1 }
    var tokens: Int { offsets[offsets.count - 1] }
    var longest: Int { (0..<lines).reduce(0) { max($0, length($1)) } }

    func length(_ line: Int) -> Int { offsets[line + 1] - offsets[line] }

    mutating func append(_ length: Int) { offsets.append(tokens + length) }

    mutating func removeAll() { offsets = [0] }
}
