import CKernels
import Models
import Tensors
import Testing
import Text

@Suite(.enabled(if: TeacherPrecision.bf16.isSupported))
struct TeacherBF16Tests {
    /// The nearest bf16, ties to even.
    static func rounded(_ x: Float) -> Float {
        let bits = x.bitPattern
        return Float(bitPattern: (bits &+ 0x7fff &+ (bits >> 16 & 1)) & 0xffff_0000)
    }

    @Test(arguments: [(1, 1, 1), (4, 32, 2), (13, 40, 7), (29, 96, 33), (30, 70, 64), (12, 33, 100)])
    func productsAreThoseOfRoundedNumbers(shape: (rows: Int, outputs: Int, inputs: Int)) {
        let (rows, outputs, inputs) = shape
        let x = TeacherKernelTests.random(rows * inputs, seed: 1)
        let weights = TeacherKernelTests.random(outputs * inputs, seed: 2)
        var packed = [UInt16](repeating: 0, count: Int(bert_bf16_packed_count(Int64(outputs), Int64(inputs))))
        bert_bf16_pack(&packed, weights, Int64(outputs), Int64(inputs))
        var converted = [UInt16](repeating: 9, count: rows * (inputs + 1) / 2 * 2 + rows)
        bert_bf16_convert(&converted, x, Int64(rows), Int64(inputs))
        // A stride beyond the outputs: what lies between the rows must stay.
        let stride = outputs + 3
        var y = [Float](repeating: -1, count: rows * stride)
        bert_bf16_product(&y, Int64(stride), converted, Int64(rows), packed, Int64(outputs), Int64(inputs))
        for row in 0..<rows {
            for output in 0..<stride {
                guard output < outputs else {
                    #expect(y[row * stride + output] == -1)
                    continue
                }
                let sum = (0..<inputs).reduce(0.0) {
                    $0 + Double(Self.rounded(x[row * inputs + $1]) * Self.rounded(weights[output * inputs + $1]))
                }
                #expect(abs(Double(y[row * stride + output]) - sum) < 1e-5 * Double(inputs))
            }
        }
    }

    /// Numbers of eight bits lose about 0.4 % each; what comes out is near the f32 model's.
    @Test(arguments: TeacherGolden.names)
    func logitsAreNearThoseOfF32(name: String) throws {
        let golden = try TeacherGolden.read(name)
        let exact = try TeacherGolden.teacher(name).logits(of: golden.batch)
        let rounded = try TeacherGolden.teacher(name, precision: .bf16).logits(of: golden.batch)
        let spread = exact.map { abs($0) }.max() ?? 1
        for (a, b) in zip(rounded, exact) { #expect(abs(a - b) < 0.05 * spread) }
        #expect(rounded != exact)
    }
}
