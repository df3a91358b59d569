import CYAML

/// Why libyaml stopped.
struct YAMLFlaw: Error, Equatable {
    enum Place: Equatable {
        case mark(SourceMark)
        /// Of the byte that can't be read.
        case byte(Int)
        case nowhere
    }

    /// libyaml's words: `did not find expected key`.
    var problem: String
    /// What it was at, and where that began: `while parsing a block mapping`.
    var context: String?
    /// nil when it began in the line of the problem.
    var contextLine: Int?
    var place: Place

    private static let endOfStream = "found unexpected end of stream"

    static let outOfMemory = YAMLFlaw(problem: "out of memory", place: .nowhere)

    init(problem: String, place: Place) {
        self.problem = problem
        self.place = place
    }

    init(_ parser: yaml_parser_t) {
        problem = parser.problem.map { String(cString: $0) } ?? "out of memory"
        switch parser.error {
        case YAML_READER_ERROR: place = .byte(Int(clamping: parser.problem_offset))
        case YAML_SCANNER_ERROR, YAML_PARSER_ERROR:
            let mark = SourceMark(parser.problem_mark)
            place = .mark(mark)
            guard let words = parser.context else { return }
            context = String(cString: words)
            let start = SourceMark(parser.context_mark)
            if problem == Self.endOfStream {
                // The end is no help; where it began is.
                place = .mark(start)
            } else if start.line != mark.line {
                contextLine = start.line
            }
        default: place = .nowhere
        }
    }
}

extension YAMLFlaw {
    /// What to do about the mistakes that people make most.
    var hint: String? {
        switch (problem, context) {
        case (_, "while scanning an alias"): "text that starts with * must be in quotes"
        case (_, "while scanning an anchor"): "text that starts with & must be in quotes"
        case ("found character that cannot start any token", _):
            "indent with spaces, not tabs, and put text that starts with @, % or ` in quotes"
        case ("found a tab character that violates indentation", _): "indent with spaces, not tabs"
        case ("mapping values are not allowed in this context", _):
            "check the indentation, and put text that holds ': ' in quotes"
        case ("did not find expected ',' or '}'", _), ("did not find expected ',' or ']'", _):
            "close the bracket, and put text that holds brackets or braces in quotes"
        case ("did not find expected key", _), ("could not find expected ':'", _):
            "check the indentation and that every option is followed by ': '"
        case (Self.endOfStream, _): "close the quote"
        case ("found unknown escape character", _): "in double quotes a backslash is written \\\\"
        default: problem.contains("UTF-8") ? "save the file as UTF-8" : nil
        }
    }
}
