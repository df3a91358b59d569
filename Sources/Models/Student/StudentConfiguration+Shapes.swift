extension StudentConfiguration {
    /// The tensors of `model.safetensors` with their shapes, in the order of `StudentWeights.named`.
    public var tensorShapes: [(name: String, shape: [Int])] {
        var shapes: [(name: String, shape: [Int])] = [("embedding.weight", [vocabularySize, embeddingSize])]
        for name in ["forward", "backward"] {
            shapes.append(("lstm.\(name).weight_ih", [4 * hiddenSize, embeddingSize]))
            shapes.append(("lstm.\(name).weight_hh", [4 * hiddenSize, hiddenSize]))
            shapes.append(("lstm.\(name).bias", [4 * hiddenSize]))
        }
        shapes.append(("dense.weight", [denseSize, pooledSize]))
        shapes.append(("dense.bias", [denseSize]))
        shapes.append(("classifier.weight", [labels.count, denseSize]))
        shapes.append(("classifier.bias", [labels.count]))
        if shortcutBuckets > 0 { shapes.append(("shortcut.weight", [shortcutBuckets, labels.count])) }
        if earlyExit != nil {
            shapes.append(("exit.weight", [shortcutBuckets, labels.count]))
            shapes.append(("exit.bias", [labels.count]))
        }
        return shapes
    }
}
