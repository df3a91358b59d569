import Cascade
import Diagnostics
import Glibc
import Streams

/// `kind: journald`, whose records are structured fields
package struct JournalKind: SinkKind {
    package init() {}

    package static let block = Block<JournalKind>("journald", "The journal.") {}

    package static let noun = "the journal"

    package func claimPaths(_ reader: BlockReader, owner: String, filter: SinkFilter) {}

    package func check(_ paths: inout PathCheck, sink: String) {
        if access(JournalSocket.standardPath, W_OK) != 0 {
            paths.add(.warning, "sink '\(sink)'", "the journal isn't running here; answers wait until it is")
        }
    }

    package func encoder(_ naming: AnswerNaming) -> any RecordEncoder {
        JournalRecordEncoder(
            source: naming.source, labels: naming.labels, student: naming.student, teacher: naming.teacher)
    }

    package func open(_ opening: SinkOpening) throws(UnderstudyError) -> OpenedSink {
        .flow(try JournalSink(name: opening.name, whenFull: opening.whenFull))
    }
}

extension JournalRecordEncoder: RecordEncoder {}
