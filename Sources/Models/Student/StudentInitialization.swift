import Tensors

/// How a student's LSTM starts.
public enum LSTMInitialization: String, Sendable, CaseIterable {
    /// W_x uniform in ±√(6 / (E + 4H)) (Glorot & Bengio 2010), W_h in ±1/√H, biases zero but 1 for the forget gate, so
    /// that memory lasts from the start (Jozefowicz et al. 2015).
    case glorot
    /// Everything uniform in ±1/√H, as PyTorch's `nn.LSTM` does; it draws two biases and adds them.
    case pytorch
}

extension StudentWeights {
    /// Fresh random weights.
    ///
    /// Dense and classifier: uniform in ±1/√fan, as PyTorch's `nn.Linear` does.
    /// Embedding: normal with deviation `embeddingDeviation` (rows may be overwritten from pretrained vectors).
    /// Shortcut: zeros, so that it starts by saying nothing.
    public func randomize(
        _ configuration: StudentConfiguration, using generator: inout SeededGenerator, embeddingDeviation: Float,
        lstm: LSTMInitialization = .glorot
    ) {
        func uniform(_ matrix: Matrix, fan: Int) {
            let bound = 1 / Float(fan).squareRoot()
            for index in 0..<matrix.count { matrix.pointer[index] = (2 * generator.uniform() - 1) * bound }
        }
        for index in 0..<embedding.count { embedding.pointer[index] = generator.normal() * embeddingDeviation }
        for direction in [forward, backward] {
            switch lstm {
            case .glorot:
                let bound = (6 / Float(configuration.embeddingSize + 4 * configuration.hiddenSize)).squareRoot()
                for index in 0..<direction.input.count {
                    direction.input.pointer[index] = (2 * generator.uniform() - 1) * bound
                }
                uniform(direction.recurrent, fan: configuration.hiddenSize)
                direction.bias.fill(0)
                let units = configuration.hiddenSize
                (direction.bias.pointer + units).update(repeating: 1, count: units)
            case .pytorch:
                uniform(direction.input, fan: configuration.hiddenSize)
                uniform(direction.recurrent, fan: configuration.hiddenSize)
                uniform(direction.bias, fan: configuration.hiddenSize)
                let first = direction.bias.copy()
                uniform(direction.bias, fan: configuration.hiddenSize)
                withExtendedLifetime(first) {
                    for index in 0..<first.count { direction.bias.pointer[index] += first.pointer[index] }
                }
            }
        }
        uniform(dense, fan: configuration.pooledSize)
        uniform(denseBias, fan: configuration.pooledSize)
        uniform(classifier, fan: configuration.denseSize)
        uniform(classifierBias, fan: configuration.denseSize)
        shortcut.fill(0)
    }
}
