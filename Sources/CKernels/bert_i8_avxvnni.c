// Dense layers on bytes with the dot product of AVX-VNNI (256 bits): a register block of 6 rows by 16 outputs, in the
// layout and with the whole numbers of AVX-512 VNNI.
//
// With AVXVNNI_EMULATED the dot product is composed of AVX2 instructions: slower, for tests on processors without it.
#include "bert_i8.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

#include "avxvnni.inc"

#ifdef AVXVNNI_EMULATED
#define KERNELS bert_i8_avxvnni_emulated
#define KERNELS_NAME "avxvnni-emulated"
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#define KERNELS bert_i8_avxvnni
#define KERNELS_NAME "avxvnni"
#pragma clang attribute push(__attribute__((target("avx2,fma,avxvnni"))), apply_to = function)
#endif

#define BERT_I8_OFFSET 128
#include "bert_i8_convert.inc"

// Four bytes of x in every 32 bits.
static inline __attribute__((always_inline)) __m256i four_of(const uint8_t *x) {
    int32_t four;
    memcpy(&four, x, sizeof four);
    return _mm256_set1_epi32(four);
}

enum { PANEL = BERT_I8_PANEL, OUTPUTS = 16, CHUNK_ROWS = 96 };

// One block of R rows and 16 of the panel's 32 outputs; `columns` of them are stored.
#define BLOCK(R)                                                                                                     \
    static inline __attribute__((always_inline)) void block_##R(                                                     \
        float *y, int64_t y_stride, const uint8_t *x, int64_t x_stride, const float *x_scales, int64_t width,        \
        const uint8_t *panel, const float *scales, int64_t columns) {                                                \
        const int32_t *starts = (const int32_t *)(const void *)(scales + PANEL);                                     \
        __m256i low[R], high[R];                                                                                     \
        for (int r = 0; r < R; r++) {                                                                                \
            low[r] = _mm256_loadu_si256((const __m256i *)(const void *)starts);                                      \
            high[r] = _mm256_loadu_si256((const __m256i *)(const void *)(starts + 8));                               \
        }                                                                                                            \
        for (int64_t i = 0; i < width; i += 4, panel += 4 * PANEL) {                                                 \
            __m256i a = _mm256_loadu_si256((const __m256i *)(const void *)panel);                                    \
            __m256i b = _mm256_loadu_si256((const __m256i *)(const void *)(panel + 32));                             \
            _Pragma("clang loop unroll(full)") for (int r = 0; r < R; r++) {                                         \
                __m256i four = four_of(x + r * x_stride + i);                                                        \
                low[r] = DOT(low[r], four, a);                                                                       \
                high[r] = DOT(high[r], four, b);                                                                     \
            }                                                                                                        \
        }                                                                                                            \
        const __m256i places = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);                                            \
        const __m256i in_low = _mm256_cmpgt_epi32(_mm256_set1_epi32((int)columns), places);                          \
        const __m256i in_high = _mm256_cmpgt_epi32(_mm256_set1_epi32((int)columns - 8), places);                     \
        __m256 s0 = _mm256_loadu_ps(scales), s1 = _mm256_loadu_ps(scales + 8);                                       \
        for (int r = 0; r < R; r++) {                                                                                \
            __m256 by = _mm256_set1_ps(x_scales[r]);                                                                 \
            __m256 y0 = _mm256_mul_ps(_mm256_cvtepi32_ps(low[r]), _mm256_mul_ps(s0, by));                            \
            __m256 y1 = _mm256_mul_ps(_mm256_cvtepi32_ps(high[r]), _mm256_mul_ps(s1, by));                           \
            _mm256_maskstore_ps(y + r * y_stride, in_low, y0);                                                       \
            if (columns > 8) _mm256_maskstore_ps(y + r * y_stride + 8, in_high, y1);                                 \
        }                                                                                                            \
    }
BLOCK(6)
BLOCK(2)
BLOCK(1)

static void product(float *y, int64_t y_stride, const uint8_t *x, const float *x_scales, int64_t rows,
                    const uint8_t *packed, int64_t first_output, int64_t n, int64_t k) {
    const int64_t width = bert_i8_quad_width(k), stride = bert_i8_octet_width(k);
    packed += first_output * (width + 8);
    for (int64_t chunk = 0; chunk < rows; chunk += CHUNK_ROWS) {
        const int64_t end = rows - chunk < CHUNK_ROWS ? rows : chunk + CHUNK_ROWS;
        for (int64_t first = 0; first < n; first += OUTPUTS) {
            const uint8_t *panel = packed + first / PANEL * PANEL * (width + 8);
            const float *scales = (const float *)(const void *)(panel + PANEL * width) + first % PANEL;
            const uint8_t *half = panel + first % PANEL * 4;
            int64_t row = chunk;
#define ROWS(R)                                                                                                      \
    for (; row + R <= end; row += R)                                                                                 \
        block_##R(y + row * y_stride + first, y_stride, x + row * stride, stride, x_scales + row, width, half,       \
                  scales, n - first)
            ROWS(6);
            ROWS(2);
            ROWS(1);
#undef ROWS
        }
    }
}

static void convert(uint8_t *out, float *scales, const float *x, int64_t rows, int64_t k) {
    convert_rows(out, NULL, bert_i8_octet_width(k), scales, x, rows, k);
}

#pragma clang attribute pop

const struct bert_i8_kernels KERNELS = {
    .name = KERNELS_NAME,
    .offset = 128,
    .width = bert_i8_octet_width,
    .packed_bytes = bert_i8_quad_bytes,
    .pack = bert_i8_quad_pack,
    .convert = convert,
    .product = product,
};

#endif
