import Diagnostics
import Distillation
import Models
import Store

/// What the log gave, and where student and teacher still disagree.
extension RedistillReport {
    private static let pairs = 8
    private static let examples = 3
    /// Longer lines are cut, in characters.
    private static let longestExample = 90

    private struct Pair: Hashable {
        var student: Int32
        var teacher: Int32
    }

    func disagreements() -> String {
        guard let said = findings.evidence.candidate?.heldOut else { return "" }
        let teacher = findings.evidence.heldOutTeacher
        var lines: [Pair: [Int]] = [:]
        for (line, (student, teacher)) in zip(said, teacher).enumerated() where student != teacher && teacher >= 0 {
            lines[Pair(student: student, teacher: teacher), default: []].append(line)
        }
        let sorted = lines.sorted {
            ($1.value.count, $0.key.student, $0.key.teacher) < ($0.value.count, $1.key.student, $1.key.teacher)
        }
        let cards = sorted.prefix(Self.pairs).map { pair, lines -> String in
            let items = lines.prefix(Self.examples).map { line -> String in
                "<li>\(HTMLText.name(PrintableText.cut(text(line), columns: Self.longestExample)))</li>"
            }
            return "<div class=\"card\"><h3><b>\(label(pair.student)) → \(label(pair.teacher))</b>"
                + "<span>\(lines.count) lines</span></h3><ul class=\"lines\">\(items.joined())</ul></div>\n"
        }
        guard !cards.isEmpty else { return "" }
        return """
            <section>
            <h2>Where student and teacher still disagree</h2>
            <p class="say">On the log’s held-out lines: what the candidate says → what the teacher says.</p>
            <div class="grid start">
            \(cards.joined())</div>
            </section>

            """
    }

    /// The beginning of a held-out line: no longer one gets into the page, whatever the log holds.
    private func text(_ line: Int) -> String {
        String(findings.harvest.heldOut.text(line).unicodeScalars.prefix(4 * Self.longestExample).map(Character.init))
    }

    private func label(_ index: Int32) -> String {
        let labels = findings.materials.labels
        return labels.indices.contains(Int(index)) ? HTMLText.name(labels[Int(index)]) : "?"
    }

    func origins() -> String {
        let counts = findings.harvest.counts
        let materials = findings.materials
        func number(_ value: Int) -> String { NumberText.grouped(value) }
        var log: [(String, String)] = [
            ("rows read", number(counts.read)), ("learnt from", number(counts.learnt)),
            ("held out", number(counts.heldOut)), ("labelled by people", number(counts.humanLabels)),
            ("same text as a newer row", number(counts.duplicates)),
            ("nearly the same", number(counts.nearDuplicates)),
            ("in the holdout, left out", number(counts.inHoldout)),
            ("judged by another teacher", number(counts.otherTeacher)),
            ("about other labels", number(counts.otherLabels)),
            ("unusable or damaged", number(counts.unusable + counts.damaged)),
            ("replayed of the base set", number(findings.replay.count)),
        ]
        if let window = findings.harvest.window {
            log.append(("answered", "\(TimeText.minute(window.first)) to \(TimeText.minute(window.last)) UTC"))
        }
        let lineage: [(String, String)] = [
            ("candidate", HTMLText.name(run.content.candidate ?? "not published")),
            ("parent", HTMLText.name(materials.serving.version)),
            ("its fingerprint", materials.servingFingerprint), ("teacher", HTMLText.name(materials.teacher.version)),
            ("its fingerprint", materials.teacherFingerprint), ("base transfer set", materials.trainFingerprint),
            ("holdout", materials.holdoutFingerprint), ("seed", String(findings.seed)),
        ]
        func list(_ facts: [(String, String)]) -> String {
            "<dl class=\"facts\">" + facts.map { "<dt>\($0)</dt><dd>\($1)</dd>" }.joined() + "</dl>"
        }
        return """
            <section>
            <h2>Where it comes from</h2>
            <div class="grid start">
            <div class="card"><h3>The log</h3>\(list(log))</div>
            <div class="card"><h3>Lineage</h3>\(list(lineage))</div>
            </div>
            </section>

            """
    }
}
