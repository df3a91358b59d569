import Cascade
import Configuration
import Models
import Streams
import Synchronization

/// Makes the routes of one source: the sinks that take its answers, with their filters and formats.
///
/// The sinks can be replaced; lines in flight keep the previous ones.
package final class SinkRouting: AnswerRouting {
    /// A sink with its settings.
    package struct Wired: Sendable {
        package var settings: SinkSettings
        package var target: SinkTarget

        package init(settings: SinkSettings, target: SinkTarget) {
            self.settings = settings
            self.target = target
        }
    }

    package struct Sinks: Sendable {
        package var wired: [Wired]
        package var deadLetter: SinkTarget?

        package init(wired: [Wired], deadLetter: SinkTarget?) {
            self.wired = wired
            self.deadLetter = deadLetter
        }
    }

    private let source: String
    /// The JSON field that holds the source's text; empty for other formats.
    private let field: String
    private let metrics: DaemonMetrics
    private let sinks: Mutex<Sinks>

    package init(source: String, field: String, metrics: DaemonMetrics, sinks: Sinks) {
        self.source = source
        self.field = field
        self.metrics = metrics
        self.sinks = Mutex(sinks)
    }

    package func replace(_ new: Sinks) { sinks.withLock { $0 = new } }

    package func routes(for models: CascadeModels) -> AnswerRoutes {
        let sinks = sinks.withLock { $0 }
        let labels = models.student.labels
        let mine = sinks.wired.filter {
            $0.settings.filter.sources.isEmpty || $0.settings.filter.sources.contains(source)
        }
        let set = SinkSet(
            targets: mine.map(\.target), deadLetter: sinks.deadLetter, labels: labels,
            student: models.student.version, teacher: models.teacher?.version, labelMetrics: metrics.labels(labels))
        return AnswerRoutes(
            mine.map { route($0, models) }, labels: labels.count,
            refusals: sinks.deadLetter == nil ? nil : DeadLetterEncoder(field: field),
            context: set)
    }

    private func route(_ wired: Wired, _ models: CascadeModels) -> AnswerRoutes.Route {
        let filter = wired.settings.filter
        let labels = models.student.labels
        var splitsByLabel = false
        if case .file(let sink) = wired.target.kind { splitsByLabel = sink.usesLabels }
        return AnswerRoutes.Route(
            encoder: wired.settings.kind.encoder(
                AnswerNaming(
                    source: source, labels: labels, student: models.student.version, teacher: models.teacher?.version)),
            labels: filter.labels.isEmpty ? [] : labels.map { filter.labels.contains($0) }, by: filter.by,
            minimumConfidence: Float(filter.minimumConfidence), splitsByLabel: splitsByLabel)
    }
}

extension DeadLetterEncoder: RefusalEncoder {}
