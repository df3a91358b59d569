// Dense layers on bytes with AVX2, which has no dot product that adds to 32 bits: a register block of 8 rows by 8
// outputs.
//
// An input is a number s from −127 to 127. VPMADDUBSW multiplies bytes s + 127 by weights and adds pairs of products to
// 16 bits, VPADDW adds two of these, and one VPMADDWD by ones widens the sum of four: three multiplications for 64
// products of bytes, where VPMADDWD on 16-bit numbers takes four. It is exact if
//   (1) no pair saturates: weights of one sign in a pair have a sum of at most 129, since 254 · 129 < 2^15, and
//   (2) the sum of four fits into 16 bits once the contribution of the 127 is subtracted: the four weights' magnitudes
//       have a sum of at most 258, since 127 · 258 < 2^15. Additions wrap around, so only the final sum matters.
// So quads of inputs (four weights of each of the 8 outputs) that fulfil (1) are combined in twos that fulfil (2), in
// any order; the others are multiplied with 16-bit numbers. With 384 inputs that is a quarter of the quads, with 1,536
// a twentieth. The sums are the same whole numbers as with every other instruction set.
#include "bert_i8.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)

#define BERT_I8_OFFSET 127
#include "bert_i8_convert.inc"

enum {
    PANEL = BERT_I8_PANEL,
    OUTPUTS = 8,      // of a part
    CHUNK_ROWS = 96,  // rows that stay in the cache while all weights pass by
    LARGEST_PAIR = 129,
    LARGEST_FOUR = 258,
    WAITING = 8,  // quads that wait for one to be combined with
};

// Two quads of inputs as bytes: weights of 8 outputs, what the inputs' 127 adds to each 16-bit sum, negated, and the
// quads' places in a row.
struct both {
    __m256i quads[2], start;
    int32_t places[2], unused[6];
};

// A quad as 16-bit numbers: its inputs 0 and 1, and 2 and 3.
struct wide {
    __m256i pairs[2];
    int32_t place, unused[7];
};

// Packed weights: an entry of this table for each part of 8 outputs; for each part its twos of quads, then its wide ones.
struct part {
    int64_t at;  // bytes from the start of the packed weights
    int32_t boths, wides;
    float scales[OUTPUTS];
};

static int64_t parts_of(int64_t n) { return bert_i8_padded(n, PANEL) / OUTPUTS; }

// Inputs i … i + 3 of 8 outputs' weights, zeros beyond n and k.
static inline __m256i read_quad(const int8_t *weights, int64_t n, int64_t k, int64_t first, int64_t i) {
    int32_t quads[OUTPUTS] = {0};
    const int8_t *from = weights + first * k + i;
    if (k - i >= 4 && n - first >= OUTPUTS)
        for (int output = 0; output < OUTPUTS; output++) memcpy(quads + output, from + output * k, 4);
    else
        for (int output = 0; output < OUTPUTS && first + output < n; output++)
            memcpy(quads + output, from + output * k, (size_t)(k - i < 4 ? k - i : 4));
    return _mm256_loadu_si256((const __m256i *)(const void *)quads);
}

// Whether some pair may saturate; else the sums of its weights' magnitudes.
static inline int saturates(__m256i quad, __m256i *magnitudes) {
    const __m256i ones = _mm256_set1_epi8(1), zero = _mm256_setzero_si256();
    __m256i up = _mm256_maddubs_epi16(_mm256_max_epi8(quad, zero), ones);
    __m256i down = _mm256_maddubs_epi16(_mm256_and_si256(_mm256_abs_epi8(quad), _mm256_cmpgt_epi8(zero, quad)), ones);
    *magnitudes = _mm256_add_epi16(up, down);
    __m256i over = _mm256_cmpgt_epi16(_mm256_max_epi16(up, down), _mm256_set1_epi16(LARGEST_PAIR));
    return !_mm256_testz_si256(over, over);
}

static inline int fit_together(__m256i a, __m256i b) {
    __m256i over = _mm256_cmpgt_epi16(_mm256_add_epi16(a, b), _mm256_set1_epi16(LARGEST_FOUR));
    return _mm256_testz_si256(over, over);
}

// Where a part is packed, or nowhere if it is only counted.
struct target {
    struct both *both;
    struct wide *wide;
    int32_t boths, wides;
};

