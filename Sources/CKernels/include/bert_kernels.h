// Kernels of the BERT teacher between its matrix products, forward and backward.
//
// Everything is row-major f32. Each level (AVX-512, AVX2, portable) is the same source, bert_kernels_body.h, compiled
// for that instruction set; levels agree up to f32 rounding. Readable references are in Sources/Models/Teacher and
// Sources/Distillation/Teacher.
#ifndef UNDERSTUDY_BERT_KERNELS_H
#define UNDERSTUDY_BERT_KERNELS_H

#include <stddef.h>
#include <stdint.h>

enum bert_activation {
    BERT_GELU = 0,       // x·Φ(x), by erf
    BERT_GELU_TANH = 1,  // the tanh approximation: `gelu_new`, `gelu_pytorch_tanh`
    BERT_RELU = 2,
    BERT_TANH = 3,
    BERT_GELU_COARSE = 4,  // GELU within 4e-5 · max(1, |x|), for what is rounded to 8 bits next; has no derivative
};

// Inverted dropout without stored masks: element i is dropped if hash(i, key) < threshold, else scaled. The same key
// gives the same mask in the backward pass. threshold 0 drops nothing.
struct bert_dropout {
    uint32_t key0, key1;
    uint32_t threshold;  // probability · 2^32
    float scale;         // 1 / (1 − probability)
};

// One attention pass over one line. qkv is (length, 3·heads·width): query, key and value of a token side by side.
struct bert_attention_shape {
    int64_t length;     // tokens in the line
    int64_t heads;
    int64_t width;      // of one head
    int64_t qkv_stride;  // elements from one token of qkv to the next
    float scale;        // on query · key
};

struct bert_kernels {
    const char *_Nonnull name;

    // out (count, n) = word[ids[i]] + position[i] + type[0]: one line's embeddings before normalisation.
    void (*_Nonnull embed)(float *_Nonnull out, const int32_t *_Nonnull ids, int64_t count, int64_t n,
                           const float *_Nonnull word, const float *_Nonnull position, const float *_Nonnull type);

    // x (rows, n) = activation(x + bias). If `before` isn't NULL, it receives x + bias.
    void (*_Nonnull bias_activation)(float *_Nonnull x, const float *_Nonnull bias, int64_t rows, int64_t n,
                                     int activation, float *_Nullable before);

    // gradient (count) *= activation'(before).
    void (*_Nonnull activation_backward)(float *_Nonnull gradient, const float *_Nonnull before, int64_t count,
                                         int activation);

    // x (rows, n) += bias.
    void (*_Nonnull bias)(float *_Nonnull x, const float *_Nonnull bias, int64_t rows, int64_t n);

    // out (rows, n) = LayerNorm(dropout(x + bias) + residual)·gain + shift; bias, residual and dropout may be NULL. out
    // may be x or residual. If not NULL, `normalized` (rows, n) and `reciprocal` (rows) receive the data for the
    // backward pass: the rows before gain and shift, and 1/√(variance + epsilon).
    void (*_Nonnull residual_layer_norm)(float *_Nonnull out, const float *_Nonnull x, const float *_Nullable bias,
                                         const float *_Nullable residual, const float *_Nonnull gain,
                                         const float *_Nonnull shift, int64_t rows, int64_t n, float epsilon,
                                         float *_Nullable normalized, float *_Nullable reciprocal,
                                         const struct bert_dropout *_Nullable dropout);

    // Turns gradient (rows, n) of a LayerNorm's output into that of its input; adds to gain's and shift's gradients
    // (n).
    void (*_Nonnull layer_norm_backward)(float *_Nonnull gradient, const float *_Nonnull normalized,
                                         const float *_Nonnull reciprocal, const float *_Nonnull gain, int64_t rows,
                                         int64_t n, float *_Nonnull gain_gradient, float *_Nonnull shift_gradient);

    // Replaces every row of x (rows, n) by softmax(scale · row).
    void (*_Nonnull softmax)(float *_Nonnull x, int64_t rows, int64_t n, float scale);

