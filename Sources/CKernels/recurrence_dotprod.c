// The fast path's recurrence on bytes with the dot product of Armv8.2, in the layout and with the sums of
// recurrence_vnni.c: a state is stored as the byte round(127·h) + 128, and the 128 is taken off when it is read.
#include "table.h"

#if defined(__aarch64__)
#include <string.h>

#define WITH_DOTPROD
#include "neon_dot.inc"

#define NAME(x) x##_dotprod
#define WIDTH 4
#define ROW_BLOCK 4

#include "recurrence.inc"

static inline __attribute__((always_inline)) void block_dotprod(const int first, const int rows, int unit,
                                                                const int8_t *w, const float *scales,
                                                                const struct us_step *step, int row) {
    const int units = step->units, lane = unit % US_UNIT_GROUP;
    const uint8_t *h_previous = (const uint8_t *)step->h_previous + (int64_t)row * units;
    int32x4_t acc[ROW_BLOCK][4];
    for (int r = 0; r < rows; r++) {
        for (int q = 0; q < 4; q++) acc[r][q] = vdupq_n_s32(0);
        __builtin_prefetch(step->next[row + r] + (unit - lane) * 4);
        __builtin_prefetch(step->next[row + r] + (unit - lane) * 4 + 32);
    }
    w += lane * 4;
    for (int k = 0; k < (first ? 0 : units); k += 4, w += 256)
        for (int r = 0; r < rows; r++) {
            uint32_t four;
            memcpy(&four, h_previous + r * units + k, sizeof four);
            int8x16_t h = vreinterpretq_s8_u32(vdupq_n_u32(four ^ 0x80808080u));
            for (int q = 0; q < 4; q++) acc[r][q] = DOT(acc[r][q], h, vld1q_s8(w + q * 64));
        }
    for (int r = 0; r < rows; r++) {
        const uint16_t *x = step->projections[row + r] + (unit - lane) * 4 + lane;
        V gates[4];
        for (int q = 0; q < 4; q++)
            gates[q] = (V)vcvtq_f32_s32(acc[r][q]) * vload_dotprod(scales + q * US_UNIT_GROUP + lane) +
                       projected_dotprod(x + q * US_UNIT_GROUP);
        int64_t at = (int64_t)(row + r) * units + unit;
        V h = combine_halved_dotprod(first, gates[0], gates[1], gates[2], gates[3], step->cell + at,
                                     AT(step->last, at), AT(step->maximum, at), AT(step->sum, at));
        int32x4_t whole = vcvtnq_s32_f32((float32x4_t)(h * 127.0f + 128.0f));
        for (int i = 0; i < 4; i++) ((uint8_t *)step->h_next)[at + i] = (uint8_t)whole[i];
    }
}

void us_recurrence_dotprod(const struct us_step *step) {
    const int units = step->units;
    const int8_t *weights = step->weights;
    const float *scales = (const float *)(const void *)(weights + (int64_t)units * units * 4);
    for (int unit = 0; unit < units; unit += WIDTH) {
        int group = unit / US_UNIT_GROUP;
        EACH_BLOCK(block_dotprod, unit, weights + (int64_t)group * units * 64, scales + group * 64);
    }
}

#include "neon_end.inc"
#endif
