import Configuration
import Diagnostics
import Foundation
import Models
import Redistillation
import Store
import Synchronization
import TestSupport
import Testing

/// Whole runs with tiny models: what becomes of the registry, of the log's rows and of the files of the state.
@Suite struct RedistillRunTests {
    private func exists(_ stage: RunStage, _ name: String) -> Bool {
        FileManager.default.fileExists(atPath: stage.folder.file(name))
    }

    /// What must hold after each run, however it ended.
    private func expectClean(_ stage: RunStage) {
        #expect(!exists(stage, "state/redistill.work"))
        let names = (try? FileManager.default.contentsOfDirectory(atPath: stage.registry.directory)) ?? []
        #expect(!names.contains { $0.hasPrefix(".") && $0 != ".lock" }, "\(names)")
    }

    private func expectServing(_ version: String?, _ stage: RunStage) throws {
        #expect(try stage.registry.current()?.version == version)
    }

    private func verdict(_ outcome: RedistillOutcome, _ criterion: String) -> GateCriterion.Result? {
        outcome.run?.content.criteria.first { $0.name == criterion }?.result
    }

    private func error(_ work: () throws -> RedistillOutcome) throws -> UnderstudyError {
        let error = #expect(throws: UnderstudyError.self) { _ = try work() }
        return try #require(error)
    }

    // MARK: Promotion

    @Test(arguments: ["warm", "scratch"])
    func aBetterCandidateIsPromoted(start: String) throws {
        let stage = try RunStage(options: ["start: \(start)"])
        try stage.makeLog()
        #expect(try stage.accuracy(stage.studentDirectory) < 0.8)
        let outcome = try stage.run()
        let run = try #require(outcome.run)
        #expect(run.outcome == .promoted, "\(outcome.sentence)")
        #expect(run.content.criteria.allSatisfy { $0.result != .failed })
        #expect(verdict(outcome, "log_logits") == .passed && verdict(outcome, "without_teacher") == .passed)
        #expect(run.content.rowsRead == 260 && run.content.rowsLearnt + run.content.rowsHeldOut == 260)
        #expect(run.content.replayed == stage.base.count)
        try expectServing("v1", stage)
        let serving = try #require(try stage.registry.current())
        #expect(try stage.accuracy(serving.directory) > 0.95)
        #expect(run.content.candidate == "v1" && serving.lineage?.run == run.number)
        #expect(serving.lineage?.parent == "first" && serving.lineage?.teacher == "rule")
        #expect(try serving.lineage?.teacherFingerprint == stage.teacherFingerprint)
        #expect(serving.lineage?.logRows == run.content.rowsLearnt)
        // A rollback finds the student before.
        let before = try #require(try stage.registry.previous())
        #expect(before.version == "first")
        #expect(try stage.accuracy(before.directory) == stage.accuracy(stage.studentDirectory))
        #expect(try stage.registry.history().map(\.version) == ["first", "v1"])
        let report = try #require(run.content.report)
        #expect(FileManager.default.fileExists(atPath: report))
        #expect(try stage.runs == [run])
        #expect(try stage.withStore { try $0.newRows() }.count == 0)
        expectClean(stage)
    }

    /// With a share for a shadow the candidate answers beside the serving student first.
    @Test func aCandidateMayHaveToBeAShadowFirst() throws {
        let stage = try RunStage(options: ["shadow: 0.5"])
        try stage.makeLog()
        let outcome = try stage.run()
        #expect(outcome.run?.outcome == .shadowing, "\(outcome.sentence)")
        try expectServing("first", stage)
        #expect(try stage.registry.shadow()?.version == "v1")
        expectClean(stage)
    }

