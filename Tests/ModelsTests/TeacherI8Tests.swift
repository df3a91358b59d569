import CKernels
import Models
import Tensors
import Testing
import Text

@Suite(.enabled(if: TeacherPrecision.i8.isSupported))
struct TeacherI8Tests {
    @Test(arguments: [(1, 1, 1), (4, 32, 2), (13, 40, 7), (29, 96, 33), (30, 70, 64), (12, 33, 100), (16, 64, 19)])
    func productsAreThoseOfRoundedNumbers(shape: (rows: Int, outputs: Int, inputs: Int)) {
        let (rows, outputs, inputs) = shape
        let x = TeacherKernelTests.random(rows * inputs, seed: 1)
        let source = Matrix(rows: outputs, columns: inputs)
        source.pointer.update(
            from: TeacherKernelTests.random(outputs * inputs, seed: 2), count: outputs * inputs)
        let weights = QuantisedMatrix(source)
        var packed = [UInt8](repeating: 0, count: Int(bert_i8_packed_bytes(Int64(outputs), Int64(inputs))))
        bert_i8_pack(&packed, weights.values.pointer, weights.scales.pointer, Int64(outputs), Int64(inputs))
        let width = Int(bert_i8_width(Int64(inputs)))
        var converted = [UInt8](repeating: 9, count: rows * width)
        var scales = [Float](repeating: .nan, count: rows)
        bert_i8_convert(&converted, &scales, x, Int64(rows), Int64(inputs))
        // A stride beyond the outputs: what lies between the rows must stay.
        let stride = outputs + 3
        var y = [Float](repeating: -1, count: rows * stride)
        bert_i8_product(&y, Int64(stride), converted, scales, Int64(rows), packed, Int64(outputs), Int64(inputs))
        for row in 0..<rows {
            let greatest = x[row * inputs..<(row + 1) * inputs].map(abs).max() ?? 0
            #expect(abs(scales[row] - greatest / 127) < 1e-6)
            for output in 0..<stride {
                guard output < outputs else {
                    #expect(y[row * stride + output] == -1)
                    continue
                }
                let sum = (0..<inputs).reduce(0) { sum, input in
                    let rounded = (x[row * inputs + input] * (127 / greatest)).rounded(.toNearestOrEven)
                    return sum + Int(rounded) * Int(weights.values[output * inputs + input])
                }
                let expected = Double(sum) * Double(scales[row]) * Double(weights.scales[output])
                // One number in two may be rounded the other way where it lies in the middle.
                #expect(abs(Double(y[row * stride + output]) - expected) < 0.01)
            }
        }
    }

    @Test func aRowOfZerosStaysZero() {
        var converted = [UInt8](repeating: 9, count: 20)
        var scale: Float = .nan
        bert_i8_convert(&converted, &scale, [Float](repeating: 0, count: 18), 1, 18)
        #expect(scale == 0)
        #expect(converted.allSatisfy { $0 == 128 })
    }

    /// Numbers of eight bits lose about 0.4 % each; what comes out is near the f32 model's.
    @Test(arguments: TeacherGolden.names)
    func logitsAreNearThoseOfF32(name: String) throws {
        let golden = try TeacherGolden.read(name)
        let exact = try TeacherGolden.teacher(name).logits(of: golden.batch)
        let rounded = try TeacherGolden.teacher(name, precision: .i8).logits(of: golden.batch)
        let spread = exact.map { abs($0) }.max() ?? 1
        for (a, b) in zip(rounded, exact) { #expect(abs(a - b) < 0.05 * spread) }
        #expect(rounded != exact)
    }
}
