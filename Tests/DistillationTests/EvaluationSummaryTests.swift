import Diagnostics
import Distillation
import Foundation
import Models
import Testing

@Suite struct EvaluationSummaryTests {
    static let labels = ["car", "culture", "edu", "game", "sports"]
    let student = FakeClassifier(
        labels: labels, version: "student-v3", skill: 0.76, salt: 1, sharpness: 1.6, temperature: 1.4,
        deferralThreshold: 0.7)
    let teacher = FakeClassifier(labels: labels, version: "teacher-v1", skill: 0.82, salt: 2)

    private func measured(
        _ student: FakeClassifier?, _ teacher: FakeClassifier?, count: Int = 1200, unlabelledEvery: Int = 10,
        name: String = "holdout.jsonl"
    ) throws -> EvaluationSummary {
        let labels = try EvaluationSummary.labels(student: student, teacher: teacher)
        return try EvaluationSummary.measure(
            FakeData.lines(labels: labels, count: count, unlabelledEvery: unlabelledEvery), name: name,
            student: student, teacher: teacher, evaluator: Evaluator(),
            clock: SteppingClock(step: .milliseconds(2)))
    }

    @Test func rowsWithoutALabelAreSkippedAndCounted() throws {
        let summary = try measured(student, nil)
        #expect(summary.lineCount == 1080)
        #expect(summary.skippedCount == 120)
        #expect(summary.student?.confusion.total == 1080)
        #expect(summary.teacher == nil && summary.cascade == nil)
    }

    @Test func theFiguresBelongTogether() throws {
        let summary = try measured(student, teacher)
        let own = try #require(summary.student)
        let other = try #require(summary.teacher)
        let cascade = try #require(summary.cascade)
        #expect(abs(own.report.accuracy - 0.76) < 0.06)
        #expect(own.temperature == 1.4 && other.temperature == 1)
        #expect(own.calibrationErrorBefore != own.calibrationErrorAfter)
        #expect(other.calibrationErrorBefore == other.calibrationErrorAfter)
        #expect(cascade.curve.point(share: 0).accuracy == own.report.accuracy)
        #expect(cascade.curve.point(share: 1).accuracy == other.report.accuracy)
        #expect(cascade.bothRight + cascade.onlyStudentRight + cascade.onlyTeacherRight + cascade.bothWrong == 1080)
        #expect(abs(cascade.gap.difference - (other.report.accuracy - own.report.accuracy)) < 1e-12)
        #expect(cascade.ownPoint?.deferred == own.calibrated.confidences.count { $0 < 0.7 })
        #expect(cascade.agreement > 0.55 && cascade.agreement < 0.75)
    }

    /// The same teacher with its labels in another order is the same teacher.
    @Test func theTeachersColumnsFollowTheStudentsOrder() throws {
        let plain = try measured(student, teacher)
        struct Reordered: LineClassifier {
            let base: FakeClassifier
            let order = [4, 2, 0, 3, 1]
            var labels: [String] { order.map { base.labels[$0] } }
            var version: String { base.version }
            func makeScorer() -> any LineScorer { Scorer(model: self) }

            final class Scorer: LineScorer {
                let model: Reordered
                init(model: Reordered) { self.model = model }
                func score(_ batch: LineBatch, into logits: UnsafeMutableBufferPointer<Float>, deadline: UInt64?) {
                    batch.forEachLine { line, bytes in
                        let own = model.base.logits(String(decoding: bytes, as: UTF8.self))
                        for (new, old) in model.order.enumerated() { logits[line * 5 + new] = own[old] }
                    }
                }
            }
        }
        let reordered = Reordered(base: teacher)
        #expect(try EvaluationSummary.labels(student: student, teacher: reordered) == Self.labels)
        let summary = try EvaluationSummary.measure(
            FakeData.lines(labels: Self.labels, count: 1200, unlabelledEvery: 10), name: "x", student: student,
            teacher: reordered, evaluator: Evaluator(), clock: SteppingClock(step: .milliseconds(2)))
        #expect(summary.teacher?.confusion == plain.teacher?.confusion)
        #expect(summary.cascade?.agreement == plain.cascade?.agreement)
    }

    @Test func modelsWithDifferentLabelsAreRefusedByName() {
        var other = teacher
        other.labels = ["car", "culture", "edu", "game", "house"]
        do {
            _ = try EvaluationSummary.labels(student: student, teacher: other)
            Issue.record("different labels were taken")
        } catch {
            #expect(error.code == .invalidData)
            #expect(error.message.contains("house") && error.message.contains("sports"))
            #expect(error.message.contains("student-v3") && error.message.contains("teacher-v1"))
        }
    }

    @Test func withoutModelsOrLabelsThereIsNothingToMeasure() throws {
        do {
            _ = try EvaluationSummary.labels(student: nil, teacher: nil)
            Issue.record("no model was taken")
        } catch {
            #expect(error.code == .usage)
        }
        do {
            _ = try measured(student, nil, count: 20, unlabelledEvery: 1)
            Issue.record("no label was taken")
        } catch {
            #expect((error as? UnderstudyError)?.code == .invalidData)
            #expect("\(error)".contains("none of the 20 rows has a label"))
        }
    }

