// Vectors of BERT_WIDTH floats, and the functions of them that the teacher's kernels use. Part of bert_kernels_body.h.
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
    // Adding and subtracting 1.5·2²³ rounds to the nearest integer.
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

// erf(x/√2) as a polynomial (minimax fit of x·erf, reweighted least squares on Chebyshev points) with its ends clamped
// at 4: x·Φ(x) is within 4e-5 · max(1, |x|).
INLINE vf coarse_erf_of_half(vf x) {
#if defined(__clang__)
    x = __builtin_elementwise_min(__builtin_elementwise_max(x, splat(-4.0f)), splat(4.0f));
#else
    x = vmin(vmax(x, splat(-4.0f)), splat(4.0f));
#endif
    vf z = x * x;
    vf p = splat(-2.602596804734958e-09f);
    p = p * z + 2.083925778606499e-07f;
    p = p * z + -7.3142782639479265e-06f;
    p = p * z + 0.00014971024938859046f;
    p = p * z + -0.0020129820331931114f;
    p = p * z + 0.01901080086827278f;
    p = p * z + -0.13177569210529327f;
    p = p * z + 0.7973467707633972f;
    return p * x;
}

INLINE vf activate(vf x, int activation) {
    switch (activation) {
        case BERT_GELU_COARSE: return 0.5f * x * (1.0f + coarse_erf_of_half(x));
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
