// Kernels only for training: the other backward passes, dropout and AdamW. Part of bert_kernels_body.h.

INLINE void activation_backward_as(float *gradient, const float *before, int64_t count, int activation) {
    int64_t j = 0;
    for (; j + W <= count; j += W)
        store(gradient + j, load(gradient + j) * activation_slope(load(before + j), activation));
    if (j < count) {
        int64_t left = count - j;
        vf slope = activation_slope(load_part(before + j, left), activation);
        store_part(gradient + j, load_part(gradient + j, left) * slope, left);
    }
}

static void activation_backward(float *gradient, const float *before, int64_t count, int activation) {
    switch (activation) {
        case BERT_GELU: activation_backward_as(gradient, before, count, BERT_GELU); break;
        case BERT_GELU_TANH: activation_backward_as(gradient, before, count, BERT_GELU_TANH); break;
        case BERT_RELU: activation_backward_as(gradient, before, count, BERT_RELU); break;
        default: activation_backward_as(gradient, before, count, BERT_TANH); break;
    }
}

static void layer_norm_backward(float *gradient, const float *normalized, const float *reciprocal, const float *gain,
                                int64_t rows, int64_t n, float *gain_gradient, float *shift_gradient) {
    const float inverse = 1.0f / (float)n;
    for (int64_t i = 0; i < rows; i++) {
        float *g = gradient + i * n;
        const float *x = normalized + i * n;
        vf plain = {0}, weighted = {0};
        int64_t j = 0;
        for (; j < n; j += W) {
            int64_t left = n - j;
            int whole = left >= W;
            vf dy = whole ? load(g + j) : load_part(g + j, left), xh = whole ? load(x + j) : load_part(x + j, left);
            vf scaled = dy * (whole ? load(gain + j) : load_part(gain + j, left));
            plain += scaled;
            weighted += scaled * xh;
            if (whole) {
                store(gain_gradient + j, load(gain_gradient + j) + dy * xh);
                store(shift_gradient + j, load(shift_gradient + j) + dy);
                store(g + j, scaled);
            } else {
                store_part(gain_gradient + j, load_part(gain_gradient + j, left) + dy * xh, left);
                store_part(shift_gradient + j, load_part(shift_gradient + j, left) + dy, left);
                store_part(g + j, scaled, left);
            }
        }
        float mean = sum(plain) * inverse, along = sum(weighted) * inverse, scale = reciprocal[i];
        for (j = 0; j + W <= n; j += W) store(g + j, (load(g + j) - mean - load(x + j) * along) * scale);
        for (; j < n; j++) g[j] = (g[j] - mean - x[j] * along) * scale;
    }
}

static void apply_dropout(float *out, const float *x, int64_t count, const struct bert_dropout *dropout) {
    if (dropout->threshold == 0) {
        if (out != x) memcpy(out, x, (size_t)count * 4);
        return;
    }
    dropout_rows(out, count, x, count, 1, count, 0, dropout);
}

static void add_column_sums(float *sums, const float *x, int64_t rows, int64_t n) {
    for (int64_t i = 0; i < rows; i++) add_row(sums, x + i * n, n);
}

static void adamw(float *weights, float *mean, float *square, const float *gradient, int64_t count,
                  float gradient_scale, float rate, float beta1, float beta2, float epsilon, float decay,
                  float correction1, float correction2) {
    const float keep = 1.0f - rate * decay, step = rate / correction1, root = 1.0f / sqrtf(correction2);
#pragma clang loop vectorize(enable)
    for (int64_t i = 0; i < count; i++) {
        float g = gradient[i] * gradient_scale;
        float m = beta1 * mean[i] + (1.0f - beta1) * g;
        float s = beta2 * square[i] + (1.0f - beta2) * g * g;
        mean[i] = m;
        square[i] = s;
        weights[i] = weights[i] * keep - step * m / (sqrtf(s) * root + epsilon);
    }
}

static void add(float *a, const float *b, int64_t count) { add_row(a, b, count); }

static double sum_of_squares(const float *x, int64_t count) {
    double total = 0;
    // Sums of 4096 in f32, added up in f64: fast, and accurate enough for a norm over millions of gradients.
    for (int64_t first = 0; first < count; first += 4096) {
        int64_t end = first + 4096 < count ? first + 4096 : count, i = first;
        vf part = {0};
        for (; i + W <= end; i += W) {
            vf v = load(x + i);
            part += v * v;
        }
        float rest = 0;
        for (; i < end; i++) rest += x[i] * x[i];
        total += (double)sum(part) + (double)rest;
    }
    return total;
}
