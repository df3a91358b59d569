import CKernels
import Models
import Tensors
import Testing
import Text

/// The kernels of dense layers on bytes. `avxvnni-emulated` is AVX-VNNI without its instruction.
@Suite struct TeacherI8Tests {
    static let names: [String] = ["avx512vnni", "avxvnni", "avxvnni-emulated", "avx2", "dotprod", "neon"]
        .filter { (name: String) in bert_i8_named(name) != nil }

    /// A layer's weights (outputs, inputs), packed for one of the kernels.
    struct Layer {
        let kernels: bert_i8_kernels
        let inputs: Int
        private let packed: AlignedBuffer<UInt8>

        init(_ name: String, _ weights: [Int8], scales: [Float], inputs: Int) throws {
            kernels = try #require(bert_i8_named(name)).pointee
            self.inputs = inputs
            packed = AlignedBuffer(
                zeros: Int(kernels.packed_bytes(weights, Int64(scales.count), Int64(inputs))))
            kernels.pack(packed.pointer, weights, scales, Int64(scales.count), Int64(inputs))
        }

        func converted(_ x: [Float]) -> (bytes: [UInt8], scales: [Float]) {
            let rows = x.count / inputs
            var bytes = [UInt8](repeating: 9, count: rows * Int(kernels.width(Int64(inputs))))
            var scales = [Float](repeating: .nan, count: rows)
            kernels.convert(&bytes, &scales, x, Int64(rows), Int64(inputs))
            return (bytes, scales)
        }

        /// y (rows, stride); what the product doesn't write is −1.
        func product(_ x: [Float], outputs: Range<Int>, stride: Int) -> [Float] {
            let rows = x.count / inputs
            let (bytes, scales) = converted(x)
            var y = [Float](repeating: -1, count: rows * stride)
            kernels.product(
                &y, Int64(stride), bytes, scales, Int64(rows), packed.pointer, Int64(outputs.lowerBound),
                Int64(outputs.count), Int64(inputs))
            return y
        }
    }

    @Test func everyLevelButThePortableOneHasKernels() {
        #expect((bert_i8_best() == nil) == (us_selected_level() == US_PORTABLE.rawValue))
        #expect(bert_i8_named("sse9") == nil)
        #expect(us_selected_level() == US_PORTABLE.rawValue || !Self.names.isEmpty)
    }

    /// The sums are whole numbers, so there is exactly one right result; with inputs that are whole numbers up to 127
    /// there is no doubt about rounding either.
    @Test(
        arguments: names,
        [(1, 1, 1), (4, 32, 2), (13, 40, 7), (29, 96, 33), (30, 70, 64), (12, 33, 100), (16, 64, 19), (203, 72, 384)])
    func productsAreThoseOfWholeNumbers(name: String, shape: (rows: Int, outputs: Int, inputs: Int)) throws {
        let (rows, outputs, inputs) = shape
        var x = TeacherKernelTests.random(rows * inputs, seed: 1).map { max(-127, min(127, ($0 * 90).rounded())) }
        // The greatest magnitude of each row becomes 127: it is 127 here.
        for row in 0..<rows { x[row * inputs + row % inputs] = row % 2 == 0 ? 127 : -127 }
        // A row of only 127 and one of only −127, with the weights' extremes below, give the greatest sums.
        for input in 0..<inputs {
            x[input] = 127
            if rows > 1 { x[inputs + input] = -127 }
        }
        var weights = TeacherKernelTests.random(outputs * inputs, seed: 2).map { Int8(max(-127, min(127, $0 * 80))) }
        for input in 0..<inputs {
            weights[input] = 127
            if outputs > 1 { weights[inputs + input] = -127 }
            if outputs > 2 { weights[2 * inputs + input] = input % 2 == 0 ? 127 : -127 }
            // A file may hold −128 too.
            if outputs > 3 { weights[3 * inputs + input] = -128 }
        }
        let scales = (0..<outputs).map { Float($0 + 1) / 64 }
        let layer = try Layer(name, weights, scales: scales, inputs: inputs)
        #expect(layer.converted(x).scales == [Float](repeating: 1, count: rows))
        func expected(_ row: Int, _ output: Int) -> Float {
            let sum = (0..<inputs).reduce(0) {
                $0 + Int(x[row * inputs + $1]) * Int(weights[output * inputs + $1])
            }
            return Float(sum) * scales[output]
        }
        // All outputs, and from the second panel on; what lies between the rows stays.
        for first in [0, Int(BERT_I8_PANEL)] where first < outputs {
            let (count, stride) = (outputs - first, outputs - first + 3)
            let y = layer.product(x, outputs: first..<outputs, stride: stride)
            for row in 0..<rows {
                for place in 0..<stride {
                    let right = place < count ? expected(row, first + place) : -1
                    #expect(y[row * stride + place] == right, "row \(row), output \(first + place)")
                }
            }
        }
    }

