// The teacher's kernels, written once with vector extensions and compiled for each instruction set by the files
// bert_kernels_<level>.c, which define
//   BERT_WIDTH  floats in a vector (4, 8 or 16)
//   BERT_LEVEL  the level's name, unquoted
// No include guard needed: each of those files includes it once.
#include <math.h>
#include <string.h>

#include "bert_kernels.h"

#define W BERT_WIDTH
#define INLINE static inline __attribute__((always_inline))

typedef float vf __attribute__((vector_size(W * 4)));
typedef int32_t vi __attribute__((vector_size(W * 4)));
typedef uint32_t vu __attribute__((vector_size(W * 4)));

INLINE vf load(const float *p) {
    vf v;
    memcpy(&v, p, sizeof v);
    return v;
}

INLINE void store(float *p, vf v) { memcpy(p, &v, sizeof v); }

// The first n < W floats; the rest of the vector is zero.
INLINE vf load_part(const float *p, int64_t n) {
    vf v = {0};
    memcpy(&v, p, (size_t)n * 4);
    return v;
}

INLINE void store_part(float *p, vf v, int64_t n) { memcpy(p, &v, (size_t)n * 4); }

INLINE vf splat(float x) { return (vf){0} + x; }

INLINE vf choose(vi mask, vf a, vf b) { return (vf)((mask & (vi)a) | (~mask & (vi)b)); }

INLINE vf vmax(vf a, vf b) { return choose(a > b, a, b); }

INLINE vf vmin(vf a, vf b) { return choose(a < b, a, b); }

INLINE vf vabs(vf a) { return (vf)((vi)a & 0x7fffffff); }

INLINE vf with_sign_of(vf a, vf sign) { return (vf)((vi)a | ((vi)sign & (int32_t)0x80000000)); }

INLINE float sum(vf v) {
    float s[W];
    memcpy(s, &v, sizeof v);
    for (int half = W / 2; half > 0; half /= 2)
        for (int i = 0; i < half; i++) s[i] += s[i + half];
    return s[0];
}

INLINE float largest(vf v) {
    float s[W];
    memcpy(s, &v, sizeof v);
    for (int half = W / 2; half > 0; half /= 2)
        for (int i = 0; i < half; i++) s[i] = s[i] > s[i + half] ? s[i] : s[i + half];
    return s[0];
}

// 0, 1, 2 …
INLINE vi iota(void) {
    vi v;
    for (int i = 0; i < W; i++) v[i] = i;
    return v;
}

// eˣ for x ≤ 88; 0 below −87.3. Range reduction to |r| ≤ ½·ln 2 and the Taylor polynomial to r⁷: relative error < 2e-7.
INLINE vf vexp(vf x) {
    vi underflow = x < splat(-87.3f);
    x = vmin(vmax(x, splat(-87.3f)), splat(88.0f));
    // Adding and taking away 1.5·2²³ rounds to the nearest whole number.
    const vf magic = splat(12582912.0f);
    vf shifted = x * 1.44269504f + magic;
    vf n = shifted - magic;
    vf r = x - n * 0.693359375f + n * 2.12194440e-4f;
    vf p = splat(1.0f / 5040);
    p = p * r + 1.0f / 720;
    p = p * r + 1.0f / 120;
    p = p * r + 1.0f / 24;
    p = p * r + 1.0f / 6;
    p = p * r + 0.5f;
    p = p * r + 1.0f;
    p = p * r + 1.0f;
    vi exponent = ((vi)shifted - 0x4b400000 + 127) << 23;
    vf y = p * (vf)exponent;
    return (vf)((vi)y & ~underflow);
}

// Below 0.625 the odd polynomial of Cephes' tanhf, above it 1 − 2/(e²ˣ + 1): absolute error < 2e-7.
INLINE vf vtanh(vf x) {
    vf a = vmin(vabs(x), splat(10.0f));
    vf z = a * a;
    vf p = splat(-5.70498872745e-3f);
    p = p * z + 2.06390887954e-2f;
    p = p * z + -5.37397155531e-2f;
    p = p * z + 1.33314422036e-1f;
    p = p * z + -3.33332819422e-1f;
    p = p * z * a + a;
    vf q = 1.0f - 2.0f / (vexp(a + a) + 1.0f);
    return with_sign_of(choose(a < splat(0.625f), p, q), x);
}

