import Foundation

/// Goldens/evaluation.json, made by Tests/Goldens/make-evaluation-goldens.py with scikit-learn, SciPy and NumPy.
struct EvaluationGolden: Decodable {
    struct Report: Decodable {
        let name: String
        let labels: [String]
        let truth: [Int32]
        let predicted: [Int32]
        let digits: Int
        let text: String
        let confusion: [Int]
    }

    struct Probabilities: Decodable {
        let labels: Int
        let logits: [Float]
        let truth: [Int32]
        let ece: Double
        let aurc: Double
        let augrc: Double
        let negativeLogLikelihood: Double
        let brier: Double
        let temperature: Double
        let fittedLoss: Double
    }

    struct Bound: Decodable {
        let errors: Int
        let lines: Int
        let assurance: Double
        let bound: Double
    }

    let reports: [Report]
    let probabilities: [Probabilities]
    let binomialBounds: [Bound]

    static func load() throws -> EvaluationGolden {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        let folder = Bundle.module.bundleURL.appendingPathComponent("Goldens")
        return try decoder.decode(
            EvaluationGolden.self, from: Data(contentsOf: folder.appendingPathComponent("evaluation.json")))
    }
}
