// Softmax and attention, forward and backward. Part of bert_kernels_body.h.

// One row of n values becomes softmax(scale · row).
INLINE void softmax_row(float *x, int64_t n, float scale) {
    vf top = splat(-INFINITY);
    int64_t j = 0;
    for (; j + W <= n; j += W) {
        vf v = load(x + j) * scale;
        store(x + j, v);
        top = vmax(top, v);
    }
    float highest = largest(top);
    for (int64_t t = j; t < n; t++) {
        x[t] *= scale;
        if (x[t] > highest) highest = x[t];
    }
    vf total = {0};
    for (j = 0; j + W <= n; j += W) {
        vf v = vexp(load(x + j) - highest);
        store(x + j, v);
        total += v;
    }
    if (j < n) {
        int64_t left = n - j;
        store_part(x + j, vexp(load_part(x + j, left) - highest), left);
        total += load_part(x + j, left);
    }
    float inverse = 1.0f / sum(total);
    for (j = 0; j + W <= n; j += W) store(x + j, load(x + j) * inverse);
    for (; j < n; j++) x[j] *= inverse;
}

static void softmax(float *x, int64_t rows, int64_t n, float scale) {
    for (int64_t i = 0; i < rows; i++) softmax_row(x + i * n, n, scale);
}

// packed (width, padded) = the transpose of m (length, width; stride), zeros from length to padded.
INLINE void pack_transposed(float *packed, const float *m, int64_t stride, int64_t length, int64_t padded,
                            int64_t width) {
    for (int64_t d = 0; d < width; d++) {
        for (int64_t j = 0; j < length; j++) packed[d * padded + j] = m[j * stride + d];
        for (int64_t j = length; j < padded; j++) packed[d * padded + j] = 0;
    }
}

// out (R, padded) = a (R, width; stride) · packed (width, padded).
#define PRODUCT_WITH_PACKED(R)                                                                                  \
    INLINE void product_with_packed_##R(float *out, int64_t padded, const float *a, int64_t stride,            \
                                        const float *packed, int64_t width) {                                  \
        for (int64_t j = 0; j < padded; j += W) {                                                               \
            vf acc[R];                                                                                          \
            for (int r = 0; r < R; r++) acc[r] = (vf){0};                                                       \
            for (int64_t d = 0; d < width; d++) {                                                               \
                vf b = load(packed + d * padded + j);                                                           \
                for (int r = 0; r < R; r++) acc[r] += a[r * stride + d] * b;                                    \
            }                                                                                                   \
            for (int r = 0; r < R; r++) store(out + r * padded + j, acc[r]);                                    \
        }                                                                                                       \
    }
PRODUCT_WITH_PACKED(8)
PRODUCT_WITH_PACKED(1)

static void product_with_packed(float *out, int64_t padded, const float *a, int64_t stride, int64_t rows,
                                const float *packed, int64_t width) {
    int64_t i = 0;
    for (; i + 8 <= rows; i += 8)
        product_with_packed_8(out + i * padded, padded, a + i * stride, stride, packed, width);
    for (; i < rows; i++) product_with_packed_1(out + i * padded, padded, a + i * stride, stride, packed, width);
}

// out (rows, width; out_stride) = scale · Σ over t < terms of weight(i, t) · m (terms, width; stride), where weight(i,
// t) = w[i·row_step + t·term_step]: a product with w or its transpose.
#define WEIGHTED_SUM(R)                                                                                          \
    INLINE void weighted_sum_##R(float *out, int64_t out_stride, const float *w, int64_t row_step,              \
                                 int64_t term_step, const float *m, int64_t stride, int64_t terms,              \
                                 int64_t width, float scale) {                                                   \
        for (int64_t d = 0; d < width; d += W) {                                                                 \
            int64_t left = width - d;                                                                            \
            vf acc[R];                                                                                           \
            for (int r = 0; r < R; r++) acc[r] = (vf){0};                                                        \
            for (int64_t t = 0; t < terms; t++) {                                                                \
                vf b = left >= W ? load(m + t * stride + d) : load_part(m + t * stride + d, left);               \
                for (int r = 0; r < R; r++) acc[r] += w[r * row_step + t * term_step] * b;                       \
            }                                                                                                    \
            for (int r = 0; r < R; r++) {                                                                        \
                if (left >= W) store(out + r * out_stride + d, acc[r] * scale);                                  \
                else store_part(out + r * out_stride + d, acc[r] * scale, left);                                 \
            }                                                                                                    \
        }                                                                                                        \
    }
WEIGHTED_SUM(8)
WEIGHTED_SUM(1)

