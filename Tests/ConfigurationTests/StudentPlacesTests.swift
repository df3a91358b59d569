import Configuration
import Testing

/// Which student serves, and what flips.
@Suite struct StudentPlacesTests {
    private func read(_ more: String) throws -> Settings {
        try settings(
            """
            sources: [{name: a, kind: stdin}]
            sinks: [{name: b, kind: stdout}]
            state: {directory: /var/state}
            \(more)
            """)
    }

    private static let redistill = "redistill: {train: /t, holdout: /h}"

    @Test func theRegistryIsNamedOrFollowsTheStudentOrTheState() throws {
        #expect(try read("").registryDirectory == "/var/state/students")
        #expect(try read("models: {student: /srv/registry/current/}").registryDirectory == "/srv/registry")
        #expect(try read("models: {student: /srv/student}").registryDirectory == "/var/state/students")
        #expect(
            try read("redistill: {train: /t, holdout: /h, registry: /srv/r}").registryLink == "/srv/r/current")
    }

    @Test func withoutRedistillationTheNamedStudentServes() throws {
        let named = try read("models: {student: /srv/student}")
        #expect(named.servingStudent(linkExists: true) == .directory("/srv/student"))
        #expect(named.followedStudent == "/srv/student")
        #expect(try read("").servingStudent(linkExists: true) == .bundled)
        #expect(try read("").followedStudent == nil)
    }

    @Test func withItTheRegistrysServesOnceThereIsOne() throws {
        let bundled = try read(Self.redistill)
        #expect(bundled.followedStudent == "/var/state/students/current")
        #expect(bundled.servingStudent(linkExists: false) == .bundled)
        #expect(bundled.servingStudent(linkExists: true) == .directory("/var/state/students/current"))
        let named = try read("models: {student: /srv/student, teacher: /srv/t}\n" + Self.redistill)
        #expect(named.servingStudent(linkExists: false) == .directory("/srv/student"))
        #expect(named.servingStudent(linkExists: true) == .directory("/var/state/students/current"))
        let link = try read("models: {student: /srv/r/current, teacher: /srv/t}\n" + Self.redistill)
        #expect(link.servingStudent(linkExists: false) == .bundled)
        #expect(link.followedStudent == "/srv/r/current")
    }
}
