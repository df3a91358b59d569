import Foundation
import Tensors
import TestSupport
import Testing

/// What the writer writes loads in Python's safetensors, NumPy and PyTorch.
///
/// Needs an interpreter with those packages, named by UNDERSTUDY_PYTHON; skipped without it.
@Suite(.offPool) struct SafetensorsPythonTests {
    private static let python = ProcessInfo.processInfo.environment["UNDERSTUDY_PYTHON"]

    @Test(.enabled(if: python != nil)) func loadsInPython() throws {
        let folder = try TemporaryFolder()
        let matrix = Matrix(rows: 2, columns: 2, values: [1, -0.5, 100, 0] as [Float])
        var writer = SafetensorsWriter(metadata: ["format": "pt", "note": "a \"quoted\"\nline"])
        writer.add("b", matrix, shape: [2, 2], as: .i8)
        writer.add("h", matrix, shape: [2, 2], as: .f16)
        writer.add("f", matrix, shape: [4], as: .f32)
        writer.add("名", Matrix(rows: 1, columns: 1, values: [2.5]), shape: [], as: .f32)
        writer.add("e", Matrix(rows: 0, columns: 3), shape: [0, 3], as: .f32)
        let path = folder.file("ours.safetensors")
        try writer.write(to: path)
        var brains = SafetensorsWriter()
        brains.add("g", matrix, shape: [2, 2], as: .bf16)
        try brains.write(to: folder.file("brains.safetensors"))

        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("Goldens/make-safetensors-goldens.py").path
        let process = Process()
        process.executableURL = URL(fileURLWithPath: try #require(Self.python))
        process.arguments = [script, "--check", path, folder.file("brains.safetensors")]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let text = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        #expect(
            text.split(separator: "\n").map { $0.replacing(folder.path + "/", with: "") } == [
                "ours.safetensors\tb\tint8\t[2, 2]\t[127.0, -64.0, 127.0, 0.0]",
                "ours.safetensors\tb.scale\tfloat32\t[2]\t[\(Double(Float(1) / 127)), \(Double(Float(100) / 127))]",
                "ours.safetensors\te\tfloat32\t[0, 3]\t[]",
                "ours.safetensors\tf\tfloat32\t[4]\t[1.0, -0.5, 100.0, 0.0]",
                "ours.safetensors\th\tfloat16\t[2, 2]\t[1.0, -0.5, 100.0, 0.0]",
                "ours.safetensors\t名\tfloat32\t[]\t[2.5]",
                "ours.safetensors\tmetadata\t[('format', 'pt'), ('note', 'a \"quoted\"\\nline')]",
                "brains.safetensors\tg\tbfloat16\t[2, 2]\t[1.0, -0.5, 100.0, 0.0]",
                "brains.safetensors\tmetadata\tNone",
            ])
    }
}
