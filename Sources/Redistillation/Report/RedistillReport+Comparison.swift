import Diagnostics
import Distillation

/// The serving student and the candidate side by side on the holdout.
extension RedistillReport {
    func costs() -> String {
        guard let after = candidateCascade, let before = servingCascade else { return "" }
        return """
            <section>
            <h2>What the teacher’s help buys, before and after</h2>
            <p class="say">The least confident lines are deferred first. The higher the curve on the left, the more the \
            student answers well by itself.</p>
            <div class="card">\(CostAccuracyChart.svg(after, before: before))<div class="legend">\
            <span class="cascade"><i></i>with the candidate</span><span class="before"><i></i>with the serving \
            student</span><span class="teacher"><i class="dash"></i>teacher alone</span><span><i class="dots"></i>the \
            candidate’s threshold</span></div></div>
            </section>

            """
    }

    func confidence() -> String {
        guard let serving, let candidate else { return "" }
        func card(_ title: String, _ model: ModelEvaluation) -> String {
            let error = model.calibrationErrorAfter
            return "<div class=\"card\"><h3>\(title), T = \(NumberText.fixed(Double(model.temperature), digits: 2))"
                + "<span>ECE \(HTMLText.percent(error.value, digits: 2))</span></h3>\n"
                + ReliabilityDiagram.svg(error, role: .student)
                + "<div class=\"legend student\"><span><i></i>accuracy</span>"
                + "<span><i class=\"box\"></i>gap to confidence</span></div></div>\n"
        }
        return """
            <section>
            <h2>Does confidence mean probability?</h2>
            <p class="say">Of the lines answered with 80&nbsp;% confidence, 80&nbsp;% should be right. Faint bars hold few \
            lines.</p>
            <div class="grid">
            \(card("Before", serving))\(card("After", candidate))</div>
            </section>

            """
    }

    func mistakes() -> String {
        guard let serving, let candidate else { return "" }
        func card(_ title: String, _ model: ModelEvaluation) -> String {
            "<div class=\"card\"><h3>\(title)<span>"
                + "\(NumberText.grouped(model.confusion.total - model.confusion.correct)) mistakes</span></h3>\n"
                + ReportTables.confusion(model) + "</div>\n"
        }
        return """
            <section>
            <h2>What is taken for what</h2>
            <p class="say">A row holds the holdout’s lines of one true label, a column those given one label.</p>
            <div class="grid\(findings.materials.labels.count > 7 ? " full" : "")">
            \(card("Before", serving))\(card("After", candidate))</div>
            </section>

            """
    }

    func learning() -> String {
        guard let metrics = findings.candidate?.metrics else { return "" }
        let cut = metrics.wasInterrupted ? " The time was over before the last epoch." : ""
        return """
            <section>
            <h2>How it learnt</h2>
            <p class="say">The epoch with the full mark was taken: the best on lines set apart for that. Labels there are \
            people’s where there are any, else the teacher’s.\(cut)</p>
            <div class="grid">
            <div class="card"><h3>Loss on the lines learnt from</h3>\
            \(LearningCurve.svg(
                metrics.losses, best: metrics.bestEpoch, title: "loss", style: "wrong", isShare: false))</div>
            <div class="card"><h3>Accuracy on lines set apart</h3>\
            \(LearningCurve.svg(
                metrics.validationAccuracies, best: metrics.bestEpoch, title: "accuracy", style: "student",
                isShare: true))</div>
            </div>
            </section>

            """
    }
}
