// The fast path's recurrence on bytes, with the dot product of AVX-512 VNNI.
//
// A state h in (−1, 1) is stored as the byte round(127·h) + 128, because one operand of VPDPBUSD is unsigned; the sum's
// start, −128 times the column's sum of weights, subtracts the contribution of the 128.
#include "table.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

#pragma clang attribute push( \
    __attribute__((target("avx512vnni,avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c,bmi2"))), apply_to = function)

#define NAME(x) x##_vnni
#define WIDTH 16
#define ROW_BLOCK 6

#include "recurrence.inc"

// tanh by a table of parabolas, one for each 0.3 of |x|, least squares on Chebyshev points: within 2.1e-4. Faster here
// than the rational function of the other levels, because looking up 16 values is one instruction.
#define TABLE static const __attribute__((aligned(64))) float
TABLE tanh_0[16] = {0.000000000e+00f, -5.774030051e-03f, -2.598209080e-02f, -4.772446824e-03f,
                    9.901945767e-02f, 2.625879084e-01f,  4.393074131e-01f,  5.962059324e-01f,
                    7.203900826e-01f, 8.118672808e-01f,  8.761277656e-01f,  9.198022821e-01f,
                    9.487773155e-01f, 9.676486199e-01f,  9.797604542e-01f,  9.874410396e-01f};
TABLE tanh_1[16] = {1.003229575e+00f, 1.069197082e+00f, 1.165719400e+00f, 1.113994469e+00f,
                    9.175187730e-01f, 6.745615454e-01f, 4.593451649e-01f, 2.976034168e-01f,
                    1.866730457e-01f, 1.145957912e-01f, 6.930901934e-02f, 4.147058408e-02f,
                    2.461275222e-02f, 1.451435635e-02f, 8.514573276e-03f, 4.972994586e-03f};
TABLE tanh_2[16] = {-6.926430696e-02f, -2.631352153e-01f, -3.789141028e-01f, -3.475655819e-01f,
                    -2.544353836e-01f, -1.641246248e-01f, -9.855594871e-02f, -5.685265000e-02f,
                    -3.207116783e-02f, -1.786942500e-02f, -9.888874262e-03f, -5.451986842e-03f,
                    -2.999631070e-03f, -1.648501615e-03f, -9.054011645e-04f, -4.971009383e-04f};

struct tanh_table {
    __m512 constant, linear, square;
};

static inline __m512 table_tanh(__m512 x, struct tanh_table table) {
    const __m512i sign = _mm512_set1_epi32((int32_t)0x80000000);
    // The minimum of |x| and the table's end.
    __m512 a = _mm512_range_ps(x, _mm512_set1_ps(4.6499f), 0x0a);
    // Adding 1.5·2²³ leaves the nearest integer in the low bits; the look-ups read four of them.
    __m512i at = _mm512_castps_si512(_mm512_fmadd_ps(a, _mm512_set1_ps(1 / 0.3f), _mm512_set1_ps(12582912.0f)));
    __m512 y = _mm512_permutexvar_ps(at, table.square);
    y = _mm512_fmadd_ps(y, a, _mm512_permutexvar_ps(at, table.linear));
    y = _mm512_fmadd_ps(y, a, _mm512_permutexvar_ps(at, table.constant));
    // The sign of x and the magnitude of y.
    return _mm512_castsi512_ps(
        _mm512_ternarylogic_epi32(_mm512_castps_si512(x), _mm512_castps_si512(y), sign, 0xe4));
}

static inline __attribute__((always_inline)) void block_vnni(const int first, const int rows, int unit,
                                                             const int8_t *w, const float *scales,
                                                             const int32_t *starts, const struct us_step *step,
                                                             int row) {
    const int units = step->units;
    const uint8_t *h_previous = (const uint8_t *)step->h_previous + (int64_t)row * units;
    __m512i acc[ROW_BLOCK][4];
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) {
#pragma clang loop unroll(full)
        for (int q = 0; q < 4; q++) acc[r][q] = first ? _mm512_setzero_si512() : _mm512_load_si512(starts + q * 16);
        __builtin_prefetch(step->next[row + r] + unit * 4);
        __builtin_prefetch(step->next[row + r] + unit * 4 + 32);
    }
    for (int k = 0; k < (first ? 0 : units); k += 4, w += 256) {
        __m512i w0 = _mm512_load_si512(w), w1 = _mm512_load_si512(w + 64), w2 = _mm512_load_si512(w + 128),
                w3 = _mm512_load_si512(w + 192);
#pragma clang loop unroll(full)
        for (int r = 0; r < rows; r++) {
            int32_t four;
            memcpy(&four, h_previous + r * units + k, sizeof four);
            __m512i h = _mm512_set1_epi32(four);
            acc[r][0] = _mm512_dpbusd_epi32(acc[r][0], h, w0);
            acc[r][1] = _mm512_dpbusd_epi32(acc[r][1], h, w1);
            acc[r][2] = _mm512_dpbusd_epi32(acc[r][2], h, w2);
            acc[r][3] = _mm512_dpbusd_epi32(acc[r][3], h, w3);
        }
    }
    // Moved from the registers to memory: the table and the constants need the registers now.
    __m512i sums[ROW_BLOCK][4];
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++)
#pragma clang loop unroll(full)
        for (int q = 0; q < 4; q++) _mm512_store_si512(&sums[r][q], acc[r][q]);
    __asm__ volatile("" ::: "memory");
    const struct tanh_table table = {_mm512_load_ps(tanh_0), _mm512_load_ps(tanh_1), _mm512_load_ps(tanh_2)};
    const __m512 half = _mm512_set1_ps(0.5f);
#pragma clang loop unroll_count(2)
    for (int r = 0; r < rows; r++) {
        const uint16_t *x = step->projections[row + r] + unit * 4;
        __m512 gates[4];
#pragma clang loop unroll(full)
        for (int q = 0; q < 4; q++)
            gates[q] = table_tanh(_mm512_fmadd_ps(_mm512_cvtepi32_ps(sums[r][q]), _mm512_load_ps(scales + q * 16),
                                                  (__m512)projected_vnni(x + q * 16)),
                                  table);
        int64_t at = (int64_t)(row + r) * units + unit;
        __m512 in = _mm512_fmadd_ps(gates[0], half, half), forget = _mm512_fmadd_ps(gates[1], half, half);
        __m512 output = _mm512_fmadd_ps(gates[3], half, half), c = _mm512_mul_ps(in, gates[2]);
        if (!first) c = _mm512_fmadd_ps(forget, _mm512_loadu_ps(step->cell + at), c);
        V h = (V)_mm512_mul_ps(output, table_tanh(c, table));
        put_states_vnni(first, (V)c, h, step->cell + at, AT(step->last, at), AT(step->maximum, at),
                        AT(step->sum, at));
        __m512i bytes = _mm512_cvtps_epi32((__m512)(h * 127.0f + 128.0f));
        _mm_storeu_si128((__m128i *)((uint8_t *)step->h_next + at), _mm512_cvtepi32_epi8(bytes));
    }
}

void us_recurrence_vnni(const struct us_step *step) {
    const int units = step->units;
    const int8_t *weights = step->weights;
    const float *scales = (const float *)(const void *)(weights + (int64_t)units * units * 4);
    const int32_t *starts = (const int32_t *)(scales + units * 4);
    for (int unit = 0; unit < units; unit += WIDTH)
        EACH_BLOCK(block_vnni, unit, weights + (int64_t)unit * 4 * units, scales + unit * 4, starts + unit * 4);
}

#pragma clang attribute pop
#endif
