import Tensors

/// The dense layers of one encoder block, ready for products with many rows.
struct TeacherLayerProducts: Sendable {
    let queryKeyValue: DenseProduct
    let attentionOutput: DenseProduct
    let intermediate: DenseProduct
    let output: DenseProduct

    init(_ weights: TeacherLayerWeights, precision: TeacherPrecision) {
        queryKeyValue = DenseProduct(weights.queryKeyValue, precision: precision)
        attentionOutput = DenseProduct(weights.attentionOutput, precision: precision)
        intermediate = DenseProduct(weights.intermediate, precision: precision)
        output = DenseProduct(weights.output, precision: precision)
    }
}
