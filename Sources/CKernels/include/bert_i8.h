// Dense layers of the BERT teacher on bytes, with 32-bit sums.
//
// Each output has its own scale and each input row (token) has its own: x ≈ x_scale · s with s in −127 … 127 and
// W ≈ scale · w, so y = x_scale · scale · Σ s·w. The sums are whole numbers and exact, so a result does not depend on
// the order in which a kernel adds.
#ifndef UNDERSTUDY_BERT_I8_H
#define UNDERSTUDY_BERT_I8_H

#include <stdint.h>

// Outputs in a panel of packed weights, for every kernel: a product may begin at any panel.
enum { BERT_I8_PANEL = 32 };

struct bert_i8_kernels {
    const char *_Nonnull name;

    // What is added to s where an instruction needs an unsigned operand.
    int offset;

    // Bytes of a converted row of k inputs, and of these weights (n, k) packed.
    int64_t (*_Nonnull width)(int64_t k);
    int64_t (*_Nonnull packed_bytes)(const int8_t *_Nonnull weights, int64_t n, int64_t k);

    // Arranges weights (n, k), with the values scales[i] · weights[i, j], for `product`. `packed` is aligned to 64
    // bytes.
    void (*_Nonnull pack)(uint8_t *_Nonnull packed, const int8_t *_Nonnull weights, const float *_Nonnull scales,
                          int64_t n, int64_t k);

    // out (rows, width(k)) and scales (rows): x (rows, k) rounded to 8 bits; the greatest magnitude of each row becomes
    // 127. A byte holds s plus the kernels' `offset`.
    void (*_Nonnull convert)(uint8_t *_Nonnull out, float *_Nonnull scales, const float *_Nonnull x, int64_t rows,
                             int64_t k);

    // y (rows, n; y_stride) = x · W[first ..< first + n]ᵀ, with x as written by `convert` and W by `pack`; `first` is
    // the start of a panel.
    void (*_Nonnull product)(float *_Nonnull y, int64_t y_stride, const uint8_t *_Nonnull x,
                             const float *_Nonnull x_scales, int64_t rows, const uint8_t *_Nonnull packed, int64_t first,
                             int64_t n, int64_t k);
};

// The kernels called "avx512vnni", "avxvnni", "avx2", "dotprod" or "neon"; NULL if the name is unknown or this
// processor doesn't support them.
const struct bert_i8_kernels *_Nullable bert_i8_named(const char *_Nonnull name);

// The best kernels of the selected level (dispatch.h); NULL if there are none, as at the level "portable".
const struct bert_i8_kernels *_Nullable bert_i8_best(void);

#endif
