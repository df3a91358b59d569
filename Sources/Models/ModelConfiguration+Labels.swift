import Diagnostics
import Tensors

extension ModelConfiguration {
    /// The labels of `id2label` in the order of the logits; nil when the key is absent (Transformers leaves it out of
    /// models that don't classify).
    ///
    /// Errors: keys other than 0, 1, … without hole, a label that stands twice or is empty, and a `num_labels` or
    /// `label2id` that says otherwise.
    public func optionalLabels() throws(UnderstudyError) -> [String]? {
        guard let byID = try optionalObject("id2label") else { return nil }
        var labels = [String?](repeating: nil, count: byID.keys.count)
        for key in byID.keys {
            // The key must be the number's only spelling: "01" would give an id two names.
            guard let id = Int(key), id >= 0, String(id) == key else {
                throw wrong("id2label", "its key \(Quoting.name(key)) is not a whole number from 0")
            }
            guard id < labels.count else {
                throw wrong("id2label", "it has \(labels.count) labels, but one of them is number \(id)")
            }
            labels[id] = try byID.string(key)
        }
        let ordered = labels.compactMap { $0 }
        try checkLabels(ordered, key: "id2label")
        if let count = try optionalInteger("num_labels", in: 0...Int.max), count != ordered.count {
            throw wrong("num_labels", "it is \(count), but id2label has \(ordered.count) labels")
        }
        if let byLabel = try optionalObject("label2id") {
            for (id, label) in ordered.enumerated() {
                guard try byLabel.integer(label, in: 0...Int.max) == id else {
                    throw wrong("label2id", "the label \(Quoting.name(label)) has another number in id2label: \(id)")
                }
            }
        }
        return ordered
    }

    /// The labels of an array of strings in the order of the logits.
    ///
    /// Errors: a missing key, no label at all, a label that stands twice or is empty.
    public func labels(_ key: String = "labels") throws(UnderstudyError) -> [String] {
        let labels = try strings(key)
        try checkLabels(labels, key: key)
        return labels
    }

    private func checkLabels(_ labels: [String], key: String) throws(UnderstudyError) {
        guard !labels.isEmpty else { throw wrong(key, "it has no labels") }
        var seen: Set<String> = []
        for label in labels {
            guard !label.isEmpty else { throw wrong(key, "a label is empty") }
            guard seen.insert(label).inserted else {
                throw wrong(key, "the label \(Quoting.name(label)) stands there twice")
            }
        }
    }
}
