// The fast path's recurrence on bytes with the dot product of AVX-VNNI (256 bits), in the layout and with the sums of
// recurrence_vnni.c.
//
// With AVXVNNI_EMULATED the dot product is composed of AVX2 instructions, for tests on processors without it.
#include "table.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

#include "avxvnni.inc"

#ifdef AVXVNNI_EMULATED
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c,bmi2"))), apply_to = function)
#define NAME(x) x##_avxvnni_emulated
#else
#pragma clang attribute push(__attribute__((target("avxvnni,avx2,fma,f16c,bmi2"))), apply_to = function)
#define NAME(x) x##_avxvnni
#endif
#define WIDTH 8
#define ROW_BLOCK 3

#include "recurrence.inc"
#include "recurrence_states.inc"

static inline __attribute__((always_inline)) void NAME(block)(const int first, const int rows, int unit,
                                                              const int8_t *w, const float *scales,
                                                              const int32_t *starts, const struct us_step *step,
                                                              int row) {
    const int units = step->units, lane = unit % US_UNIT_GROUP;
    const uint8_t *h_previous = (const uint8_t *)step->h_previous + (int64_t)row * units;
    __m256i acc[ROW_BLOCK][4];
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) {
#pragma clang loop unroll(full)
        for (int q = 0; q < 4; q++)
            acc[r][q] = first ? _mm256_setzero_si256()
                              : _mm256_loadu_si256((const __m256i *)(const void *)(starts + q * US_UNIT_GROUP + lane));
        __builtin_prefetch(step->next[row + r] + (unit - lane) * 4);
        __builtin_prefetch(step->next[row + r] + (unit - lane) * 4 + 32);
    }
    w += lane * 4;
    for (int k = 0; k < (first ? 0 : units); k += 4, w += 256) {
        __m256i h[ROW_BLOCK];
#pragma clang loop unroll(full)
        for (int r = 0; r < rows; r++) {
            int32_t four;
            memcpy(&four, h_previous + r * units + k, sizeof four);
            h[r] = _mm256_set1_epi32(four);
        }
#pragma clang loop unroll(full)
        for (int q = 0; q < 4; q++) {
            __m256i quads = _mm256_loadu_si256((const __m256i *)(const void *)(w + q * 64));
#pragma clang loop unroll(full)
            for (int r = 0; r < rows; r++) acc[r][q] = DOT(acc[r][q], h[r], quads);
        }
    }
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) NAME(put_bytes)(first, acc[r], unit, scales, step, row + r);
}

void NAME(us_recurrence)(const struct us_step *step) {
    const int units = step->units;
    const int8_t *weights = step->weights;
    const float *scales = (const float *)(const void *)(weights + (int64_t)units * units * 4);
    const int32_t *starts = (const int32_t *)(const void *)(scales + units * 4);
    for (int unit = 0; unit < units; unit += WIDTH) {
        int group = unit / US_UNIT_GROUP;
        EACH_BLOCK(NAME(block), unit, weights + (int64_t)group * units * 64, scales + group * 64, starts + group * 64);
    }
}

#pragma clang attribute pop
#endif
