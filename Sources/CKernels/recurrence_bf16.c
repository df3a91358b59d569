// The fast path's recurrence with the BF16 dot product of AVX-512.
#include "table.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

#pragma clang attribute push( \
    __attribute__((target("avx512bf16,avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c,bmi2"))), apply_to = function)

#define NAME(x) x##_bf16
#define WIDTH 16
#define ROW_BLOCK 6

#include "recurrence.inc"

static inline __attribute__((always_inline)) void block_bf16(const int first, const int rows, int unit,
                                                             const uint16_t *w, const struct us_step *step, int row) {
    const int units = step->units;
    const uint16_t *h_previous = (const uint16_t *)step->h_previous + (int64_t)row * units;
    __m512 acc[ROW_BLOCK][4];
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) {
        const uint16_t *x = step->projections[row + r] + unit * 4;
#pragma clang loop unroll(full)
        for (int q = 0; q < 4; q++) acc[r][q] = (__m512)projected_bf16(x + q * 16);
        __builtin_prefetch(step->next[row + r] + unit * 4);
        __builtin_prefetch(step->next[row + r] + unit * 4 + 32);
    }
    for (int k = 0; k < (first ? 0 : units); k += 2, w += 128) {
        __m512bh w0 = (__m512bh)_mm512_loadu_si512(w), w1 = (__m512bh)_mm512_loadu_si512(w + 32),
                 w2 = (__m512bh)_mm512_loadu_si512(w + 64), w3 = (__m512bh)_mm512_loadu_si512(w + 96);
#pragma clang loop unroll(full)
        for (int r = 0; r < rows; r++) {
            int32_t pair;
            memcpy(&pair, h_previous + r * units + k, sizeof pair);
            __m512bh h = (__m512bh)_mm512_set1_epi32(pair);
            acc[r][0] = _mm512_dpbf16_ps(acc[r][0], h, w0);
            acc[r][1] = _mm512_dpbf16_ps(acc[r][1], h, w1);
            acc[r][2] = _mm512_dpbf16_ps(acc[r][2], h, w2);
            acc[r][3] = _mm512_dpbf16_ps(acc[r][3], h, w3);
        }
    }
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) {
        int64_t at = (int64_t)(row + r) * units + unit;
        V h = combine_halved_bf16(first, (V)acc[r][0], (V)acc[r][1], (V)acc[r][2], (V)acc[r][3], step->cell + at,
                                  AT(step->last, at), AT(step->maximum, at), AT(step->sum, at));
        _mm256_storeu_si256((__m256i *)((uint16_t *)step->h_next + at), (__m256i)_mm512_cvtneps_pbh((__m512)h));
    }
}

void us_recurrence_bf16(const struct us_step *step) {
    const int units = step->units;
    for (int unit = 0; unit < units; unit += WIDTH)
        EACH_BLOCK(block_bf16, unit, (const uint16_t *)step->weights + (int64_t)unit * 4 * units);
}

#pragma clang attribute pop
#endif
