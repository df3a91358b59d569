import Bytes
import Diagnostics
import Models
import Tensors

extension FuzzTargets {
    /// A JSON document of a model directory. An accepted document must be equal after it is written and read again.
    static func json(_ bytes: [UInt8]) {
        guard let tree = bytes.withUnsafeBytes({ try? JSONReader().read($0) }) else { return }
        let text = Array(tree.written().utf8)
        hold(text.withUnsafeBytes { try? JSONReader().read($0) } == tree, "a document that changes when it is written")
    }

    private static let tensorFolder = FuzzFolder("safetensors")

    /// A safetensors file; all of its tensors are read in every way.
    static func safetensors(_ bytes: [UInt8]) {
        let path = tensorFolder.write(bytes, to: "model.safetensors")
        do throws(UnderstudyError) {
            let file = try SafetensorsFile(path: path)
            var total = 0
            for name in file.names {
                let shape = try file.shape(of: name)
                let width = try file.storedType(of: name).byteCount
                try file.withBytes(of: name) { total += $0.count }
                let count = try file.withBytes(of: name) { $0.count / width }
                hold(shape.reduce(1, *) == count, "\(name) has the shape \(shape) and \(count) values")
                read(name, shape, file)
            }
            hold(total < bytes.count, "tensors that overlap the header")
        } catch {
            hold(error.place == path, "an error at another place: \(error)")
            refuse(error)
        }
    }

    private static func read(_ name: String, _ shape: [Int], _ file: SafetensorsFile) {
        if shape.count == 1, let vector = try? file.vector(name, count: shape[0]) {
            hold(isFinite(vector), "\(name) isn't finite")
        }
        guard shape.count == 2 else { return }
        if let matrix = try? file.matrix(name, rows: shape[0], columns: shape[1]) {
            hold(isFinite(matrix), "\(name) isn't finite")
        }
        if let stored = try? file.stored(name, rows: shape[0], columns: shape[1]) {
            hold(stored.rows == shape[0] && stored.columns == shape[1], "\(name) is stored in another shape")
        }
        _ = try? file.quantised(name, rows: shape[0], columns: shape[1])
    }

    private static func isFinite(_ matrix: Matrix) -> Bool {
        withExtendedLifetime(matrix) { (0..<matrix.count).allSatisfy { matrix.pointer[$0].isFinite } }
    }

    private static let modelFolder = FuzzFolder("model-directory")

    /// A model's config.json and, after a zero byte, its weights. The configuration must be equal after it is written
    /// and read again. Missing weights are generated if they are small, and must then load.
    static func modelDirectory(_ bytes: [UInt8]) {
        var input = FuzzInput(bytes)
        let json = input.part()
        do throws(UnderstudyError) {
            let file = try json.withUnsafeBufferPointer { (raw) throws(UnderstudyError) in
                try ModelConfiguration(json: UnsafeRawBufferPointer(raw), path: "config.json")
            }
            if try file.optionalString("model_type") == StudentConfiguration.modelType {
                try student(StudentConfiguration(file), weights: Array(input.rest))
            } else {
                try teacher(TeacherConfiguration(file), weights: Array(input.rest))
            }
        } catch {
            refuse(error)
        }
    }

    /// Maximum number of generated weights.
    private static let mostValues = 20_000

    private static func isSmall(_ shapes: [[Int]]) -> Bool {
        var left = mostValues
        for shape in shapes {
            // No size is above 2^27, so nothing overflows.
            left -= shape.reduce(1) { min($0 * $1, mostValues) }
        }
        return left > 0
    }

    private static func student(
        _ configuration: StudentConfiguration, weights: [UInt8]
    ) throws(UnderstudyError) {
        let again = try reading(configuration.json(), StudentConfiguration.init)
        hold(again == configuration, "a student's configuration changes when it is written")
        if !weights.isEmpty {
            modelFolder.write(weights, to: ModelDirectory.weights)
        } else if isSmall(configuration.tensorShapes.map(\.shape)) {
            var writer = SafetensorsWriter()
            let named = StudentWeights(zeros: configuration).named
            hold(
                named.map(\.name) == configuration.tensorShapes.map(\.name)
                    && named.map(\.shape) == configuration.tensorShapes.map(\.shape), "two opinions on the shapes")
            for (name, matrix, shape) in named { writer.add(name, matrix, shape: shape, as: .f32) }
            try writer.write(to: "\(modelFolder.path)/\(ModelDirectory.weights)")
        } else {
            return
        }
        do throws(UnderstudyError) {
            _ = try StudentFiles.weights(directory: modelFolder.path, configuration)
        } catch {
            hold(!weights.isEmpty, "weights that were made for a student don't load: \(error)")
            throw error
        }
    }

    private static func teacher(
        _ configuration: TeacherConfiguration, weights: [UInt8]
    ) throws(UnderstudyError) {
        if !configuration.labels.isEmpty {
            let again = try reading(configuration.json().written(), TeacherConfiguration.init)
            hold(again == configuration, "a teacher's configuration changes when it is written")
        }
        let path = "\(modelFolder.path)/\(ModelDirectory.weights)"
        let hidden = configuration.hiddenSize
        let sizes = [
            [configuration.vocabularySize + configuration.maximumLength, hidden],
            [configuration.typeVocabularySize + configuration.labels.count, hidden],
            [configuration.layers, 16 * hidden + 4 * configuration.intermediateSize, hidden],
        ]
        if !weights.isEmpty {
            modelFolder.write(weights, to: ModelDirectory.weights)
        } else if isSmall(sizes) {
            try TeacherWeightsFile.write(TeacherWeights(zeros: configuration), as: .f32, to: path)
        } else {
            return
        }
        for part in [TeacherWeightsFile.Part.base, .classifier] {
            do throws(UnderstudyError) {
                _ = try TeacherWeightsFile(path: path, configuration: configuration, part: part)
            } catch {
                hold(!weights.isEmpty || configuration.labels.isEmpty, "a teacher's own weights don't load: \(error)")
                throw error
            }
        }
    }

    private static func reading<Configuration>(
        _ text: String, _ read: (ModelConfiguration) throws(UnderstudyError) -> Configuration
    ) throws(UnderstudyError) -> Configuration {
        do throws(UnderstudyError) {
            return try read(
                try Array(text.utf8).withUnsafeBufferPointer { (raw) throws(UnderstudyError) in
                    try ModelConfiguration(json: UnsafeRawBufferPointer(raw), path: "written.json")
                })
        } catch {
            hold(false, "a configuration that was written can't be read: \(error)\n\(text)")
            throw error
        }
    }

    private static let vectorFolder = FuzzFolder("word-vectors")

    /// Word vectors, plain or compressed.
    static func wordVectors(_ bytes: [UInt8]) {
        let path = vectorFolder.write(bytes, to: "vectors")
        do throws(UnderstudyError) {
            let vectors = try WordVectors(path: path, wanted: ["port", "的", "a"].map { Array($0.utf8) })
            hold(vectors.matrix.rows == 3 && vectors.isFound.count == 3, "another number of words than wanted")
            hold(isFinite(vectors.matrix), "vectors that aren't finite")
        } catch {
            hold(error.place?.hasPrefix(path) ?? false, "an error at another place: \(error)")
            refuse(error)
        }
    }
}
