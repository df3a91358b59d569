import Cascade
import Diagnostics
import Glibc
import Streams
import TestSupport
import Testing

@Suite struct DeferralPolicyTests {
    private let unsure = Verdict(label: 0, confidence: 0.5, margin: 0.1, entropy: 0.9)
    private let certain = Verdict(label: 0, confidence: 1, margin: 1, entropy: 0)

    @Test func eachMeasureIsComparedWithTheThreshold() throws {
        for (measure, certainty) in [
            (DeferralPolicy.Measure.confidence, Float(0.5)), (.margin, 0.1), (.entropy, 1 - Float(0.9)),
        ] {
            #expect(try DeferralPolicy(measure, below: certainty).defers(unsure) == false)
            #expect(try DeferralPolicy(measure, below: certainty + 0.01).defers(unsure))
        }
    }

    @Test func theEndsOfTheScaleMeanNeverAndAlways() throws {
        for measure in DeferralPolicy.Measure.allCases {
            #expect(try DeferralPolicy(measure, below: 0).defers(unsure) == false)
            #expect(try DeferralPolicy(measure, below: 1).defers(certain))
            #expect(try DeferralPolicy(measure, below: 0.999).defers(certain) == false)
        }
    }

    @Test(arguments: [-0.1, 1.01, .nan, .infinity] as [Float])
    func refusesOtherThresholds(threshold: Float) {
        #expect(throws: UnderstudyError.self) { try DeferralPolicy(.confidence, below: threshold) }
    }

    @Test func measuresAreReadByName() throws {
        #expect(try DeferralPolicy.Measure("margin") == .margin)
        #expect(throws: UnderstudyError.self) { try DeferralPolicy.Measure("budget") }
    }
}

@Suite struct LabelMapTests {
    @Test func putsTheTeachersOrderIntoTheStudents() throws {
        #expect(try LabelMap(student: ["a", "b", "c"], teacher: ["c", "a", "b"]).positions == [1, 2, 0])
    }

    @Test func namesWhatDiffers() {
        let error = #expect(throws: UnderstudyError.self) {
            try LabelMap(student: ["a", "b"], teacher: ["b", "c", "d"])
        }
        #expect(error?.code == .invalidData)
        #expect(
            error?.message
                == "teacher and student have different labels: only the student has 'a', only the teacher has 'c', 'd'")
    }

    @Test func refusesRepeatsAndNone() {
        #expect(throws: UnderstudyError.self) { try LabelMap(student: ["a", "a"], teacher: ["a", "b"]) }
        #expect(throws: UnderstudyError.self) { try LabelMap(student: [], teacher: []) }
    }
}

@Suite struct WorkPlanTests {
    private func plan(workers: Int) -> WorkPlan {
        WorkPlan(workers: workers, studentLines: 256, teacherLines: 32, studentGrain: 16)
    }

    private func now(_ change: (inout WorkPlan.Situation) -> Void) -> WorkPlan.Situation {
        var situation = WorkPlan.Situation()
        change(&situation)
        return situation
    }

    @Test func aLoneLineIsTakenAtOnce() {
        #expect(
            plan(workers: 4).next(
                now {
                    $0.pending = 1; $0.idleWorkers = 4
                }) == .student(lines: 1))
    }

    @Test func aFewLinesAreSharedAmongTheIdle() {
        #expect(
            plan(workers: 4).next(
                now {
                    $0.pending = 100; $0.idleWorkers = 4
                }) == .student(lines: 25))
        #expect(
            plan(workers: 4).next(
                now {
                    $0.pending = 20; $0.idleWorkers = 4
                }) == .student(lines: 16))
    }

    @Test func underLoadJobsAreFull() {
        #expect(
            plan(workers: 4).next(
                now {
                    $0.pending = 5000; $0.idleWorkers = 1
                }) == .student(lines: 256))
        #expect(
            plan(workers: 4).next(
                now {
                    $0.pending = 5000; $0.idleWorkers = 4
                }) == .student(lines: 256))
    }

    @Test func fullTeacherBatchesComeFirst() {
        #expect(
            plan(workers: 1).next(
                now {
                    $0.pending = 900; $0.deferred = 40
                }) == .teacher(lines: 32))
        #expect(
            plan(workers: 1).next(
                now {
                    $0.pending = 900; $0.deferred = 31
                }) == .student(lines: 256))
    }

    @Test func oneWorkerStaysWithTheStudent() {
        let busy = now {
            $0.pending = 900; $0.deferred = 400; $0.teaching = 2
        }
        #expect(plan(workers: 3).next(busy) == .student(lines: 256))
        #expect(plan(workers: 4).next(busy) == .teacher(lines: 32))
        let idle = now {
            $0.pending = 0; $0.deferred = 400; $0.teaching = 2
        }
        #expect(plan(workers: 3).next(idle) == .teacher(lines: 32))
    }

    @Test func partFilledTeacherBatchesRunWhenNothingElseIsToDo() {
        #expect(plan(workers: 2).next(now { $0.deferred = 1 }) == .teacher(lines: 1))
        #expect(
            plan(workers: 2).next(
                now {
                    $0.deferred = 20; $0.idleWorkers = 2
                }) == .teacher(lines: 10))
        let full = now {
            $0.pending = 900; $0.hasFreeJob = false; $0.deferred = 3
        }
        #expect(plan(workers: 1).next(full) == .teacher(lines: 3))
        let backedUp = now {
            $0.pending = 900; $0.deferred = 3; $0.isBackedUp = true
        }
        #expect(plan(workers: 1).next(backedUp) == .teacher(lines: 3))
    }

    @Test func oneWorkerLoadsTheTeacherAndTheOthersGoOn() {
        let loading = now {
            $0.deferred = 400; $0.teaching = 1; $0.teacherIsLoaded = false
        }
        #expect(plan(workers: 4).next(loading) == .wait)
    }

    @Test func nothingToDo() {
        #expect(plan(workers: 1).next(now { _ in }) == .wait)
        #expect(
            plan(workers: 1).next(
                now {
                    $0.pending = 5; $0.hasFreeJob = false
                }) == .wait)
    }
}
