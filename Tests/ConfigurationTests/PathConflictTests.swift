import Testing

/// Which paths go together and which don't; what is said about those is in Goldens/bad/paths.txt.
@Suite struct PathConflictTests {
    private func conflicts(_ sources: String, _ sinks: String, _ rest: String = "") -> Int {
        func list(_ items: String) -> String {
            items.split(separator: "\n").enumerated().map { "  - {name: n\($0), \($1)}\n" }.joined()
        }
        return errors("sources:\n\(list(sources))sinks:\n\(list(sinks))\(rest)").count
    }

    private let stdin = "kind: stdin"
    private let stdout = "kind: stdout"

    @Test(arguments: [
        ("path: /d", "/d/a", 1), ("path: /d/", "/d/a", 1), ("path: /d", "/d/e/a", 0),
        ("path: /d, recursive: true", "/d/e/a", 1), ("path: /d", "/dd/a", 0), ("path: /d", "/d/../a", 0),
        ("path: /d", "/d/.a", 0), ("path: /d, recursive: true", "/d/.x/a", 0),
        ("path: /d, recursive: true, include: ['e/*']", "/d/e/a", 1), ("path: /d, include: ['*.txt']", "/d/a.jsonl", 0),
        ("path: /d, exclude: ['*.jsonl']", "/d/a.jsonl", 0), ("path: /d, include: ['a*']", "/d/{label}", 0),
        ("path: /d", "/d/{label}", 1), ("path: '/d/n0'", "/d/{source}/x", 1), ("path: /", "/a", 1),
        ("path: d", "./d/a", 1), ("path: /d, mode: tail", "/d/a", 1),
    ])
    func sinksThatFeedSources(watch: String, path: String, count: Int) {
        #expect(conflicts("kind: directory, \(watch)", "kind: file, path: '\(path)'") == count)
        // Pipes and sockets aren't read as files; that they have no placeholders is another matter.
        guard !path.contains("{") else { return }
        #expect(conflicts("kind: directory, \(watch)", "kind: socket, path: '\(path)'") == 0)
        #expect(conflicts("kind: directory, \(watch)", stdout, "dead_letter: {path: '\(path)'}\n") == count)
    }

    @Test(arguments: [
        ("path: /a", "path: /b", 0), ("path: /a", "path: /a", 1), ("path: /a", "path: /a/b", 0),
        ("path: /a, recursive: true", "path: /a/b", 1), ("path: /a/b", "path: /a, recursive: true", 1),
        ("path: /a, after: move, done_directory: /a/done", "path: /b", 0),
        ("path: /a, after: move, done_directory: /a", "path: /b", 1),
        ("path: /a, after: move, done_directory: /b", "path: /b", 1),
        ("path: /a, recursive: true, after: move, done_directory: /a/done", "path: /b", 1),
        ("path: /a, recursive: true, after: move, done_directory: /a/.done", "path: /b", 0),
        ("path: /a, after: move, done_directory: /done", "path: /b, after: move, done_directory: /done", 0),
    ])
    func directoriesThatMeet(one: String, other: String, count: Int) {
        #expect(conflicts("kind: directory, \(one)\nkind: directory, \(other)", stdout) == count)
    }

    @Test(arguments: [
        ("path: /a", "path: /a", 1), ("path: /a", "path: //a/.", 1), ("path: /a", "path: /b", 0),
        ("path: '/{label}'", "path: /a", 1), ("path: '/{label}.x'", "path: /a", 0),
        ("path: '/{label}', labels: [b]", "path: /a", 0), ("path: '/{label}', labels: [b, a]", "path: /a", 1),
        ("path: '/{label}'", "path: /b/a", 0), ("path: '/{source}'", "path: /n0", 1),
        ("path: '/{source}'", "path: /n1", 0), ("path: '/{date}'", "path: '/{date}'", 1),
        ("path: '/{label}-{date}'", "path: '/a-{date}'", 1), ("path: '/[a]{label}'", "path: '/ab'", 0),
        ("path: '/[a]{label}'", "path: '/[a]b'", 1),
    ])
    func filesThatMeet(one: String, other: String, count: Int) {
        #expect(conflicts(stdin, "kind: file, \(one)\nkind: file, \(other)") == count)
    }

    @Test func whatElseMeets() {
        #expect(conflicts("kind: fifo, path: /a", "kind: fifo, path: /a") == 1)
        #expect(conflicts("kind: fifo, path: /a", stdout, "http: {listen: 'unix:/a'}\n") == 1)
        #expect(conflicts("kind: directory, path: /a, recursive: true", stdout, "state: {directory: /a/s}\n") == 1)
        #expect(conflicts("kind: directory, path: /var/lib/understudy", stdout) == 1)
        #expect(conflicts("kind: stdin\nkind: stdin", "kind: stdout\nkind: stdout") == 2)
        #expect(conflicts("kind: fifo, path: /a", "kind: file, path: /b", "state: {directory: /b}\n") == 1)
    }
}