    /// A dry run does everything but promote: the serving student, the links and the log's rows are as before, so that the
    /// next run can do it again; what the teacher said meanwhile is kept for that.
    @Test func aDryRunPromotesNothing() throws {
        let stage = try RunStage()
        try stage.makeLog()
        let teacher = RunStage.Teacher()
        let dry = try stage.run(teacher, isDryRun: true)
        #expect(dry.run?.outcome == .passed, "\(dry.sentence)")
        try expectServing(nil, stage)
        #expect(try stage.registry.shadow() == nil && stage.registry.history().isEmpty)
        #expect(try stage.withStore { try $0.newRows() }.count == 260)
        expectClean(stage)
        #expect(Set(stage.holdout.map(\.text)).isSubset(of: teacher.asked))
        teacher.forget()
        let real = try stage.run(teacher)
        #expect(real.run?.outcome == .promoted, "\(real.sentence)")
        #expect(try stage.registry.current()?.lineage?.run == real.run?.number)
        #expect(Set(stage.holdout.map(\.text)).isDisjoint(with: teacher.asked))
        #expect(Set(stage.base.map(\.text)).isDisjoint(with: teacher.asked))
    }

    // MARK: Refusal

    /// What the gate asks of the data is asked before the costly part: nothing is taught, and the teacher sees no more than
    /// the sample by which the log is judged.
    @Test func tooSmallAHoldoutIsRefusedBeforeAnyTraining() throws {
        let stage = try RunStage(gate: ["minimum_holdout_rows: 500"])
        try stage.makeLog()
        let teacher = RunStage.Teacher()
        let outcome = try stage.run(teacher)
        #expect(outcome.run?.outcome == .refused)
        #expect(outcome.run?.content.reason.contains("lines of the holdout: 120, required at least 500") == true)
        #expect(verdict(outcome, "holdout_lines") == .failed && verdict(outcome, "accuracy") == .unmeasured)
        #expect(Set(teacher.asked).isSubset(of: stage.log.map(\.text)) && teacher.asked.count <= 100)
        #expect(try stage.registry.entries().isEmpty)
        // The same rows would be refused again, so they count as used.
        #expect(try stage.withStore { try $0.newRows() }.count == 0)
        expectClean(stage)
        let again = try stage.run(teacher)
        #expect(again.run == nil && again.sentence.hasPrefix("nothing to do: 0 new rows"))
    }

    /// A teacher that is always wrong makes a candidate that is worse than the student that serves.
    @Test func aWorseCandidateIsRefusedAndNotPublished() throws {
        let stage = try RunStage()
        try stage.makeStudent(knowsRule: true)
        #expect(try stage.accuracy(stage.studentDirectory) > 0.75)
        try stage.makeLog(isTurned: true)
        let outcome = try stage.run(RunStage.Teacher(isTurned: true))
        #expect(outcome.run?.outcome == .refused && outcome.run?.content.candidate == nil)
        #expect(verdict(outcome, "log_logits") == .passed)
        #expect(verdict(outcome, "accuracy") == .failed && verdict(outcome, "accuracy_at_worst") == .failed)
        #expect(try stage.registry.entries().isEmpty)
        expectClean(stage)
    }

    /// The log names this teacher, but has logits that it doesn't give.
    @Test func aLogThatTheTeacherDoesNotStandByIsRefused() throws {
        let stage = try RunStage()
        try stage.makeLog(isTurned: true)
        let outcome = try stage.run()
        #expect(outcome.run?.outcome == .refused && verdict(outcome, "log_logits") == .failed)
        #expect(verdict(outcome, "accuracy") == .unmeasured)
    }

    // MARK: The teacher

    /// Logits of another teacher aren't learnt from: the present one is asked about each of the log's lines.
    @Test func linesThatAnotherTeacherJudgedAreAskedAboutAnew() throws {
        let stage = try RunStage()
        try stage.makeTeacher("another")
        let fingerprint = try stage.teacherFingerprint
        try stage.makeLog(fingerprint: fingerprint)
        try stage.makeTeacher("present")
        let teacher = RunStage.Teacher()
        let outcome = try stage.run(teacher)
        #expect(outcome.run?.outcome == .promoted, "\(outcome.sentence)")
        #expect(verdict(outcome, "log_logits") == .unmeasured)
        let log = Set(stage.log.map(\.text))
        let learnt = outcome.run?.content.rowsLearnt ?? 0
        #expect(learnt > 150 && log.intersection(teacher.asked).count >= learnt)
        try expectServing("v1", stage)
        #expect(try stage.accuracy(stage.registry.currentLink) > 0.95)
    }

