import Tensors

extension TeacherConfiguration {
    /// The `config.json` that Transformers' `BertForSequenceClassification.from_pretrained` reads.
    ///
    /// `storedType` is the type of the weights beside it.
    public func json(storedType: StoredType = .f32) -> JSONTree {
        var members: [(String, JSONTree)] = [
            ("model_type", .string("bert")),
            ("architectures", .strings(["BertForSequenceClassification"])),
            ("vocab_size", .integer(vocabularySize)),
            ("hidden_size", .integer(hiddenSize)),
            ("num_hidden_layers", .integer(layers)),
            ("num_attention_heads", .integer(heads)),
            ("intermediate_size", .integer(intermediateSize)),
            ("hidden_act", .string(activation.rawValue)),
            ("max_position_embeddings", .integer(maximumLength)),
            ("type_vocab_size", .integer(typeVocabularySize)),
            ("position_embedding_type", .string("absolute")),
            ("layer_norm_eps", .double(layerNormEpsilon)),
            ("hidden_dropout_prob", .double(hiddenDropout)),
            ("attention_probs_dropout_prob", .double(attentionDropout)),
            ("classifier_dropout", classifierDropout == hiddenDropout ? .null : .double(classifierDropout)),
            ("initializer_range", .double(initializerRange)),
            ("problem_type", .string("single_label_classification")),
            ("id2label", .members(labels.enumerated().map { ("\($0.offset)", .string($0.element)) })),
            ("label2id", .members(labels.enumerated().map { ($0.element, .integer($0.offset)) })),
        ]
        if pooling != .cls { members.append(("classifier_pooling", .string(pooling.rawValue))) }
        // The field's name before Transformers 5, and since. What the weights are once they are read.
        let type = storedType == .f16 ? "float16" : "float32"
        members += [("torch_dtype", .string(type)), ("dtype", .string(type))]
        if let paddingToken { members.append(("pad_token_id", .integer(paddingToken))) }
        if temperature != 1 { members.append(("calibration", .members(["temperature": .double(temperature)]))) }
        return .members(members)
    }
}
