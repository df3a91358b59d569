import Diagnostics
import Distillation
import Models
import Store

extension FuzzTargets {
    /// A training file. Its rows must be text, its labels distinct and in order, and reading it with these labels must
    /// give the same rows.
    static func trainingData(_ bytes: [UInt8]) {
        do throws(UnderstudyError) {
            let data = try DataSet.parse(bytes, name: "data.jsonl")
            hold(!data.isEmpty && data.labelIndices.count == data.count, "rows and labels don't match")
            hold(isText(data.lines.bytes), "texts that aren't UTF-8")
            hold(Set(data.labels).count == data.labels.count, "a label twice")
            for index in 0..<data.count { hold(isText(data.id(index).utf8), "an id that isn't UTF-8") }
            let again = try DataSet.parse(bytes, name: "data.jsonl", labels: data.labels)
            hold(again.labelIndices == data.labelIndices, "labels read by their order are others")
        } catch {
            refuse(error)
        }
    }

    /// A file of human labels, line by line.
    static func humanLabels(_ bytes: [UInt8]) {
        let reader = HumanLabelReader()
        for line in bytes.split(separator: 0x0A, omittingEmptySubsequences: false) {
            line.withUnsafeBufferPointer { line in
                do throws(HumanLabelReader.Problem) {
                    guard let label = try reader.read(line) else { return }
                    hold(isText((label.label ?? "").utf8), "a label that isn't UTF-8")
                } catch {
                    hold(!error.reason.isEmpty, "a problem without words")
                }
            }
        }
    }

    private static let logitsFolder = FuzzFolder("teacher-logits")

    /// A file of a teacher's logits. An accepted file must give the same logits when it is opened again.
    static func teacherLogits(_ bytes: [UInt8]) {
        let path = logitsFolder.write(bytes, to: "logits.jsonl")
        do throws(UnderstudyError) {
            let first = try TeacherLogitsFile(path: path, teacher: "t", labels: ["a", "b"])
            for id in 0..<16 as Range<UInt64> {
                hold(first.values(id)?.allSatisfy(\.isFinite) ?? true, "logits that aren't finite")
            }
            let count = first.count
            let again = try TeacherLogitsFile(path: path, teacher: "t", labels: ["a", "b"])
            hold(again.count == count, "\(count) lines, and \(again.count) when opened again")
        } catch {
            refuse(error)
        }
    }
}
