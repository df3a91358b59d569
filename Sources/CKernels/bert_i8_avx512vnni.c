// Dense layers on bytes with the dot product of AVX-512 VNNI: a register block of 12 rows by 32 outputs.
//
// An input is stored as s + 128, because one operand of VPDPBUSD is unsigned; the start of each sum subtracts the
// contribution of the 128.
#include "bert_i8.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

enum { PANEL = BERT_I8_PANEL, BLOCK_ROWS = 12 };

#pragma clang attribute push(__attribute__((target("avx512f,avx512vnni,avx512bw,avx512vl,avx512dq"))), \
                             apply_to = function)

static void convert(uint8_t *out, float *scales, const float *x, int64_t rows, int64_t k) {
    int64_t width = bert_i8_quad_width(k);
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

static void product(float *y, int64_t y_stride, const uint8_t *x, const float *x_scales, int64_t rows,
                    const uint8_t *packed, int64_t first_output, int64_t n, int64_t k) {
    int64_t width = bert_i8_quad_width(k);
    packed += first_output * (width + 8);
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

const struct bert_i8_kernels bert_i8_avx512vnni = {
    .name = "avx512vnni",
    .offset = 128,
    .width = bert_i8_quad_width,
    .packed_bytes = bert_i8_quad_bytes,
    .pack = bert_i8_quad_pack,
    .convert = convert,
    .product = product,
};

#endif