    @Test func theTextHoldsEveryTable() throws {
        let text = try measured(student, teacher).text()
        for part in [
            "holdout.jsonl: 1,080 labelled lines (120 without a label skipped)", "student student-v3",
            "precision    recall  f1-score   support", "macro avg", "weighted avg", "true \\ predicted",
            "ECE, temperature 1", "ECE, own temperature", "AURC", "AUGRC", "lines/s", "p50 per line", "p99 per line",
            "deferred  ", "100 %", "own threshold: ", "agreement ", "teacher − student ",
        ] { #expect(text.contains(part), "\(part)") }
        #expect(text.contains("2.000 ms"))
        #expect(text.contains("540,000"))
        #expect(!text.contains(" \n"), "no line ends in a blank")
    }

    @Test func theJSONHoldsEverything() throws {
        let summary = try measured(student, teacher)
        let object = try #require(
            try JSONSerialization.jsonObject(with: Data(summary.json().utf8)) as? [String: Any])
        let model = try #require(object["student"] as? [String: Any])
        #expect(object["lines"] as? Int == 1080)
        #expect(object["skipped_lines"] as? Int == 120)
        #expect(object["labels"] as? [String] == Self.labels)
        #expect(summary.json().contains("\"accuracy\": \(try #require(summary.student).report.accuracy)"))
        #expect(model["temperature"] as? Double == 1.4)
        #expect((model["confusion_matrix"] as? [[Int]])?.flatMap { $0 } == summary.student?.confusion.counts)
        #expect((model["per_label"] as? [String: Any])?.count == 5)
        #expect(((model["at_temperature_1"] as? [String: Any])?["bins"] as? [Any])?.count == 15)
        #expect((model["speed"] as? [String: Any])?["latency_p99_milliseconds"] as? Double == 2)
        let cascade = try #require(object["cascade"] as? [String: Any])
        #expect((cascade["cost_accuracy_table"] as? [[String: Any]])?.count == 7)
        #expect((cascade["cost_accuracy_curve"] as? [[String: Any]])?.count == 21)
        let alone = try measured(nil, teacher).json()
        #expect(alone.contains("\"student\": null") && alone.contains("\"cascade\": null"))
    }

    /// Label names that try to break out of whatever they are written into.
    @Test func hostileNamesStayText() throws {
        let names = ["<script>alert(1)</script>", "\"'><img src=x onerror=y>", "a\u{1B}[31m\nb", "\u{202E}txt", "体育"]
        var hostile = student
        hostile.labels = names
        hostile.version = "</title><svg onload=z>"
        var other = teacher
        other.labels = names
        let summary = try measured(hostile, other, name: "x&<y>.jsonl")
        let page = summary.page()
        for tag in ["<script", "<img", "<svg onload", "\u{1B}", "\u{202E}"] { #expect(!page.contains(tag)) }
        #expect(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"))
        #expect(page.contains("x&amp;&lt;y&gt;.jsonl"))
        #expect(page.contains("体育"))
        let text = summary.text()
        #expect(!text.contains("\u{1B}") && !text.contains("\u{202E}"))
        #expect(text.contains("a\\u{1b}[31m\\u{a}b"))
        let json = try JSONSerialization.jsonObject(with: Data(summary.json().utf8)) as? [String: Any]
        #expect(json?["labels"] as? [String] == names)
    }

    /// The page is well formed (read as XML once the two tags without an end are closed) and loads nothing.
    @Test(arguments: [(true, true), (true, false), (false, true)])
    func thePageIsWellFormedAndSelfContained(hasStudent: Bool, hasTeacher: Bool) throws {
        let summary = try measured(hasStudent ? student : nil, hasTeacher ? teacher : nil)
        let page = summary.page()
        #expect(tagsBalance(page))
        for reference in ["http:", "https:", "src=", "href=", "url(", "@import", "<script"] {
            #expect(!page.contains(reference), "\(reference)")
        }
        #expect(page.components(separatedBy: "<svg").count - 1 == (hasStudent && hasTeacher ? 6 : hasStudent ? 3 : 2))
        #expect(!page.contains("nan") && !page.contains("inf\""))
        #expect(page.contains("prefers-color-scheme:dark"))
        // No markup is escaped.
        #expect(!page.contains("&lt;"))
    }

    private func tagsBalance(_ page: String) -> Bool {
        var open: [Substring] = []
        var rest = page[...]
        while let start = rest.firstIndex(of: "<"), let end = rest[start...].firstIndex(of: ">") {
            let tag = rest[rest.index(after: start)..<end]
            rest = rest[rest.index(after: end)...]
            if tag.hasPrefix("!") || tag.hasSuffix("/") || tag.hasPrefix("meta") { continue }
            if tag.hasPrefix("/") {
                guard open.popLast() == tag.dropFirst() else { return false }
            } else {
                open.append(tag.prefix { !$0.isWhitespace })
            }
        }
        return open.isEmpty
    }
}
