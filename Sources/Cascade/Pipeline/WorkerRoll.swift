/// The kinds of work that a worker takes.
package enum WorkerRole: Sendable {
    case student
    case teacher
    case both
}

/// The workers: how many of them are idle, and which of them respond to liveness checks.
package struct WorkerRoll: Sendable {
    /// Idle workers that run the student, and idle workers that run only the teacher.
    package private(set) var idleStudents = 0
    package private(set) var idleTeachers = 0
    /// Number of the newest liveness check, and the number of the newest one that each worker has responded to.
    private var check = 0
    private var heard: [Int]

    package init(workers: Int) {
        heard = Array(repeating: 0, count: workers)
    }

    package func idle(_ role: WorkerRole) -> Int { role == .teacher ? idleTeachers : idleStudents }

    package mutating func becomeIdle(_ role: WorkerRole) { change(role, by: 1) }

    package mutating func becomeBusy(_ role: WorkerRole) { change(role, by: -1) }

    private mutating func change(_ role: WorkerRole, by step: Int) {
        if role == .teacher { idleTeachers += step } else { idleStudents += step }
    }

    // MARK: Liveness

    package mutating func beginCheck() { check += 1 }

    /// Responds to the newest check. Returns whether the worker had not yet done so.
    package mutating func respond(_ worker: Int) -> Bool {
        guard heard[worker] < check else { return false }
        heard[worker] = check
        return true
    }

    /// Removes a worker that has ended: no check waits for it.
    package mutating func leave(_ worker: Int) { heard[worker] = .max }

    /// Number of workers that have not responded to the newest check.
    package var silent: Int { heard.count { $0 < check } }
}
