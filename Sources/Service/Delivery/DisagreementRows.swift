import Cascade
import Glibc
import Models
import Store
import Streams

/// What the teacher said about the lines of a job, as rows of the disagreement log.
enum DisagreementRows {
    static func rows(of job: CascadeJob, _ sinks: SinkSet) -> [DisagreementRow] {
        guard let teacher = sinks.teacher, let origin = job.origin else { return [] }
        var rows: [DisagreementRow] = []
        var time: Int64 = 0
        let fingerprint = job.models?.teacher?.fingerprint ?? ""
        job.forEachTeacherAnswer { seen in
            if time == 0 { time = now() }
            rows.append(
                DisagreementRow(
                    id: seen.id, source: origin.source, text: String(decoding: seen.text, as: UTF8.self), time: time,
                    reason: seen.reason == .audit ? .audit : .deferred, studentLogits: Array(seen.studentLogits),
                    teacherLogits: Array(seen.teacherLogits), labels: sinks.labels,
                    studentLabel: sinks.labels[seen.student.label], teacherLabel: sinks.labels[seen.teacher.label],
                    studentConfidence: seen.student.confidence, teacherConfidence: seen.teacher.confidence,
                    student: sinks.student, teacher: teacher, teacherFingerprint: fingerprint))
        }
        return rows
    }

    /// Microseconds since 1970.
    private static func now() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000
    }
}