static void put_both(struct target *to, const __m256i quads[2], const int32_t places[2]) {
    int32_t at = to->boths++;
    if (!to->both) return;
    const __m256i ones = _mm256_set1_epi8(1);
    __m256i fours = _mm256_add_epi16(_mm256_maddubs_epi16(ones, quads[0]), _mm256_maddubs_epi16(ones, quads[1]));
    struct both *both = to->both + at;
    memset(both, 0, sizeof *both);
    for (int i = 0; i < 2; i++) {
        both->quads[i] = quads[i];
        both->places[i] = places[i];
    }
    both->start = _mm256_mullo_epi16(fours, _mm256_set1_epi16(-BERT_I8_OFFSET));
}

static void put_wide(struct target *to, __m256i quad, int32_t place) {
    int32_t at = to->wides++;
    if (!to->wide) return;
    struct wide *wide = to->wide + at;
    memset(wide, 0, sizeof *wide);
    // 16-bit numbers 0 and 1 of each output's four, then 2 and 3.
    __m256i low = _mm256_cvtepi8_epi16(_mm256_castsi256_si128(quad));
    __m256i high = _mm256_cvtepi8_epi16(_mm256_extracti128_si256(quad, 1));
    const __m256i order = _mm256_setr_epi32(0, 2, 4, 6, 1, 3, 5, 7);
    low = _mm256_permutevar8x32_epi32(low, order);
    high = _mm256_permutevar8x32_epi32(high, order);
    wide->pairs[0] = _mm256_permute2x128_si256(low, high, 0x20);
    wide->pairs[1] = _mm256_permute2x128_si256(low, high, 0x31);
    wide->place = place;
}

// Arranges the quads of a part: a quad is combined with the first of those that wait for one.
static void arrange(struct target *to, const int8_t *weights, int64_t n, int64_t k, int64_t first) {
    struct {
        __m256i quad, size;
        int32_t place;
    } waiting[WAITING];
    int count = 0;
    for (int64_t i = 0; i < k; i += 4) {
        __m256i quad = read_quad(weights, n, k, first, i), size;
        if (saturates(quad, &size)) {
            put_wide(to, quad, (int32_t)i);
            continue;
        }
        int other = 0;
        while (other < count && !fit_together(waiting[other].size, size)) other++;
        if (other < count) {
            put_both(to, (__m256i[2]){waiting[other].quad, quad}, (int32_t[2]){waiting[other].place, (int32_t)i});
            waiting[other] = waiting[--count];
            continue;
        }
        if (count == WAITING) {
            put_wide(to, waiting[0].quad, waiting[0].place);
            waiting[0] = waiting[--count];
        }
        waiting[count].quad = quad;
        waiting[count].size = size;
        waiting[count++].place = (int32_t)i;
    }
    for (int j = 0; j < count; j++) put_wide(to, waiting[j].quad, waiting[j].place);
}

static int64_t bytes_of(const struct target *counts) {
    return counts->boths * (int64_t)sizeof(struct both) + counts->wides * (int64_t)sizeof(struct wide);
}

static int64_t packed_bytes(const int8_t *weights, int64_t n, int64_t k) {
    const int64_t parts = parts_of(n);
    int64_t total = bert_i8_padded(parts * (int64_t)sizeof(struct part), 32);
    for (int64_t p = 0; p < parts; p++) {
        struct target counts = {0};
        arrange(&counts, weights, n, k, p * OUTPUTS);
        total += bytes_of(&counts);
    }
    return total;
}

static void pack(uint8_t *packed, const int8_t *weights, const float *scales, int64_t n, int64_t k) {
    const int64_t parts = parts_of(n);
    struct part *table = (struct part *)(void *)packed;
    int64_t at = bert_i8_padded(parts * (int64_t)sizeof *table, 32);
    for (int64_t p = 0; p < parts; p++) {
        const int64_t first = p * OUTPUTS;
        struct target counts = {0};
        arrange(&counts, weights, n, k, first);
        struct both *both = (struct both *)(void *)(packed + at);
        struct target target = {.both = both, .wide = (struct wide *)(void *)(both + counts.boths)};
        arrange(&target, weights, n, k, first);
        table[p] = (struct part){.at = at, .boths = counts.boths, .wides = counts.wides};
        for (int64_t output = 0; output < OUTPUTS && first + output < n; output++)
            table[p].scales[output] = scales[first + output];
        at += bytes_of(&counts);
    }
}

// 32 bits from `from` in every lane: four bytes, or two 16-bit numbers.
static inline __attribute__((always_inline)) __m256i repeated(const void *from) {
    int32_t bits;
    memcpy(&bits, from, sizeof bits);
    return _mm256_set1_epi32(bits);
}

