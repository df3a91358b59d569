import ArgumentParser
import CKernels
import Models
import Tensors

/// The recurrence's kernel alone, with weights and inputs of chance: operations per second, counting a multiplication
/// and an addition for each weight.
struct RecurrenceBenchmark: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "recurrence", abstract: "The recurrence's kernel.")

    @Option(help: "Hidden units, a multiple of 16.") var units = 64
    @Option(help: "f32, bf16 or i8.") var precision = "i8"
    @Option(help: "Seconds to run.") var seconds = 1.0

    func run() throws {
        let lines = 48
        let tokens = 2000
        var code = US_RECURRENCE_F32
        if precision == "bf16", us_has_bf16() == 1 { code = US_RECURRENCE_BF16 }
        if precision == "i8" { code = us_recurrence_precision(UInt32(us_byte_recurrence())) }
        let precision = Int32(code.rawValue)
        var generator = SeededGenerator(seed: 1)
        func random(_ count: Int) -> AlignedBuffer<Float> {
            AlignedBuffer((0..<count).map { _ in Float(generator.next() >> 40) / Float(1 << 24) - 0.5 })
        }
        let packed = AlignedBuffer<UInt8>(zeros: Int(us_recurrence_bytes(Int32(units), precision)))
        let weights = random(4 * units * units)
        us_pack_recurrence(Int32(units), Int32(units), precision, weights.pointer, packed.pointer)
        let table = AlignedBuffer<UInt16>(zeros: tokens * 4 * units)
        for token in 0..<tokens {
            let projection = random(4 * units)
            withExtendedLifetime(projection) {
                us_pack_projection(
                    Int32(units), Int32(units), precision, projection.pointer, table.pointer + token * 4 * units)
            }
        }
        let states = (0..<2).map { _ in AlignedBuffer<Float>(zeros: lines * units) }
        let (cell, maximum, sum) = (random(lines * units), random(lines * units), random(lines * units))
        // The lines of 40 steps, and those of the step behind each.
        let rounds = 40
        let rows = AlignedBuffer<UnsafePointer<UInt16>?>(zeros: (rounds + 1) * lines)
        for place in 0..<(rounds + 1) * lines {
            rows[place] = UnsafePointer(table.pointer + place * 7 % tokens * 4 * units)
        }
        var step = us_step()
        step.units = Int32(units)
        step.precision = precision
        step.weights = UnsafeRawPointer(packed.pointer)
        step.rows = Int32(lines)
        (step.cell, step.maximum, step.sum) = (cell.pointer, maximum.pointer, sum.pointer)
        var count = 0
        var spent = 0.0
        while spent < seconds {
            spent += Benchmark.time {
                for _ in 0..<1000 {
                    step.projections = UnsafePointer(rows.pointer + count % rounds * lines)
                    step.next = UnsafePointer(rows.pointer + (count % rounds + 1) * lines)
                    step.h_previous = count == 0 ? nil : UnsafeRawPointer(states[count % 2].pointer)
                    step.h_next = UnsafeMutableRawPointer(states[(count + 1) % 2].pointer)
                    us_recurrence_step(&step)
                    count += 1
                }
            }
        }
        withExtendedLifetime((packed, weights, table, states)) {}
        let operations = Double(count) * Double(lines) * Double(8 * units * units)
        try Benchmark.printJSON(["operations_per_second": operations / spent, "units": units])
    }
}
