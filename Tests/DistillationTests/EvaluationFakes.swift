import Bytes
import Distillation
import Foundation
import Models
import Synchronization

/// A classifier whose logits are a function of the text alone: right with a given probability, more confident when right.
struct FakeClassifier: CalibratedClassifier {
    var labels: [String]
    var version: String
    /// The share of lines that it gets right.
    var skill: Double
    /// Another salt makes other mistakes.
    var salt: UInt64 = 0
    var sharpness: Float = 1
    var temperature: Float = 1
    var deferralThreshold: Float?
    /// Returns a logit that isn't a number for lines that contain "broken".
    var breaks = false
    var record: BatchRecord?

    func makeScorer() -> any LineScorer { Scorer(model: self) }

    /// The sizes of the batches that were asked for, of all scorers.
    final class BatchRecord: Sendable {
        let sizes = Mutex<[Int]>([])
        let scorers = Mutex(0)
    }

    final class Scorer: LineScorer {
        let model: FakeClassifier

        init(model: FakeClassifier) {
            self.model = model
            model.record?.scorers.withLock { $0 += 1 }
        }

        func score(_ batch: LineBatch, into logits: UnsafeMutableBufferPointer<Float>, deadline: UInt64?) {
            model.record?.sizes.withLock { $0.append(batch.count) }
            batch.forEachLine { line, bytes in
                let text = String(decoding: bytes, as: UTF8.self)
                for (label, value) in model.logits(text).enumerated() {
                    logits[line * model.labels.count + label] = value
                }
            }
        }
    }

    /// A line is "LABEL NUMBER …": its label is the first word.
    func logits(_ text: String) -> [Float] {
        func chance(_ use: UInt64) -> Double {
            Double(StableHash.mixed(StableHash.hash(text, salt: salt) ^ use) >> 11) * 0x1p-53
        }
        let truth = labels.firstIndex { text.hasPrefix($0 + " ") } ?? 0
        let isRight = chance(1) < skill
        let said = isRight ? truth : (truth + 1 + Int(chance(2) * Double(labels.count - 1))) % labels.count
        let doubt = Float(isRight ? chance(3) * chance(4) : chance(3).squareRoot())
        return labels.indices.map { label in
            if breaks && text.contains("broken") { return .nan }
            let noise = Float(chance(UInt64(label) + 10)) * 0.4
            return (label == said ? 3.2 - 2.6 * doubt : noise) * sharpness
        }
    }
}

/// A clock that advances by a fixed step each time it is read.
struct SteppingClock: Clock {
    struct Instant: InstantProtocol {
        var offset: Duration
        func advanced(by duration: Duration) -> Instant { Instant(offset: offset + duration) }
        func duration(to other: Instant) -> Duration { other.offset - offset }
        static func < (one: Instant, other: Instant) -> Bool { one.offset < other.offset }
    }

    final class Hands: Sendable {
        let time = Mutex(Duration.zero)
    }

    let step: Duration
    let hands = Hands()

    var now: Instant {
        hands.time.withLock { time in
            time += step
            return Instant(offset: time)
        }
    }
    var minimumResolution: Duration { step }
    func sleep(until deadline: Instant, tolerance: Duration?) async throws {}
}

enum FakeData {
    /// `count` lines "LABEL NUMBER …" of different lengths; every `unlabelledEvery`th without a label.
    static func lines(labels: [String], count: Int, unlabelledEvery: Int = 0) -> DataSet {
        let texts = (0..<count).map { index in
            "\(labels[index % labels.count]) \(index) " + String(repeating: "新闻", count: index * 7 % 13)
        }
        return DataSet(
            labels: labels, lines: LineBatch(texts),
            labelIndices: (0..<count).map { index in
                unlabelledEvery > 0 && index % unlabelledEvery == 0 ? -1 : Int32(index % labels.count)
            })
    }
}
