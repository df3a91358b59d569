import Bytes
import Diagnostics
import Models
import Tensors
import Testing

@Suite struct TeacherConfigurationTests {
    static let smallest = """
        "model_type":"bert","vocab_size":30,"hidden_size":8,"num_hidden_layers":1,"num_attention_heads":2,
        "intermediate_size":16
        """

    static func read(_ members: String) throws(UnderstudyError) -> TeacherConfiguration {
        let bytes = Array("{\(members)}".utf8)
        let result = bytes.withUnsafeBytes { bytes in
            Result { () throws(UnderstudyError) in
                try TeacherConfiguration(ModelConfiguration(json: bytes, path: "config.json"))
            }
        }
        return try result.get()
    }

    @Test func defaultsAreThoseOfTransformers() throws {
        let configuration = try Self.read(Self.smallest)
        #expect(configuration.activation == .gelu)
        #expect(configuration.maximumLength == 512)
        #expect(configuration.typeVocabularySize == 2)
        #expect(configuration.layerNormEpsilon == 1e-12)
        #expect(configuration.hiddenDropout == 0.1)
        #expect(configuration.pooling == .cls)
        #expect(configuration.temperature == 1)
        #expect(configuration.labels.isEmpty)
        #expect(try Self.read(Self.smallest + #","num_labels":2"#).labels == ["LABEL_0", "LABEL_1"])
    }

    @Test func whatIsWrittenReadsBackTheSame() throws {
        var configuration = try Self.read(
            Self.smallest + #","id2label":{"1":"体育","0":"财经"},"pad_token_id":1,"hidden_act":"gelu_new""#)
        #expect(configuration.labels == ["财经", "体育"])
        configuration.temperature = 1.25
        configuration.pooling = .mean
        configuration.classifierDropout = 0.3
        for type in [StoredType.f32, .f16, .i8] {
            let text = configuration.json(storedType: type).written()
            #expect(try Self.read(String(text.dropFirst().dropLast())) == configuration)
        }
    }

    @Test(arguments: [
        (#""model_type":"roberta""#, "model_type"), (#""vocab_size":0"#, "vocab_size"),
        (#""hidden_size":7"#, "num_attention_heads"), (#""hidden_act":"swish""#, "hidden_act"),
        (#""position_embedding_type":"relative_key""#, "position_embedding_type"),
        (#""is_decoder":true"#, "is_decoder"),
        (#""layer_norm_eps":-1"#, "layer_norm_eps"), (#""hidden_dropout_prob":1"#, "hidden_dropout_prob"),
        (#""classifier_pooling":"max""#, "classifier_pooling"), (#""pad_token_id":30"#, "pad_token_id"),
        (#""calibration":{"temperature":0}"#, "temperature"), (#""id2label":{"0":"甲","1":"甲"}"#, "id2label"),
    ])
    func wrongValuesAreRefusedByName(member: String, key: String) {
        let name = member.prefix { $0 != ":" }
        let rest = Self.smallest.split(separator: ",").filter { !$0.contains(name) }.joined(separator: ",")
        #expect {
            _ = try Self.read(rest + "," + member)
        } throws: { error in
            guard let error = error as? UnderstudyError else { return false }
            return error.code == .invalidData && error.message.contains(key)
        }
    }
}