    // out (length, heads·width; out_stride from token to token) = softmax(scale · Q·Kᵀ)·V by head, of only the first
    // `queries` tokens. scratch: bert_attention_scratch floats. If not NULL, `probabilities` (heads, length, length)
    // receives the softmax before dropout.
    void (*_Nonnull attention)(float *_Nonnull out, int64_t out_stride, const float *_Nonnull qkv, int64_t queries,
                               const struct bert_attention_shape *_Nonnull shape, float *_Nonnull scratch,
                               float *_Nullable probabilities, const struct bert_dropout *_Nullable dropout);

    // Computes the gradient of qkv from that of attention's out (same layout as qkv, overwritten; the query part of
    // tokens from `queries` on is not changed).
    void (*_Nonnull attention_backward)(float *_Nonnull qkv_gradient, const float *_Nonnull out_gradient,
                                        int64_t out_stride, const float *_Nonnull qkv,
                                        int64_t queries, const float *_Nonnull probabilities,
                                        const struct bert_attention_shape *_Nonnull shape, float *_Nonnull scratch,
                                        const struct bert_dropout *_Nullable dropout);

    // out (count) = dropout(x); out may be x.
    void (*_Nonnull dropout)(float *_Nonnull out, const float *_Nonnull x, int64_t count,
                             const struct bert_dropout *_Nonnull dropout);

    // sums (n) += the sum of x's rows.
    void (*_Nonnull add_column_sums)(float *_Nonnull sums, const float *_Nonnull x, int64_t rows, int64_t n);

    // One AdamW step (Loshchilov & Hutter 2019, algorithm 2) on `count` weights. The gradient is multiplied by
    // gradient_scale first; corrections are 1 − β^t.
    void (*_Nonnull adamw)(float *_Nonnull weights, float *_Nonnull mean, float *_Nonnull square,
                           const float *_Nonnull gradient, int64_t count, float gradient_scale, float rate,
                           float beta1, float beta2, float epsilon, float decay, float correction1,
                           float correction2);

    // a (count) += b.
    void (*_Nonnull add)(float *_Nonnull a, const float *_Nonnull b, int64_t count);

    double (*_Nonnull sum_of_squares)(const float *_Nonnull x, int64_t count);
};

// Floats of scratch memory for attention and attention_backward with lines of up to `length` tokens.
int64_t bert_attention_scratch(int64_t length, int64_t width);

// The kernels of a level, "avx512", "avx2" or "portable"; NULL if the name is unknown or this processor doesn't support
// it.
const struct bert_kernels *_Nullable bert_kernels_named(const char *_Nonnull level);

// Those of the selected level (dispatch.h).
const struct bert_kernels *_Nonnull bert_kernels_best(void);

// Dense layers in bf16 with f32 sums need AVX512-BF16: returns 0 on other processors, where the functions below must
// not be called.
int bert_bf16_supported(void);

// The number of elements that bert_bf16_pack writes for weights of (n, k).
int64_t bert_bf16_packed_count(int64_t n, int64_t k);

// Arranges weights (n, k) for bert_bf16_product: panels of 32 outputs, adjacent pairs of inputs, padded with zeros.
void bert_bf16_pack(uint16_t *_Nonnull packed, const float *_Nonnull weights, int64_t n, int64_t k);

// out (rows, k rounded up to even) = x (rows, k) rounded to nearest even; rows of odd length are padded with a zero.
void bert_bf16_convert(uint16_t *_Nonnull out, const float *_Nonnull x, int64_t rows, int64_t k);

// y (rows, n; y_stride) = x · Wᵀ, with x as written by bert_bf16_convert and W by bert_bf16_pack. If n isn't the number
// of all outputs of W, `packed` may begin at any panel of 32.
void bert_bf16_product(float *_Nonnull y, int64_t y_stride, const uint16_t *_Nonnull x, int64_t rows,
                       const uint16_t *_Nonnull packed, int64_t n, int64_t k);

#endif