    @Test(arguments: names)
    func inputsAreRoundedToEightBits(name: String) throws {
        for inputs in [1, 5, 8, 31, 64, 100] {
            let x = TeacherKernelTests.random(3 * inputs, seed: 3)
            let layer = try Layer(name, [Int8](repeating: 1, count: inputs), scales: [1], inputs: inputs)
            let (bytes, scales) = layer.converted(x)
            let width = bytes.count / 3
            for row in 0..<3 {
                let greatest = x[row * inputs..<(row + 1) * inputs].map(abs).max() ?? 0
                #expect(abs(scales[row] - greatest / 127) < 1e-6)
                for input in 0..<inputs {
                    let exact = x[row * inputs + input] * (127 / greatest)
                    let byte = bytes[row * width + input]
                    let offset = Int(layer.kernels.offset)
                    let found = offset == 0 ? Int(Int8(bitPattern: byte)) : Int(byte) - offset
                    // A number in the middle between two may be rounded to either.
                    #expect(abs(Float(found) - exact) < 0.5001, "row \(row), input \(input)")
                }
            }
        }
    }

    @Test(arguments: names)
    func aRowOfZerosStaysZero(name: String) throws {
        let layer = try Layer(name, [Int8](repeating: 1, count: 2 * 18), scales: [1, 1], inputs: 18)
        let zeros = [Float](repeating: 0, count: 18)
        #expect(layer.converted(zeros).scales == [0])
        #expect(layer.product(zeros, outputs: 0..<2, stride: 2) == [0, 0])
    }

    /// A model gives the same numbers on every processor: all kernels round inputs alike, and their sums are exact.
    @Test func allKernelsAgree() throws {
        let (rows, outputs, inputs) = (17, 70, 52)
        let x = TeacherKernelTests.random(rows * inputs, seed: 4)
        let weights = TeacherKernelTests.random(outputs * inputs, seed: 5).map { Int8(max(-127, min(127, $0 * 80))) }
        let scales = [Float](repeating: 0.01, count: outputs)
        let results = try Self.names.map {
            try Layer($0, weights, scales: scales, inputs: inputs).product(x, outputs: 0..<outputs, stride: outputs)
        }
        for (name, result) in zip(Self.names, results) { #expect(result == results[0], "\(name)") }
    }

    /// Numbers of eight bits lose about 0.4 % each; the result is near the f32 model's.
    @Test(.enabled(if: TeacherPrecision.i8.isSupported), arguments: TeacherGolden.names)
    func logitsAreNearThoseOfF32(name: String) throws {
        let golden = try TeacherGolden.read(name)
        let exact = try TeacherGolden.teacher(name).logits(of: golden.batch)
        let rounded = try TeacherGolden.teacher(name, precision: .i8).logits(of: golden.batch)
        let spread = exact.map { abs($0) }.max() ?? 1
        for (a, b) in zip(rounded, exact) { #expect(abs(a - b) < 0.05 * spread) }
        #expect(rounded != exact)
    }

    /// A lone line's steps are shared by the threads; the result doesn't depend on who computes which part.
    @Test(.enabled(if: TeacherPrecision.i8.isSupported), arguments: TeacherGolden.names)
    func aLoneLineOnSeveralThreadsGivesTheSame(name: String) throws {
        let golden = try TeacherGolden.read(name)
        let teacher = try TeacherGolden.teacher(name, precision: .i8)
        var lone = TokenBatch()
        lone.append(ids: golden.batch.ids[Int(golden.batch.offsets[0])..<Int(golden.batch.offsets[1])])
        let alone = teacher.logits(of: lone)
        let scorer = teacher.makeScorer(threads: 4)
        for _ in 0..<50 {
            var shared = [Float](repeating: .nan, count: alone.count)
            shared.withUnsafeMutableBufferPointer { scorer.score(lone, into: $0) }
            #expect(shared == alone)
        }
    }
}