// One block of R rows and the 8 outputs of a part; `columns` of them are stored.
#define BLOCK(R)                                                                                                     \
    static inline __attribute__((always_inline)) void block_##R(                                                     \
        float *y, int64_t y_stride, const uint8_t *x, const float *x_scales, int64_t k, const struct part *part,     \
        const struct both *both, int64_t columns) {                                                                  \
        const int64_t width = bert_i8_octet_width(k), row_bytes = 3 * width;                                         \
        const __m256i ones = _mm256_set1_epi16(1);                                                                   \
        __m256i sums[R];                                                                                             \
        for (int r = 0; r < R; r++) sums[r] = _mm256_setzero_si256();                                                \
        const struct both *last = both + part->boths;                                                                \
        for (; both < last; both++) {                                                                                \
            const __m256i a = both->quads[0], b = both->quads[1], start = both->start;                               \
            const uint8_t *first = x + both->places[0], *second = x + both->places[1];                               \
            _Pragma("clang loop unroll(full)") for (int r = 0; r < R; r++) {                                         \
                __m256i four = _mm256_add_epi16(_mm256_maddubs_epi16(repeated(first + r * row_bytes), a), start);    \
                four = _mm256_add_epi16(four, _mm256_maddubs_epi16(repeated(second + r * row_bytes), b));            \
                sums[r] = _mm256_add_epi32(sums[r], _mm256_madd_epi16(four, ones));                                  \
            }                                                                                                        \
        }                                                                                                            \
        const struct wide *wide = (const struct wide *)(const void *)last, *end = wide + part->wides;                \
        for (; wide < end; wide++) {                                                                                 \
            const __m256i a = wide->pairs[0], b = wide->pairs[1];                                                    \
            const uint8_t *inputs = x + width + 2 * wide->place;                                                     \
            _Pragma("clang loop unroll(full)") for (int r = 0; r < R; r++) {                                         \
                sums[r] = _mm256_add_epi32(sums[r], _mm256_madd_epi16(repeated(inputs + r * row_bytes), a));         \
                sums[r] = _mm256_add_epi32(sums[r], _mm256_madd_epi16(repeated(inputs + r * row_bytes + 4), b));     \
            }                                                                                                        \
        }                                                                                                            \
        const __m256i order = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);                                             \
        const __m256i stored = _mm256_cmpgt_epi32(_mm256_set1_epi32((int)columns), order);                           \
        const __m256 scale = _mm256_loadu_ps(part->scales);                                                          \
        for (int r = 0; r < R; r++) {                                                                                \
            __m256 by = _mm256_mul_ps(scale, _mm256_set1_ps(x_scales[r]));                                           \
            __m256 result = _mm256_mul_ps(_mm256_cvtepi32_ps(sums[r]), by);                                          \
            if (columns >= OUTPUTS) _mm256_storeu_ps(y + r * y_stride, result);                                      \
            else _mm256_maskstore_ps(y + r * y_stride, stored, result);                                              \
        }                                                                                                            \
    }
BLOCK(8)
BLOCK(4)
BLOCK(2)
BLOCK(1)

static void product(float *y, int64_t y_stride, const uint8_t *x, const float *x_scales, int64_t rows,
                    const uint8_t *packed, int64_t first, int64_t n, int64_t k) {
    const int64_t row_bytes = 3 * bert_i8_octet_width(k);
    for (int64_t chunk = 0; chunk < rows; chunk += CHUNK_ROWS) {
        const int64_t end = rows - chunk < CHUNK_ROWS ? rows : chunk + CHUNK_ROWS;
        for (int64_t column = 0; column < n; column += OUTPUTS) {
            const struct part *part = (const struct part *)(const void *)packed + (first + column) / OUTPUTS;
            const struct both *both = (const struct both *)(const void *)(packed + part->at);
            int64_t row = chunk;
#define ROWS(R)                                                                                                      \
    for (; row + R <= end; row += R)                                                                                 \
        block_##R(y + row * y_stride + column, y_stride, x + row * row_bytes, x_scales + row, k, part, both,         \
                  n - column)
            ROWS(8);
            ROWS(4);
            ROWS(2);
            ROWS(1);
#undef ROWS
        }
    }
}

// A row: s + 127 in bytes, then s in 16 bits.
static int64_t width(int64_t k) { return 3 * bert_i8_octet_width(k); }

static void convert(uint8_t *out, float *scales, const float *x, int64_t rows, int64_t k) {
    const int64_t width = bert_i8_octet_width(k);
    convert_rows(out, out + width, 3 * width, scales, x, rows, k);
}

#pragma clang attribute pop

const struct bert_i8_kernels bert_i8_avx2 = {
    .name = "avx2",
    .offset = BERT_I8_OFFSET,
    .width = width,
    .packed_bytes = packed_bytes,
    .pack = pack,
    .convert = convert,
    .product = product,
};

#endif
