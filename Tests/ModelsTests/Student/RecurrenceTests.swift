import CKernels
import Glibc
import Tensors
import Testing

/// One step of the fast path's recurrence against the same arithmetic in plain Swift.
@Suite struct RecurrenceTests {
    private static let levels = [US_PORTABLE, US_AVX2, US_AVXVNNI, US_AVX512]

    /// What a step starts from and ends in, (rows, units) each; h is kept as f32 here.
    fileprivate struct States {
        var hidden: [Float]
        var cell: [Float]
        var maximum: [Float]
        var sum: [Float]
    }

    fileprivate struct Problem {
        let units: Int
        let rows: Int
        let weights: [Float]
        let projections: [[Float]]
        let before: States

        init(units: Int, rows: Int, seed: UInt64) {
            self.units = units
            self.rows = rows
            var generator = SeededGenerator(seed: seed)
            func random(_ count: Int, _ scale: Float) -> [Float] {
                (0..<count).map { _ in (Float(generator.next() >> 40) / Float(1 << 24) - 0.5) * 2 * scale }
            }
            weights = random(4 * units * units, 0.4)
            projections = (0..<rows).map { _ in random(4 * units, 3) }
            before = States(
                hidden: random(rows * units, 0.99), cell: random(rows * units, 2),
                maximum: random(rows * units, 0.9), sum: random(rows * units, 5))
        }

        /// - Parameter rounded: weights and states of 8 bits, as i8 keeps them.
        func expected(rounded: Bool, isFirst: Bool) -> States {
            var after = before
            for row in 0..<rows {
                for unit in 0..<units {
                    let gates = (0..<4).map { gate -> Float in
                        let line = weights[(gate * units + unit) * units..<(gate * units + unit + 1) * units]
                        let greatest = line.map(abs).max() ?? 0
                        var sum: Float = 0
                        for (k, weight) in line.enumerated() where !isFirst {
                            let h = before.hidden[row * units + k]
                            sum +=
                                rounded
                                ? (h * 127).rounded(.toNearestOrEven)
                                    * (weight / greatest * 127).rounded(.toNearestOrEven)
                                    * greatest / (127 * 127) : h * weight
                        }
                        return sum + Float(Float16(projections[row][gate * units + unit]))
                    }
                    func sigmoid(_ x: Float) -> Float { 1 / (1 + exp(-x)) }
                    let at = row * units + unit
                    let kept = isFirst ? 0 : sigmoid(gates[1]) * before.cell[at]
                    let cell = kept + sigmoid(gates[0]) * tanh(gates[2])
                    let hidden = sigmoid(gates[3]) * tanh(cell)
                    after.cell[at] = cell
                    after.hidden[at] = hidden
                    after.maximum[at] = isFirst ? hidden : max(before.maximum[at], hidden)
                    after.sum[at] = isFirst ? hidden : before.sum[at] + hidden
                }
            }
            return after
        }

        func run(_ precision: us_recurrence_precision, isFirst: Bool) -> States {
            let code = Int32(precision.rawValue)
            let padded = (units + 15) / 16 * 16
            let packed = AlignedBuffer<UInt8>(zeros: Int(us_recurrence_bytes(Int32(padded), code)))
            us_pack_recurrence(Int32(units), Int32(padded), code, weights, packed.pointer)
            let projected = projections.map { projection in
                let buffer = AlignedBuffer<UInt16>(zeros: 4 * padded)
                us_pack_projection(Int32(units), Int32(padded), code, projection, buffer.pointer)
                return buffer
            }
            let pointers = AlignedBuffer<UnsafePointer<UInt16>?>(projected.map { UnsafePointer($0.pointer) })
            func spread(_ values: [Float]) -> AlignedBuffer<Float> {
                let buffer = AlignedBuffer<Float>(zeros: rows * padded)
                for row in 0..<rows {
                    for unit in 0..<units { buffer[row * padded + unit] = values[row * units + unit] }
                }
                return buffer
            }
            func gathered(_ value: (Int) -> Float) -> [Float] {
                (0..<rows).flatMap { row in (0..<units).map { value(row * padded + $0) } }
            }
            let hidden = spread(before.hidden)
            let previous = AlignedBuffer<UInt8>(zeros: rows * padded * 4)
            let next = AlignedBuffer<UInt8>(zeros: rows * padded * 4)
            Self.write(hidden, to: previous, precision)
            let (cell, maximum, sum) = (spread(before.cell), spread(before.maximum), spread(before.sum))
            var step = us_step()
            step.units = Int32(padded)
            step.precision = code
            step.weights = UnsafeRawPointer(packed.pointer)
            step.rows = Int32(rows)
            step.projections = UnsafePointer(pointers.pointer)
            step.next = UnsafePointer(pointers.pointer)
            step.h_previous = isFirst ? nil : UnsafeRawPointer(previous.pointer)
            step.h_next = UnsafeMutableRawPointer(next.pointer)
            step.cell = cell.pointer
            step.maximum = maximum.pointer
            step.sum = sum.pointer
            withExtendedLifetime((packed, projected, previous)) { us_recurrence_step(&step) }
            return States(
                hidden: gathered { Self.read(next, $0, precision) }, cell: gathered { cell[$0] },
                maximum: gathered { maximum[$0] }, sum: gathered { sum[$0] })
        }

        private static func write(
            _ values: AlignedBuffer<Float>, to buffer: AlignedBuffer<UInt8>, _ precision: us_recurrence_precision
        ) {
            let raw = UnsafeMutableRawPointer(buffer.pointer)
            for index in 0..<values.count {
                let whole = (values[index] * 127).rounded(.toNearestOrEven)
                switch precision {
                case US_RECURRENCE_F32: raw.storeBytes(of: values[index], toByteOffset: 4 * index, as: Float.self)
                case US_RECURRENCE_BF16:
                    raw.storeBytes(of: HalfPrecision.bf16(values[index]), toByteOffset: 2 * index, as: UInt16.self)
                case US_RECURRENCE_I8: raw.storeBytes(of: Int16(whole), toByteOffset: 2 * index, as: Int16.self)
                default: raw.storeBytes(of: UInt8(whole + 128), toByteOffset: index, as: UInt8.self)
                }
            }
        }

        private static func read(
            _ buffer: AlignedBuffer<UInt8>, _ index: Int, _ precision: us_recurrence_precision
        ) -> Float {
            let raw = UnsafeRawPointer(buffer.pointer)
            return switch precision {
            case US_RECURRENCE_F32: raw.load(fromByteOffset: 4 * index, as: Float.self)
            case US_RECURRENCE_BF16:
                HalfPrecision.single(fromBF16: raw.load(fromByteOffset: 2 * index, as: UInt16.self))
            case US_RECURRENCE_I8: Float(raw.load(fromByteOffset: 2 * index, as: Int16.self)) / 127
            default: (Float(raw.load(fromByteOffset: index, as: UInt8.self)) - 128) / 127
            }
        }
    }

