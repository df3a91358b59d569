// Dense layers on bytes with the dot product of AVX-512 VNNI: a register block of 12 rows by 32 outputs, weights packed
// beforehand.
//
// An input is stored as round(x / scale) + 128 with one scale for each row, because one operand of VPDPBUSD is
// unsigned; the sum's start, −128 times the output's sum of weights, subtracts the contribution of the 128.
#include "bert_kernels.h"

#include <math.h>
#include <string.h>

enum { PANEL = 32, BLOCK_ROWS = 12 };

static int64_t padded_to(int64_t value, int64_t multiple) { return (value + multiple - 1) / multiple * multiple; }

int64_t bert_i8_width(int64_t k) { return padded_to(k, 4); }

int64_t bert_i8_packed_bytes(int64_t n, int64_t k) {
    // Each panel's weights are followed by its scales and the starts of its sums.
    return padded_to(n, PANEL) * (bert_i8_width(k) + 8);
}

void bert_i8_pack(uint8_t *packed, const int8_t *weights, const float *scales, int64_t n, int64_t k) {
    int64_t width = bert_i8_width(k);
    for (int64_t first = 0; first < n; first += PANEL, packed += PANEL * (width + 8)) {
        int8_t *panel = (int8_t *)packed;
        float *panel_scales = (float *)(void *)(packed + PANEL * width);
        int32_t *starts = (int32_t *)(void *)(panel_scales + PANEL);
        memset(packed, 0, (size_t)(PANEL * (width + 8)));
        for (int64_t column = 0; column < PANEL && first + column < n; column++) {
            const int8_t *row = weights + (first + column) * k;
            int32_t sum = 0;
            for (int64_t i = 0; i < k; i++) {
                panel[i / 4 * 4 * PANEL + column * 4 + i % 4] = row[i];
                sum += row[i];
            }
            panel_scales[column] = scales[first + column];
            starts[column] = -128 * sum;
        }
    }
}

#if defined(__x86_64__)
#include <immintrin.h>

int bert_i8_supported(void) {
    return __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
}

#pragma clang attribute push(__attribute__((target("avx512f,avx512vnni,avx512bw,avx512vl,avx512dq"))), \
                             apply_to = function)

void bert_i8_convert(uint8_t *out, float *scales, const float *x, int64_t rows, int64_t k) {
    int64_t width = bert_i8_width(k);
    for (int64_t row = 0; row < rows; row++, x += k, out += width) {
        __m512 top = _mm512_setzero_ps();
        int64_t i = 0;
        for (; i + 16 <= k; i += 16) top = _mm512_max_ps(top, _mm512_abs_ps(_mm512_loadu_ps(x + i)));
        __mmask16 rest = (__mmask16)((1u << (k - i)) - 1);
        top = _mm512_max_ps(top, _mm512_abs_ps(_mm512_maskz_loadu_ps(rest, x + i)));
        float greatest = _mm512_reduce_max_ps(top);
        float inverse = greatest > 0 ? 127.0f / greatest : 0;
        scales[row] = greatest / 127.0f;
        __m512 factor = _mm512_set1_ps(inverse), offset = _mm512_set1_ps(128.0f);
        for (i = 0; i + 16 <= k; i += 16) {
            __m512i whole = _mm512_cvtps_epi32(_mm512_fmadd_ps(_mm512_loadu_ps(x + i), factor, offset));
            _mm_storeu_si128((__m128i *)(void *)(out + i), _mm512_cvtepi32_epi8(whole));
        }
        // The padding of a row is multiplied by weights of zero.
        __m512i whole = _mm512_cvtps_epi32(_mm512_fmadd_ps(_mm512_maskz_loadu_ps(rest, x + i), factor, offset));
        __mmask16 padding = (__mmask16)((1u << (width - i)) - 1);
        _mm_mask_storeu_epi8(out + i, padding, _mm512_cvtepi32_epi8(whole));
    }
}