    /// Logits that the present teacher has given already are taken from the log.
    @Test func linesThatTheTeacherJudgedAreNotAskedAboutAgain() throws {
        let stage = try RunStage()
        try stage.makeLog()
        let teacher = RunStage.Teacher()
        let outcome = try stage.run(teacher)
        #expect(outcome.run?.outcome == .promoted, "\(outcome.sentence)")
        let log = Set(stage.log.map(\.text))
        // But for the sample that shows that the log is right.
        #expect(log.intersection(teacher.asked).count <= 60)
    }

    @Test func aTeacherWithOtherLabelsIsAnError() throws {
        let stage = try RunStage()
        try stage.makeLog()
        for labels in [["sports", "weather"], ["sports", "money", "weather"]] {
            let error = try error { try stage.run(RunStage.Teacher(labels: labels)) }
            #expect(error.code == .configuration && error.message.contains("weather"))
            #expect(error.place?.contains("teacher") == true)
        }
        #expect(try stage.runs.map(\.outcome) == [.failed, .failed])
        #expect(try stage.withStore { try $0.newRows() }.count == 260)
    }

    /// What was judged would not be what serves.
    @Test(arguments: ["teacher/model.safetensors", "student/config.json", "holdout.jsonl"])
    func whatIsReplacedDuringTheRunEndsIt(name: String) throws {
        let stage = try RunStage()
        try stage.makeLog()
        let path = stage.folder.file(name)
        let isDone = Atomic(false)
        let teacher = RunStage.Teacher(whenAsked: {
            guard !isDone.exchange(true, ordering: .relaxed) else { return }
            let bytes = FileManager.default.contents(atPath: path) ?? Data()
            try? (bytes + Data("\n".utf8)).write(to: URL(fileURLWithPath: path))
        })
        let error = try error { try stage.run(teacher) }
        #expect(error.code == .tryAgain && error.message.contains("was replaced during the run"))
        #expect(try stage.runs.map(\.outcome) == [.failed])
        #expect(try stage.registry.entries().isEmpty)
        expectClean(stage)
    }

    // MARK: Nothing to do, and wrong input

    @Test func withoutALogThereIsNothingToDo() throws {
        let stage = try RunStage()
        let outcome = try stage.run()
        #expect(outcome.run == nil && outcome.sentence.hasPrefix("nothing to do: there is no log yet"))
        #expect(!exists(stage, "state"))
    }

    @Test func tooFewNewRowsAreLeftToALaterRun() throws {
        let stage = try RunStage()
        try stage.makeLog(199)
        try stage.folder.write("", to: "state/redistill.request")
        let teacher = RunStage.Teacher()
        let outcome = try stage.run(teacher)
        #expect(outcome.run == nil)
        #expect(outcome.sentence == "nothing to do: 199 new rows in the log, 200 are needed")
        #expect(try stage.runs.isEmpty && teacher.asked.isEmpty)
        #expect(try stage.withStore { try $0.newRows() }.count == 199)
        // The daemon's wish for a run has been answered.
        #expect(!exists(stage, "state/redistill.request"))
    }

