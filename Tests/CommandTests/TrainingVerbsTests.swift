import Foundation
import TestSupport
import Testing

/// `train teacher`, `distill`, `evaluate` and `tokenize` from outside, on the sample headlines.
@Suite(.offPool, .enabled(if: Program.hasBundledModels, "the bundled models aren't there"), .serialized)
final class TrainingVerbsTests {
    private let folder: URL
    private let data: String
    private let held: String
    private let teacher = Program.repository.appendingPathComponent("share/models/teacher").path
    private let student = Program.repository.appendingPathComponent("share/models/student").path

    init() throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("understudy-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let table = try String(
            contentsOf: Program.repository.appendingPathComponent("share/sample/headlines.tsv"), encoding: .utf8)
        let rows = table.split(separator: "\n").map { row in
            let cells = row.split(separator: "\t")
            return "{\"text\":\"\(cells[1])\",\"label\":\"\(cells[0])\"}\n"
        }
        data = folder.appendingPathComponent("lines.jsonl").path
        held = folder.appendingPathComponent("held.jsonl").path
        let isHeld = { (index: Int) in index % 4 == 3 }
        let learnt = rows.indices.filter { !isHeld($0) }.map { rows[$0] }
        try learnt.joined().write(toFile: data, atomically: true, encoding: .utf8)
        let rest = rows.indices.filter(isHeld).map { rows[$0] }
        try rest.joined().write(toFile: held, atomically: true, encoding: .utf8)
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    private func path(_ name: String) -> String { folder.appendingPathComponent(name).path }

    private func weights(_ model: String) throws -> Data {
        try Data(contentsOf: URL(fileURLWithPath: model + "/model.safetensors"))
    }

    private let small = [
        "--hidden-size", "8", "--embedding-size", "8", "--dense-size", "8", "--shortcut-bits", "8", "--augment", "20",
    ]

    @Test func theSameSeedMakesTheSameStudent() throws {
        for (name, seed) in [("a", "1"), ("b", "1"), ("c", "2")] {
            let result = try Program.run(
                ["distill", "--no-teacher", "--train", data, "--validation", held, "--epochs", "2", "--seed", seed]
                    + ["--out", path(name)] + small)
            #expect(result.status == 0, "\(result.errors)")
        }
        #expect(try weights(path("a")) == weights(path("b")))
        #expect(try weights(path("a")) != weights(path("c")))
    }

    @Test func aStudentIsDistilledMeasuredAndUsed() throws {
        let arguments =
            ["distill", "--teacher", teacher, "--train", data, "--validation", held, "--epochs", "40"]
            + ["--loss", "kl", "--temperature", "2", "--batch", "8", "--learning-rate", "0.02"]
            + ["--out", path("s"), "--name", "v7"] + small
        let first = try Program.run(arguments)
        #expect(first.status == 0 && first.errors.contains("teacher teacher"), "\(first.errors)")
        // The second run finds the teacher's logits on disk.
        let second = try Program.run(arguments)
        #expect(second.status == 0 && !second.errors.contains("teacher teacher"), "\(second.errors)")
        // Five classes: chance is 0.2.
        let measured = try Program.run(["evaluate", "--data", data, "--student", path("s"), "--json"])
        let json = try JSONSerialization.jsonObject(with: Data(measured.output.utf8)) as? [String: Any]
        let accuracy = (json?["student"] as? [String: Any])?["accuracy"] as? Double
        #expect((accuracy ?? 0) > 0.7)
        let answer = try Program.run(
            ["classify", "--student", path("s"), "--no-teacher"], input: Array("主场三比一逆转\n".utf8))
        #expect(answer.output.contains("\"student\":\"v7\""))
        for name in ["config.json", "README.md", "metrics.json", "tokenizer.json"] {
            #expect(FileManager.default.fileExists(atPath: path("s") + "/" + name), "\(name)")
        }
    }