// One block of R rows; `columns` of the panel's 32 outputs are stored.
#define BLOCK(R)                                                                                                 \
    static inline __attribute__((always_inline)) void block_##R(                                                 \
        float *y, int64_t y_stride, const uint8_t *x, const float *x_scales, int64_t width, const uint8_t *panel, \
        int64_t columns) {                                                                                       \
        const float *scales = (const float *)(const void *)(panel + PANEL * width);                              \
        const int32_t *starts = (const int32_t *)(const void *)(scales + PANEL);                                 \
        __m512i low[R], high[R];                                                                                 \
        for (int r = 0; r < R; r++) {                                                                            \
            low[r] = _mm512_loadu_si512(starts);                                                                 \
            high[r] = _mm512_loadu_si512(starts + 16);                                                           \
        }                                                                                                        \
        for (int64_t i = 0; i < width; i += 4, panel += 4 * PANEL) {                                             \
            __m512i a = _mm512_loadu_si512(panel), b = _mm512_loadu_si512(panel + 64);                           \
            _Pragma("clang loop unroll(full)") for (int r = 0; r < R; r++) {                                     \
                int32_t four;                                                                                    \
                memcpy(&four, x + r * width + i, sizeof four);                                                   \
                __m512i all = _mm512_set1_epi32(four);                                                           \
                low[r] = _mm512_dpbusd_epi32(low[r], all, a);                                                    \
                high[r] = _mm512_dpbusd_epi32(high[r], all, b);                                                  \
            }                                                                                                    \
        }                                                                                                        \
        uint32_t mask = columns >= PANEL ? 0xffffffffu : (1u << columns) - 1;                                    \
        __m512 s0 = _mm512_loadu_ps(scales), s1 = _mm512_loadu_ps(scales + 16);                                  \
        for (int r = 0; r < R; r++) {                                                                            \
            __m512 scale = _mm512_set1_ps(x_scales[r]);                                                          \
            __m512 y0 = _mm512_mul_ps(_mm512_cvtepi32_ps(low[r]), _mm512_mul_ps(s0, scale));                     \
            __m512 y1 = _mm512_mul_ps(_mm512_cvtepi32_ps(high[r]), _mm512_mul_ps(s1, scale));                    \
            _mm512_mask_storeu_ps(y + r * y_stride, (__mmask16)mask, y0);                                        \
            _mm512_mask_storeu_ps(y + r * y_stride + 16, (__mmask16)(mask >> 16), y1);                           \
        }                                                                                                        \
    }
BLOCK(12)
BLOCK(4)
BLOCK(1)

void bert_i8_product(float *y, int64_t y_stride, const uint8_t *x, const float *x_scales, int64_t rows,
                     const uint8_t *packed, int64_t n, int64_t k) {
    int64_t width = bert_i8_width(k);
    for (int64_t first = 0; first < n; first += PANEL, packed += PANEL * (width + 8)) {
        int64_t columns = n - first < PANEL ? n - first : PANEL, row = 0;
        for (; row + BLOCK_ROWS <= rows; row += BLOCK_ROWS)
            block_12(y + row * y_stride + first, y_stride, x + row * width, x_scales + row, width, packed, columns);
        for (; row + 4 <= rows; row += 4)
            block_4(y + row * y_stride + first, y_stride, x + row * width, x_scales + row, width, packed, columns);
        for (; row < rows; row++)
            block_1(y + row * y_stride + first, y_stride, x + row * width, x_scales + row, width, packed, columns);
    }
}

#pragma clang attribute pop

#else

int bert_i8_supported(void) { return 0; }

void bert_i8_convert(uint8_t *out, float *scales, const float *x, int64_t rows, int64_t k) {
    (void)out, (void)scales, (void)x, (void)rows, (void)k;
    __builtin_trap();
}

void bert_i8_product(float *y, int64_t y_stride, const uint8_t *x, const float *x_scales, int64_t rows,
                     const uint8_t *packed, int64_t n, int64_t k) {
    (void)y, (void)y_stride, (void)x, (void)x_scales, (void)rows, (void)packed, (void)n, (void)k;
    __builtin_trap();
}

#endif