    @Test func aHoldoutThatCannotBeUsedIsAnErrorThatNamesIt() throws {
        let stage = try RunStage()
        try stage.makeLog()
        let path = stage.folder.file("holdout.jsonl")
        try stage.folder.write("{\"text\":\"没有标签\"}\n", to: "holdout.jsonl")
        let unlabelled = try error { try stage.run() }
        #expect(unlabelled.code == .invalidData && unlabelled.place == path)
        try FileManager.default.removeItem(atPath: path)
        let missing = try error { try stage.run() }
        #expect(missing.code == .missingInput && missing.place?.contains("holdout.jsonl") == true)
        #expect(try stage.runs.map(\.outcome) == [.failed, .failed])
        #expect(try stage.runs.allSatisfy { !$0.content.reason.isEmpty && $0.finished != nil })
        expectClean(stage)
    }

    // MARK: Ends before its time

    @Test func aRunWithoutTimeEndsAndSaysWhatToAllow() throws {
        let stage = try RunStage()
        try stage.makeLog()
        let error = try error { try stage.run(change: { $0.redistill.maximumMinutes = 0 }) }
        #expect(error.code == .tryAgain && error.message.contains("redistill.maximum_minutes"))
        #expect(try stage.runs.map(\.outcome) == [.failed])
        #expect(try stage.registry.entries().isEmpty)
        #expect(try stage.withStore { try $0.newRows() }.count == 260)
        expectClean(stage)
    }

    @Test func aRunThatTakesTooMuchMemoryEndsAndSaysWhatToAllow() throws {
        let stage = try RunStage()
        try stage.makeLog()
        let error = try error { try stage.run(change: { $0.redistill.maximumMemoryMebibytes = 1 }) }
        #expect(error.code == .tryAgain && error.message.contains("redistill.maximum_memory_mebibytes (1)"))
        #expect(try stage.runs.map(\.outcome) == [.failed])
        #expect(try stage.registry.entries().isEmpty)
        expectClean(stage)
    }

    /// Asked to end at every step in turn: the student stays, nothing is published, and the rows are there for the next run.
    @Test(arguments: [0, 1, 5, 60])
    func anInterruptedRunLeavesEverythingToTheNext(looks: Int) throws {
        let stage = try RunStage()
        try stage.makeLog()
        let count = Atomic(0)
        let error = try error {
            try stage.run(wasInterrupted: { count.add(1, ordering: .relaxed).newValue > looks })
        }
        #expect(error.code == .tryAgain)
        #expect(count.load(ordering: .relaxed) > looks)
        let run = try #require(try stage.runs.first)
        #expect(run.outcome == .interrupted && run.finished != nil)
        #expect(try stage.registry.entries().isEmpty)
        #expect(try stage.withStore { try $0.newRows() }.count == 260)
        expectClean(stage)
    }

    /// What a killed run leaves: its row without an end, its workplace, the file of its lock. The next run closes the row,
    /// clears up and goes on.
    @Test func whatAKilledRunLeftIsClearedUp() throws {
        let stage = try RunStage(gate: ["minimum_holdout_rows: 500"])
        try stage.makeLog()
        let killed = try stage.withStore { try $0.beginRun(started: 5, isDryRun: false) }
        try FileManager.default.createDirectory(
            atPath: stage.folder.file("state/redistill.work/candidate"), withIntermediateDirectories: true)
        try stage.folder.write("half", to: "state/redistill.work/candidate/model.safetensors")
        try stage.folder.write("12345\n", to: "state/redistill.lock")
        let outcome = try stage.run()
        #expect(outcome.run?.outcome == .refused)
        let runs = try stage.runs
        #expect(runs.map(\.outcome) == [.refused, .interrupted])
        #expect(runs.last?.number == killed.number && runs.last?.finished != nil)
        #expect(runs.last?.content.reason.isEmpty == false)
        expectClean(stage)
    }

    @Test func twoRunsAtOnceAreOne() throws {
        let stage = try RunStage()
        try stage.makeLog()
        let lock = try ProcessLock(path: stage.folder.file("state/redistill.lock")) { $0 }
        let error = try error { try stage.run() }
        #expect(error.code == .tryAgain && error.message.contains("another run"))
        #expect(try stage.runs.isEmpty)
        lock.release()
    }
}