    @Test func aTeacherIsFineTunedFromABase() throws {
        let result = try Program.run(
            ["train", "teacher", "--base", teacher, "--train", data, "--validation", held, "--epochs", "1"]
                + ["--layers", "1", "--out", path("t")])
        #expect(result.status == 0, "\(result.errors)")
        let measured = try Program.run(["evaluate", "--data", data, "--teacher", path("t")])
        #expect(measured.status == 0 && measured.output.contains("precision"))
    }

    @Test func teachersAndStudentsOfDifferentLabelsAreRefusedByName() throws {
        let other = path("other.jsonl")
        try """
        {"text":"晴天","label":"weather"}
        {"text":"股市上涨","label":"stocks"}

        """.write(toFile: other, atomically: true, encoding: .utf8)
        let more = path("more.jsonl")
        try "{\"text\":\"下雨\",\"label\":\"weather\"}\n".write(toFile: more, atomically: true, encoding: .utf8)
        let made = try Program.run(
            ["distill", "--no-teacher", "--train", other, "--validation", more, "--epochs", "1", "--out", path("w")]
                + small)
        #expect(made.status == 0, "\(made.errors)")
        let result = try Program.run(["classify", "--student", path("w"), "--teacher", teacher], input: [])
        #expect(result.status == 65 && result.errors.contains("weather"), "\(result.errors)")
        let distilled = try Program.run(["distill", "--teacher", teacher, "--train", other, "--out", path("x")])
        #expect(distilled.status == 65 && distilled.errors.contains("weather"), "\(distilled.errors)")
        #expect(!FileManager.default.fileExists(atPath: path("x")))
    }

    @Test func linesThatAllStandInTheValidationSetAreRefused() throws {
        let result = try Program.run(
            ["distill", "--no-teacher", "--train", data, "--validation", data, "--out", path("z")])
        #expect(result.status == 65 && result.errors.contains("validation"), "\(result.errors)")
    }

    @Test func interruptedTrainingKeepsTheBestSoFar() throws {
        // Far more epochs than can be run before the first has been seen to be measured.
        let result = try Program.shell(
            """
            "$U" distill --no-teacher --train '\(data)' --validation '\(held)' --epochs 9000 --batch 1 --out '\(path("i"))' \
            \(small.joined(separator: " ")) 2>'\(path("log"))' & pid=$!
            until grep -q 'epoch 1' '\(path("log"))' || ! kill -0 $pid; do sleep 0.05; done
            kill -TERM $pid; wait $pid; status=$?; cat '\(path("log"))' >&2; exit $status
            """)
        #expect(result.status == 0, "\(result.errors)")
        let metrics = try String(contentsOfFile: path("i") + "/metrics.json", encoding: .utf8)
        #expect(metrics.contains("\"interrupted\": true"))
    }

    @Test func tokenizePrintsWhatTheTeacherSees() throws {
        let result = try Program.run(["tokenize", "--model", teacher], input: Array("新款\n\n".utf8))
        let lines = try result.outputLines.map { try JSONDecoder().decode([Int].self, from: Data($0.utf8)) }
        #expect(lines.count == 2 && lines[0].count > lines[1].count && lines[1].count == 2)
    }

    @Test func missingAndDamagedModelsEndWithASentence() throws {
        for arguments in [
            ["classify", "--student", path("none")], ["tokenize", "--model", path("none")],
            ["evaluate", "--data", data, "--student", path("none")],
            ["distill", "--teacher", path("none"), "--train", data, "--out", path("y")],
            ["train", "teacher", "--base", path("none"), "--train", data, "--out", path("y")],
        ] {
            let result = try Program.run(arguments)
            #expect(result.status == 66 && result.errors.hasPrefix("error: "), "\(arguments): \(result.errors)")
        }
        let damaged = path("damaged")
        try FileManager.default.copyItem(atPath: student, toPath: damaged)
        try Data("{}".utf8).write(to: URL(fileURLWithPath: damaged + "/model.safetensors"))
        let result = try Program.run(["classify", "--student", damaged, "--no-teacher"])
        #expect(result.status == 65 && result.errors.contains("model.safetensors"), "\(result.errors)")
    }
}
