// The same kernels for AVX-512 (F, BW, VL, DQ), and the recurrence with BF16 dot products.
#include "table.h"

#if defined(__x86_64__)
#include <immintrin.h>

#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c,bmi2"))), \
                             apply_to = function)
#endif

#define NAME(x) x##_avx512
#define WIDTH 16
#define ROW_BLOCK 6

#include "elementwise.inc"
#include "recurrence.inc"

#if defined(__x86_64__)
#pragma clang attribute pop
#pragma clang attribute push( \
    __attribute__((target("avx512bf16,avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c,bmi2"))), apply_to = function)
#define CASE_BF16(n)                                                                                                 \
    case n:                                                                                                          \
        block_bf16(n, units, unit, w, projections + row, next + row, h_previous + at, h_next + at, cell + at, last + at,         \
                   maximum ? maximum + at : 0, sum ? sum + at : 0);                                                  \
        break;

static inline __attribute__((always_inline)) void block_bf16(
    const int rows, int units, int unit, const uint16_t *w, const uint16_t *const *projections,
    const uint16_t *const *next, const uint16_t *h_previous, uint16_t *h_next, float *cell, float *last, float *maximum, float *sum) {
    __m512 acc[ROW_BLOCK][4];
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) {
        const uint16_t *x = projections[r] + unit * 4;
#pragma clang loop unroll(full)
        for (int q = 0; q < 4; q++) acc[r][q] = _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(x + q * 16)));
        __builtin_prefetch(next[r] + unit * 4);
        __builtin_prefetch(next[r] + unit * 4 + 32);
    }
    const int32_t *pairs = (const int32_t *)(const void *)h_previous;
    for (int k = 0; k < units / 2; k++, w += 128) {
        __m512bh w0 = (__m512bh)_mm512_loadu_si512(w), w1 = (__m512bh)_mm512_loadu_si512(w + 32),
                 w2 = (__m512bh)_mm512_loadu_si512(w + 64), w3 = (__m512bh)_mm512_loadu_si512(w + 96);
#pragma clang loop unroll(full)
        for (int r = 0; r < rows; r++) {
            __m512bh h = (__m512bh)_mm512_set1_epi32(pairs[r * (units / 2) + k]);
            acc[r][0] = _mm512_dpbf16_ps(acc[r][0], h, w0);
            acc[r][1] = _mm512_dpbf16_ps(acc[r][1], h, w1);
            acc[r][2] = _mm512_dpbf16_ps(acc[r][2], h, w2);
            acc[r][3] = _mm512_dpbf16_ps(acc[r][3], h, w3);
        }
    }
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) {
        int at = r * units + unit;
        V hidden;
        finish_group_avx512((V)acc[r][0], (V)acc[r][1], (V)acc[r][2], (V)acc[r][3], cell + at, last + at,
                            maximum ? maximum + at : 0, sum ? sum + at : 0, &hidden);
        _mm256_storeu_si256((__m256i *)(h_next + at), (__m256i)_mm512_cvtneps_pbh((__m512)hidden));
    }
}

void us_recurrence_bf16_avx512(const struct us_recurrence *recurrence, int rows, const uint16_t *const *projections,
                               const uint16_t *const *next, const uint16_t *h_previous, uint16_t *h_next, float *cell, float *last, float *maximum,
                               float *sum) {
    const int units = recurrence->units;
    for (int unit = 0; unit < units; unit += US_UNIT_GROUP) {
        const uint16_t *w = (const uint16_t *)recurrence->weights + (int64_t)unit * 4 * units;
        for (int row = 0; row < rows; row += ROW_BLOCK) {
            int64_t at = (int64_t)row * units;
            switch (rows - row) {
                CASE_BF16(1)
                CASE_BF16(2)
                CASE_BF16(3)
                CASE_BF16(4)
                CASE_BF16(5)
                default:
                    block_bf16(ROW_BLOCK, units, unit, w, projections + row, next + row, h_previous + at, h_next + at, cell + at,
                               last + at, maximum ? maximum + at : 0, sum ? sum + at : 0);
            }
        }
    }
}
#pragma clang attribute pop
#endif

const struct us_table us_table_avx512 = US_TABLE;