// erf(x)/x as a polynomial in x² below 1, log erfc(x) as a polynomial in x from 1 to 4 (minimax fits, reweighted least
// squares on Chebyshev points), 1 from there: absolute error < 2e-7.
INLINE vf verf(vf x) {
    vf a = vmin(vabs(x), splat(4.0f));
    vf z = a * a;
    vf p = splat(7.677326123774544e-5f);
    p = p * z + -7.952627523662879e-4f;
    p = p * z + 5.181109179051412e-3f;
    p = p * z + -2.6849471009837155e-2f;
    p = p * z + 1.1283458603493556e-1f;
    p = p * z + -3.761261015056474e-1f;
    p = p * z + 1.1283791603642f;
    p = p * a;
    vf q = splat(-2.168642221279481e-5f);
    q = q * a + 4.413313060441283e-4f;
    q = q * a + -4.204536598681812e-3f;
    q = q * a + 2.5208188058764687e-2f;
    q = q * a + -1.084184674087863e-1f;
    q = q * a + -6.332199967758299e-1f;
    q = q * a + -1.1295783708630558f;
    q = q * a + 1.8802863712252815e-4f;
    q = 1.0f - vexp(q);
    return with_sign_of(choose(a < splat(1.0f), p, q), x);
}

#define SQRT_HALF 0.70710678118654752f
#define SQRT_2_BY_PI 0.79788456080286536f
#define GELU_CUBIC 0.044715f

INLINE vf activate(vf x, int activation) {
    switch (activation) {
        case BERT_GELU: return 0.5f * x * (1.0f + verf(x * SQRT_HALF));
        case BERT_GELU_TANH: return 0.5f * x * (1.0f + vtanh(SQRT_2_BY_PI * (x + GELU_CUBIC * x * x * x)));
        case BERT_RELU: return vmax(x, splat(0));
        default: return vtanh(x);
    }
}

INLINE vf activation_slope(vf x, int activation) {
    switch (activation) {
        case BERT_GELU: {
            // Φ(x) + x·φ(x)
            vf density = 0.5f * SQRT_2_BY_PI * vexp(-0.5f * x * x);
            return 0.5f * (1.0f + verf(x * SQRT_HALF)) + x * density;
        }
        case BERT_GELU_TANH: {
            vf t = vtanh(SQRT_2_BY_PI * (x + GELU_CUBIC * x * x * x));
            vf inner = SQRT_2_BY_PI * (1.0f + 3 * GELU_CUBIC * x * x);
            return 0.5f * (1.0f + t) + 0.5f * x * (1.0f - t * t) * inner;
        }
        case BERT_RELU: return choose(x > splat(0), splat(1), splat(0));
        default: {
            vf t = vtanh(x);
            return 1.0f - t * t;
        }
    }
}

// Dropout's factor, 0 or scale, of elements index … index + W − 1. Two rounds of a 32-bit multiply-xorshift hash.
INLINE vf dropout_factor(int64_t index, const struct bert_dropout *d) {
    vu x = (vu)iota() + (uint32_t)index;
    x ^= d->key0;
    x *= 0x9e3779b1u;
    x ^= x >> 16;
    x *= 0x7feb352du;
    x ^= x >> 15;
    x += d->key1;
    x *= 0x846ca68bu;
    x ^= x >> 16;
    x *= 0xc2b2ae35u;
    x ^= x >> 13;
    vu threshold = (vu){0} + d->threshold;
    return choose((vi)(x >= threshold), splat(d->scale), splat(0));
}

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
        case BERT_GELU_TANH: bias_activation_as(x, bias, rows, n, BERT_GELU_TANH, before); break;
        case BERT_RELU: bias_activation_as(x, bias, rows, n, BERT_RELU, before); break;
        default: bias_activation_as(x, bias, rows, n, BERT_TANH, before); break;
    }
}

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
    for (; i + 8 <= rows; i += 8) product_with_packed_8(out + i * padded, padded, a + i * stride, stride, packed, width);
    for (; i < rows; i++) product_with_packed_1(out + i * padded, padded, a + i * stride, stride, packed, width);
}

// out (rows, width; out_stride) = scale · Σ over t < terms of weight(i, t) · m (terms, width; stride), where
// weight(i, t) = w[i·row_step + t·term_step]: a product with w or with its transpose.
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
                               int64_t queries, const float *probabilities, const struct bert_attention_shape *shape, float *scratch,
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
    // Sums of 4096 in f32, those in f64: fast, and exact enough for a norm over millions of gradients.
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

#define QUOTED(x) #x
#define NAME_OF(x) QUOTED(x)
#define JOINED(a, b) a##b
#define TABLE_OF(x) JOINED(bert_kernels_, x)

const struct bert_kernels TABLE_OF(BERT_LEVEL) = {
    .name = NAME_OF(BERT_LEVEL),
    .embed = embed,
    .bias_activation = bias_activation,
    .activation_backward = activation_backward,
    .bias = add_bias,
    .residual_layer_norm = residual_layer_norm,
    .layer_norm_backward = layer_norm_backward,
    .softmax = softmax,
    .attention = attention,
    .attention_backward = attention_backward,
    .dropout = apply_dropout,
    .add_column_sums = add_column_sums,
    .adamw = adamw,
    .add = add,
    .sum_of_squares = sum_of_squares,
};
