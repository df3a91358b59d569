// Embeddings, bias, activation, residual and LayerNorm. Part of bert_kernels_body.h.

INLINE void add_row(float *out, const float *a, int64_t n) {
    int64_t j = 0;
    for (; j + W <= n; j += W) store(out + j, load(out + j) + load(a + j));
    if (j < n) store_part(out + j, load_part(out + j, n - j) + load_part(a + j, n - j), n - j);
}

static void embed(float *out, const int32_t *ids, int64_t count, int64_t n, const float *word, const float *position,
                  const float *type) {
    for (int64_t i = 0; i < count; i++, out += n) {
        memcpy(out, word + ids[i] * n, (size_t)n * 4);
        add_row(out, type, n);
        add_row(out, position + i * n, n);
    }
}

INLINE void bias_activation_as(float *x, const float *bias, int64_t rows, int64_t n, int activation, float *before) {
    for (int64_t i = 0; i < rows; i++, x += n) {
        int64_t j = 0;
        for (; j + W <= n; j += W) {
            vf v = load(x + j) + load(bias + j);
            if (before) store(before + i * n + j, v);
            store(x + j, activate(v, activation));
        }
        if (j < n) {
            vf v = load_part(x + j, n - j) + load_part(bias + j, n - j);
            if (before) store_part(before + i * n + j, v, n - j);
            store_part(x + j, activate(v, activation), n - j);
        }
    }
}

static void bias_activation(float *x, const float *bias, int64_t rows, int64_t n, int activation, float *before) {
    switch (activation) {
        case BERT_GELU: bias_activation_as(x, bias, rows, n, BERT_GELU, before); break;
        case BERT_GELU_COARSE: bias_activation_as(x, bias, rows, n, BERT_GELU_COARSE, before); break;
        case BERT_GELU_TANH: bias_activation_as(x, bias, rows, n, BERT_GELU_TANH, before); break;
        case BERT_RELU: bias_activation_as(x, bias, rows, n, BERT_RELU, before); break;
        default: bias_activation_as(x, bias, rows, n, BERT_TANH, before); break;
    }
}

static void add_bias(float *x, const float *bias, int64_t rows, int64_t n) {
    for (int64_t i = 0; i < rows; i++) add_row(x + i * n, bias, n);
}

// dropout(x + bias) + residual for one vector of a row; each of the three is optional.
INLINE vf residual_sum(vf x, vf bias, vf residual, int64_t index, const struct bert_dropout *dropout) {
    vf v = x + bias;
    if (dropout) v *= dropout_factor(index, dropout);
    return v + residual;
}

static void residual_layer_norm(float *out, const float *x, const float *bias, const float *residual,
                                const float *gain, const float *shift, int64_t rows, int64_t n, float epsilon,
                                float *normalized, float *reciprocal, const struct bert_dropout *dropout) {
    const float inverse = 1.0f / (float)n;
    const vf zero = {0};
    if (dropout && dropout->threshold == 0) dropout = 0;
    for (int64_t i = 0; i < rows; i++) {
        const float *from = x + i * n, *beside = residual ? residual + i * n : 0;
        float *to = out + i * n;
        vf total = zero;
        int64_t j = 0;
        for (; j + W <= n; j += W) {
            vf v = residual_sum(load(from + j), bias ? load(bias + j) : zero, beside ? load(beside + j) : zero,
                                i * n + j, dropout);
            store(to + j, v);
            total += v;
        }
        if (j < n) {
            int64_t left = n - j;
            vf v = residual_sum(load_part(from + j, left), bias ? load_part(bias + j, left) : zero,
                                beside ? load_part(beside + j, left) : zero, i * n + j, dropout);
            store_part(to + j, v, left);
            total += load_part(to + j, left);
        }
        float mean = sum(total) * inverse;
        vf squares = zero;
        for (j = 0; j + W <= n; j += W) {
            vf v = load(to + j) - mean;
            squares += v * v;
        }
        float square = sum(squares);
        for (; j < n; j++) square += (to[j] - mean) * (to[j] - mean);
        float scale = 1.0f / sqrtf(square * inverse + epsilon);
        if (reciprocal) reciprocal[i] = scale;
        for (j = 0; j + W <= n; j += W) {
            vf v = (load(to + j) - mean) * scale;
            if (normalized) store(normalized + i * n + j, v);
            store(to + j, v * load(gain + j) + load(shift + j));
        }
        if (j < n) {
            int64_t left = n - j;
            vf v = (load_part(to + j, left) - mean) * scale;
            if (normalized) store_part(normalized + i * n + j, v, left);
            store_part(to + j, v * load_part(gain + j, left) + load_part(shift + j, left), left);
        }
    }
}
