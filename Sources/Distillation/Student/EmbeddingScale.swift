import Tensors

/// Brings pretrained vectors to the size at which a student learns well from them.
enum EmbeddingScale {
    /// Copies the rows of `vectors` that `isGiven` names to `embedding`, all scaled by one factor so that their values
    /// have the standard deviation `deviation` (which matters: at 0.1 students lose about a point against 0.3).
    static func copy(_ vectors: Matrix, where isGiven: [Bool], to embedding: Matrix, deviation: Float) {
        precondition(vectors.rows == embedding.rows && vectors.columns == embedding.columns)
        var sum = 0.0
        var squares = 0.0
        var count = 0.0
        withExtendedLifetime((vectors, embedding)) {
            for row in 0..<vectors.rows where isGiven[row] {
                for column in 0..<vectors.columns {
                    let value = Double(vectors.row(row)[column])
                    sum += value
                    squares += value * value
                    count += 1
                }
            }
            guard count > 0 else { return }
            let variance = squares / count - (sum / count) * (sum / count)
            let scale = variance > 0 ? deviation / Float(variance.squareRoot()) : 1
            for row in 0..<vectors.rows where isGiven[row] {
                for column in 0..<vectors.columns { embedding.row(row)[column] = vectors.row(row)[column] * scale }
            }
        }
    }
}
