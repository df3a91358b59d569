// The choice among the kernels of dense layers on bytes, and what several of them share.
#include "bert_i8.h"

#include <string.h>

#include "dispatch.h"

const struct bert_i8_kernels *bert_i8_named(const char *name) {
#if defined(__x86_64__)
    if (strcmp(name, "avx512vnni") == 0 && us_supports_vnni()) return &bert_i8_avx512vnni;
    if (strcmp(name, "avxvnni") == 0 && us_supports_avxvnni()) return &bert_i8_avxvnni;
    if (strcmp(name, "avxvnni-emulated") == 0 && us_best_level() >= US_AVX2) return &bert_i8_avxvnni_emulated;
    if (strcmp(name, "avx2") == 0 && us_best_level() >= US_AVX2) return &bert_i8_avx2;
#elif defined(__aarch64__)
    if (strcmp(name, "dotprod") == 0 && us_supports_dotprod()) return &bert_i8_dotprod;
    if (strcmp(name, "neon") == 0) return &bert_i8_neon;
#endif
    (void)name;
    return NULL;
}

const struct bert_i8_kernels *bert_i8_best(void) {
    const struct bert_i8_kernels *found = NULL;
    int level = us_selected_level();
    if (level == US_PORTABLE) return NULL;
    if (level >= US_AVX512) found = bert_i8_named("avx512vnni");
    if (!found && level >= US_AVXVNNI) found = bert_i8_named("avxvnni");
    if (!found) found = bert_i8_named("avx2");
    if (!found) found = bert_i8_named("dotprod");
    if (!found) found = bert_i8_named("neon");
    return found;
}

int64_t bert_i8_quad_width(int64_t k) { return bert_i8_padded(k, 4); }

int64_t bert_i8_quad_bytes(const int8_t *weights, int64_t n, int64_t k) {
    (void)weights;
    return bert_i8_padded(n, BERT_I8_PANEL) * (bert_i8_quad_width(k) + 8);
}

void bert_i8_quad_pack(uint8_t *packed, const int8_t *weights, const float *scales, int64_t n, int64_t k) {
    int64_t width = bert_i8_quad_width(k);
    for (int64_t first = 0; first < n; first += BERT_I8_PANEL, packed += BERT_I8_PANEL * (width + 8)) {
        int8_t *panel = (int8_t *)packed;
        float *panel_scales = (float *)(void *)(packed + BERT_I8_PANEL * width);
        int32_t *starts = (int32_t *)(void *)(panel_scales + BERT_I8_PANEL);
        memset(packed, 0, (size_t)(BERT_I8_PANEL * (width + 8)));
        for (int64_t column = 0; column < BERT_I8_PANEL && first + column < n; column++) {
            const int8_t *row = weights + (first + column) * k;
            int32_t sum = 0;
            for (int64_t i = 0; i < k; i++) {
                panel[i / 4 * 4 * BERT_I8_PANEL + column * 4 + i % 4] = row[i];
                sum += row[i];
            }
            panel_scales[column] = scales[first + column];
            starts[column] = -128 * sum;
        }
    }
}
