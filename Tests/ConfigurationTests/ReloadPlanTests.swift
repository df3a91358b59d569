import Configuration
import Diagnostics
import Testing

private func plan(_ old: String, _ new: String) throws -> ReloadPlan {
    ReloadPlan(from: try settings(old), to: try settings(new))
}

private func sources(_ rows: String..., and rest: String = "") -> String {
    "sources:\n" + rows.map { "  - {\($0)}\n" }.joined() + leastSink + rest
}

@Suite struct ReloadPlanTests {
    private let drops = "name: drops, kind: directory, path: /srv/drops"
    private let wire = "name: wire, kind: fifo, path: /run/wire"

    @Test func nothingChanges() throws {
        #expect(try plan(sources(drops, wire), sources(wire, drops)) == plan(sources(wire), sources(wire)))
        let same = try plan(sources(drops), sources(drops))
        #expect(same.removedSources.isEmpty && same.addedSources.isEmpty && same.changedSources.isEmpty)
        #expect(!same.modelsChange && !same.teacherChanges && same.restartNeeded.isEmpty)
    }

    @Test func sourcesComeAndGo() throws {
        let plan = try plan(sources(drops), sources(wire))
        #expect(plan.removedSources == ["drops"] && plan.addedSources.map(\.name) == ["wire"])
        #expect(plan.changedSources.isEmpty && !plan.modelsChange)
    }

    /// A source with other settings ends before it begins again.
    @Test func aSourceChanges() throws {
        let plan = try plan(sources(drops, wire), sources(drops + ", ordered: false", wire))
        #expect(plan.removedSources == ["drops"] && plan.changedSources.map(\.name) == ["drops"])
        #expect(plan.addedSources.isEmpty)
    }

    /// The same path under another name: two readers must not meet there.
    @Test func aSourceIsRenamed() throws {
        let plan = try plan(sources(wire), sources("name: cable, kind: fifo, path: /run/wire"))
        #expect(plan.removedSources == ["wire"] && plan.changedSources.map(\.name) == ["cable"])
        #expect(plan.addedSources.isEmpty)
    }

    /// The same name at another path: what is kept of a source is kept under its name, so the old one ends first.
    @Test func aSourceMoves() throws {
        let plan = try plan(sources(wire), sources("name: wire, kind: fifo, path: /run/cable, spool: true"))
        #expect(plan.removedSources == ["wire"] && plan.changedSources.map(\.name) == ["wire"])
        #expect(plan.addedSources.isEmpty)
    }

    /// Standard input has no path to be the same.
    @Test func standardInputIsAddedBesideOthers() throws {
        let plan = try plan(sources(wire), sources(wire, "name: in, kind: stdin"))
        #expect(plan.addedSources.map(\.name) == ["in"] && plan.removedSources.isEmpty)
    }

    @Test(arguments: [
        ("cascade: {threshold: 0.7}\n", true, false), ("cascade: {audit_share: 0.2}\n", true, false),
        ("cascade: {policy: margin, threshold: 0.5}\n", true, false), ("models: {teacher: /srv/t}\n", true, true),
        ("models: {student: /srv/s}\n", true, true), ("log: {level: debug}\n", false, false),
    ])
    func modelsChange(rest: String, models: Bool, teacher: Bool) throws {
        let plan = try plan(sources(wire), sources(wire, and: rest))
        #expect(plan.modelsChange == models && plan.teacherChanges == teacher && plan.restartNeeded.isEmpty)
    }

    @Test(arguments: [
        "state: {directory: /srv/state}\n", "cascade: {threads: 3}\n", "cascade: {batch_lines: 7}\n",
        "cascade: {when_teacher_full: answer_with_student}\n", "http: {listen: \"127.0.0.1:9464\"}\n",
        "disagreements: {keep_days: 3}\n", "cascade: {teacher_queue_lines: 9}\n",
    ])
    func someSettingsTakeARestart(rest: String) throws {
        #expect(try plan(sources(wire), sources(wire, and: rest)).restartNeeded.count == 1)
    }

    /// Pitfall 17: a filter for a label that the student doesn't have is refused by name.
    @Test func filtersNameLabelsThatThereAre() throws {
        let text = "sources:\n  - {\(wire)}\nsinks:\n  - {name: out, kind: stdout, labels: [sports, tennis]}\n"
        let read = try settings(text)
        #expect(throws: Never.self) { try ReloadPlan.checkLabels(of: read, ["tennis", "sports"]) }
        let error = #expect(throws: UnderstudyError.self) { try ReloadPlan.checkLabels(of: read, ["sports"]) }
        #expect(error?.message == "sink 'out' selects the label 'tennis'; the student has 'sports'")
    }

    @Test(arguments: [
        ("kind: file, path: /srv/a", "kind: file, path: /srv/a, format: tsv, minimum_confidence: 0.4", true),
        ("kind: file, path: /srv/a", "kind: file, path: /srv/b", false),
        ("kind: file, path: /srv/a", "kind: file, path: /srv/a, when_full: drop", false),
        ("kind: fifo, path: /run/a", "kind: fifo, path: /run/a, format: label", true),
        ("kind: fifo, path: /run/a", "kind: socket, path: /run/a", false), ("kind: stdout", "kind: stdout", true),
        ("kind: journald", "kind: stdout", false),
    ])
    func sinksStayWhereThePlaceIsTheSame(one: String, two: String, isSame: Bool) throws {
        func sink(_ text: String) throws -> SinkSettings {
            try settings("sources:\n  - {\(wire)}\nsinks:\n  - {name: out, \(text)}\n").sinks[0]
        }
        #expect(try sink(two).keepsSink(of: sink(one)) == isSame)
    }
}
