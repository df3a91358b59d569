// Dense layers on bytes for Arm: a register block of 4 rows by 16 outputs, in the layout of the VNNI kernels. Both
// operands are signed here, so nothing is added to the inputs and the starts of the sums are zero.
//
// bert_i8_dotprod.c compiles this file with the dot product of bytes.
#include "bert_i8.h"

#if defined(__aarch64__)
#include <string.h>

#include "neon_dot.inc"

#ifdef WITH_DOTPROD
#define KERNELS bert_i8_dotprod
#define KERNELS_NAME "dotprod"
#else
#define KERNELS bert_i8_neon
#define KERNELS_NAME "neon"
#endif

enum { PANEL = BERT_I8_PANEL, OUTPUTS = 16, CHUNK_ROWS = 96 };

// Eight numbers, rounded as by the kernels that add 128.
static inline int8x8_t to_bytes(const float *x, float32x4_t factor) {
    const float32x4_t offset = vdupq_n_f32(128);
    int32x4_t low = vcvtnq_s32_f32(vfmaq_f32(offset, vld1q_f32(x), factor));
    int32x4_t high = vcvtnq_s32_f32(vfmaq_f32(offset, vld1q_f32(x + 4), factor));
    int16x8_t words = vcombine_s16(vmovn_s32(low), vmovn_s32(high));
    return vmovn_s16(vsubq_s16(words, vdupq_n_s16(128)));
}

static void convert(uint8_t *out, float *scales, const float *x, int64_t rows, int64_t k) {
    const int64_t width = bert_i8_octet_width(k), whole = k / 8 * 8;
    for (int64_t row = 0; row < rows; row++, x += k, out += width) {
        // The padding of a row is multiplied by weights of zero.
        float last[8] = {0};
        memcpy(last, x + whole, (size_t)(k - whole) * 4);
        float32x4_t top = vmaxq_f32(vabsq_f32(vld1q_f32(last)), vabsq_f32(vld1q_f32(last + 4)));
        for (int64_t i = 0; i < whole; i += 4) top = vmaxq_f32(top, vabsq_f32(vld1q_f32(x + i)));
        float greatest = vmaxvq_f32(top);
        scales[row] = greatest / 127.0f;
        const float32x4_t factor = vdupq_n_f32(greatest > 0 ? 127.0f / greatest : 0);
        for (int64_t i = 0; i < width; i += 8)
            vst1_s8((int8_t *)out + i, to_bytes(i < whole ? x + i : last, factor));
    }
}

static inline int8x16_t four_of(const uint8_t *x) {
    int32_t four;
    memcpy(&four, x, sizeof four);
    return vreinterpretq_s8_s32(vdupq_n_s32(four));
}

// One block of R rows and 16 of the panel's 32 outputs; `columns` of them are stored.
#define BLOCK(R)                                                                                                     \
    static inline __attribute__((always_inline)) void block_##R(                                                     \
        float *y, int64_t y_stride, const uint8_t *x, int64_t x_stride, const float *x_scales, int64_t width,        \
        const int8_t *panel, const float *scales, int64_t columns) {                                                 \
        int32x4_t sums[R][4];                                                                                        \
        for (int r = 0; r < R; r++)                                                                                  \
            for (int q = 0; q < 4; q++) sums[r][q] = vdupq_n_s32(0);                                                 \
        for (int64_t i = 0; i < width; i += 4, panel += 4 * PANEL) {                                                 \
            int8x16_t w[4] = {vld1q_s8(panel), vld1q_s8(panel + 16), vld1q_s8(panel + 32), vld1q_s8(panel + 48)};    \
            for (int r = 0; r < R; r++) {                                                                            \
                int8x16_t four = four_of(x + r * x_stride + i);                                                      \
                for (int q = 0; q < 4; q++) sums[r][q] = DOT(sums[r][q], four, w[q]);                                \
            }                                                                                                        \
        }                                                                                                            \
        for (int r = 0; r < R; r++) {                                                                                \
            float results[OUTPUTS];                                                                                  \
            for (int q = 0; q < 4; q++) {                                                                            \
                float32x4_t by = vmulq_n_f32(vld1q_f32(scales + 4 * q), x_scales[r]);                                \
                vst1q_f32(results + 4 * q, vmulq_f32(vcvtq_f32_s32(sums[r][q]), by));                                \
            }                                                                                                        \
            memcpy(y + r * y_stride, results, (size_t)(columns < OUTPUTS ? columns : OUTPUTS) * 4);                  \
        }                                                                                                            \
    }
BLOCK(4)
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
            const int8_t *half = (const int8_t *)panel + first % PANEL * 4;
            int64_t row = chunk;
            for (; row + 4 <= end; row += 4)
                block_4(y + row * y_stride + first, y_stride, x + row * stride, stride, x_scales + row, width, half,
                        scales, n - first);
            for (; row < end; row++)
                block_1(y + row * y_stride + first, y_stride, x + row * stride, stride, x_scales + row, width, half,
                        scales, n - first);
        }
    }
}

#include "neon_end.inc"

const struct bert_i8_kernels KERNELS = {
    .name = KERNELS_NAME,
    .offset = 0,
    .width = bert_i8_octet_width,
    .packed_bytes = bert_i8_quad_bytes,
    .pack = bert_i8_quad_pack,
    .convert = convert,
    .product = product,
};

#endif