    private static func precisions() -> [us_recurrence_precision] {
        var all = [US_RECURRENCE_F32, US_RECURRENCE_I8]
        if us_has_bf16() == 1 { all.append(US_RECURRENCE_BF16) }
        if us_byte_recurrence() == US_RECURRENCE_VNNI.rawValue { all.append(US_RECURRENCE_VNNI) }
        if us_byte_recurrence() == US_RECURRENCE_AVXVNNI.rawValue { all.append(US_RECURRENCE_AVXVNNI) }
        if bert_i8_named("avxvnni-emulated") != nil { all.append(US_RECURRENCE_VNNI_EMULATED) }
        return all
    }

    @Test(arguments: [(1, 1), (16, 5), (20, 7), (48, 13), (64, 6)])
    func aStepIsThatOfTheReference(shape: (units: Int, rows: Int)) {
        defer { us_force_level(us_best_level()) }
        let problem = Problem(units: shape.units, rows: shape.rows, seed: UInt64(shape.units))
        for level in Self.levels {
            us_force_level(Int32(level.rawValue))
            for precision in Self.precisions() {
                for isFirst in [false, true] {
                    let whole = precision != US_RECURRENCE_F32 && precision != US_RECURRENCE_BF16
                    let expected = problem.expected(rounded: whole, isFirst: isFirst)
                    let found = problem.run(precision, isFirst: isFirst)
                    // bf16's weights and states have 8 bits each; the squashing of all but f32 is within 2e-4.
                    let tolerance: Float =
                        precision == US_RECURRENCE_BF16 ? 0.03 : precision == US_RECURRENCE_F32 ? 1e-4 : 1e-3
                    let place = "level \(level.rawValue), precision \(precision.rawValue), first \(isFirst)"
                    Self.expectNear(found.cell, expected.cell, tolerance * 2, place)
                    Self.expectNear(found.maximum, expected.maximum, tolerance, place)
                    Self.expectNear(found.sum, expected.sum, tolerance, place)
                    Self.expectNear(found.hidden, expected.hidden, whole ? 0.006 : tolerance, place)
                }
            }
        }
    }

    private static func expectNear(_ found: [Float], _ expected: [Float], _ tolerance: Float, _ place: String) {
        let worst = zip(found, expected).map { abs($0 - $1) }.max() ?? 0
        #expect(worst <= tolerance, "\(place): \(worst)")
    }

    /// Gates far from zero, where the rational function is clamped.
    @Test func saturatedGatesStaySaturated() {
        let units = 16
        var problem = Problem(units: units, rows: 1, seed: 9)
        problem = Problem(units: units, rows: 1, weights: problem.weights, projection: 40, before: problem.before)
        for precision in Self.precisions() {
            let found = problem.run(precision, isFirst: true)
            // σ(40) · tanh(1) with c = σ(40) · tanh(40) = 1.
            for hidden in found.maximum { #expect(abs(hidden - tanh(1)) < 3e-4) }
        }
    }
}

extension RecurrenceTests.Problem {
    fileprivate init(units: Int, rows: Int, weights: [Float], projection: Float, before: RecurrenceTests.States) {
        self.units = units
        self.rows = rows
        self.weights = weights
        projections = (0..<rows).map { _ in [Float](repeating: projection, count: 4 * units) }
        self.before = before
    }
}
