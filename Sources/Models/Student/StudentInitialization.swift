import Tensors

extension StudentWeights {
    /// Fresh random weights.
    ///
    /// LSTM, dense and classifier: uniform in ±1/√fan as PyTorch's `nn.LSTM` and `nn.Linear` do; the LSTM's fan is H.
    /// Embedding: normal with deviation `embeddingDeviation` (rows may be overwritten from pretrained vectors).
    /// Shortcut: zeros, so that it starts by saying nothing.
    public func randomize(
        _ configuration: StudentConfiguration, using generator: inout SeededGenerator, embeddingDeviation: Float
    ) {
        func uniform(_ matrix: Matrix, fan: Int) {
            let bound = 1 / Float(fan).squareRoot()
            for index in 0..<matrix.count { matrix.pointer[index] = (2 * generator.uniform() - 1) * bound }
        }
        for index in 0..<embedding.count { embedding.pointer[index] = generator.normal() * embeddingDeviation }
        for direction in [forward, backward] {
            uniform(direction.input, fan: configuration.hiddenSize)
            uniform(direction.recurrent, fan: configuration.hiddenSize)
            // PyTorch draws two biases and adds them.
            uniform(direction.bias, fan: configuration.hiddenSize)
            let bound = 1 / Float(configuration.hiddenSize).squareRoot()
            for index in 0..<direction.bias.count {
                direction.bias.pointer[index] += (2 * generator.uniform() - 1) * bound
            }
        }
        uniform(dense, fan: configuration.pooledSize)
        uniform(denseBias, fan: configuration.pooledSize)
        uniform(classifier, fan: configuration.denseSize)
        uniform(classifierBias, fan: configuration.denseSize)
        shortcut.fill(0)
    }
}