static void weighted_sum(float *out, int64_t out_stride, const float *w, int64_t row_step, int64_t term_step,
                         int64_t rows, const float *m, int64_t stride, int64_t terms, int64_t width, float scale) {
    int64_t i = 0;
    for (; i + 8 <= rows; i += 8)
        weighted_sum_8(out + i * out_stride, out_stride, w + i * row_step, row_step, term_step, m, stride, terms, width,
                       scale);
    for (; i < rows; i++)
        weighted_sum_1(out + i * out_stride, out_stride, w + i * row_step, row_step, term_step, m, stride, terms, width,
                       scale);
}

// out (rows, length; stride out_stride) = dropout(x), element (i, j) having index first + i·length + j.
INLINE void dropout_rows(float *out, int64_t out_stride, const float *x, int64_t stride, int64_t rows, int64_t length,
                         int64_t first, const struct bert_dropout *dropout) {
    for (int64_t i = 0; i < rows; i++) {
        int64_t j = 0;
        for (; j + W <= length; j += W)
            store(out + i * out_stride + j,
                  load(x + i * stride + j) * dropout_factor(first + i * length + j, dropout));
        if (j < length)
            store_part(out + i * out_stride + j,
                       load_part(x + i * stride + j, length - j) * dropout_factor(first + i * length + j, dropout),
                       length - j);
    }
}

INLINE int64_t padded_length(int64_t length) { return (length + W - 1) / W * W; }

static void attention(float *out, int64_t out_stride, const float *qkv, int64_t queries,
                      const struct bert_attention_shape *shape, float *scratch, float *probabilities,
                      const struct bert_dropout *dropout) {
    const int64_t length = shape->length, width = shape->width, stride = shape->qkv_stride;
    const int64_t padded = padded_length(length), hidden = shape->heads * width;
    float *packed = scratch, *scores = scratch + width * padded;
    for (int64_t h = 0; h < shape->heads; h++) {
        const float *q = qkv + h * width, *k = q + hidden, *v = k + hidden;
        pack_transposed(packed, k, stride, length, padded, width);
        product_with_packed(scores, padded, q, stride, queries, packed, width);
        for (int64_t i = 0; i < queries; i++) softmax_row(scores + i * padded, length, shape->scale);
        if (probabilities)
            for (int64_t i = 0; i < queries; i++)
                memcpy(probabilities + (h * length + i) * length, scores + i * padded, (size_t)length * 4);
        if (dropout && dropout->threshold)
            dropout_rows(scores, padded, scores, padded, queries, length, h * length * length, dropout);
        weighted_sum(out + h * width, out_stride, scores, padded, 1, queries, v, stride, length, width, 1);
    }
}

static void attention_backward(float *qkv_gradient, const float *out_gradient, int64_t out_stride, const float *qkv,
                               int64_t queries, const float *probabilities,
                               const struct bert_attention_shape *shape, float *scratch,
                               const struct bert_dropout *dropout) {
    const int64_t length = shape->length, width = shape->width, stride = shape->qkv_stride;
    const int64_t padded = padded_length(length), hidden = shape->heads * width;
    float *packed = scratch, *scores = scratch + width * padded, *dropped = scores + padded * length;
    if (dropout && dropout->threshold == 0) dropout = 0;
    for (int64_t h = 0; h < shape->heads; h++) {
        const float *q = qkv + h * width, *k = q + hidden, *v = k + hidden;
        const float *p = probabilities + h * length * length, *dout = out_gradient + h * width;
        float *dq = qkv_gradient + h * width, *dk = dq + hidden, *dv = dk + hidden;
        // dV = dropout(P)ᵀ · dOut
        const float *used = p;
        if (dropout) {
            dropout_rows(dropped, length, p, length, queries, length, h * length * length, dropout);
            used = dropped;
        }
        weighted_sum(dv, stride, used, 1, length, length, dout, out_stride, queries, width, 1);
        // dP = dropout'(dOut · Vᵀ), then dS = P∘(dP − rowsum(dP∘P))
        pack_transposed(packed, v, stride, length, padded, width);
        product_with_packed(scores, padded, dout, out_stride, queries, packed, width);
        if (dropout) dropout_rows(scores, padded, scores, padded, queries, length, h * length * length, dropout);
        for (int64_t i = 0; i < queries; i++) {
            float *s = scores + i * padded;
            const float *row = p + i * length;
            float along = 0;
            for (int64_t j = 0; j < length; j++) along += s[j] * row[j];
            for (int64_t j = 0; j < length; j++) s[j] = row[j] * (s[j] - along);
        }
        // dQ = scale · dS · K, dK = scale · dSᵀ · Q
        weighted_sum(dq, stride, scores, padded, 1, queries, k, stride, length, width, shape->scale);
        weighted_sum(dk, stride, scores, 1, padded, length, q, stride, queries, width, shape->scale);
    }
}
