import Distillation

/// Which lines of the base transfer set a run learns from as well, against forgetting (Robins 1995, "Catastrophic
/// Forgetting, Rehearsal and Pseudorehearsal").
public enum ReplaySample {
    /// At most `count` lines, labelled ones before others, in an order that depends on the seed alone; without a text of
    /// the holdout, or one that says nearly the same, and without those that `log` has.
    public static func choose(
        _ count: Int, from base: DataSet, seed: UInt64, holdout: DataSet, log: DataSet
    ) -> DataSet {
        var index = NearDuplicateIndex()
        for line in 0..<holdout.count { index.insert(holdout.text(line)) }
        let mixed = base.excluding(textsOf: log).shuffled(seed: seed)
        var labelled: [Int] = []
        var others: [Int] = []
        for line in 0..<mixed.count where index.match(mixed.text(line)) == nil {
            if mixed.labelIndices[line] >= 0 { labelled.append(line) } else { others.append(line) }
        }
        return mixed.rows(Array((labelled + others).prefix(count)))
    }
}
