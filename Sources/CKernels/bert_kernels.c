#include "bert_kernels.h"

#include <stddef.h>
#include <string.h>

#include "dispatch.h"

extern const struct bert_kernels bert_kernels_portable;
#if defined(__x86_64__)
extern const struct bert_kernels bert_kernels_avx512, bert_kernels_avx2;
#endif

int64_t bert_attention_scratch(int64_t length, int64_t width) {
    // Rows are padded to the widest vector, 16 floats; one block holds a packed operand, two hold scores.
    int64_t padded = (length + 15) / 16 * 16;
    return padded * (width + 2 * length);
}

const struct bert_kernels *bert_kernels_named(const char *level) {
    if (strcmp(level, "portable") == 0) return &bert_kernels_portable;
#if defined(__x86_64__)
    if (strcmp(level, "avx2") == 0 && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return &bert_kernels_avx2;
    if (strcmp(level, "avx512") == 0 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
        return &bert_kernels_avx512;
#endif
    return 0;
}

const struct bert_kernels *bert_kernels_best(void) {
    int level = us_selected_level();
    const struct bert_kernels *found = level >= US_AVX512 ? bert_kernels_named("avx512") : NULL;
    if (!found && level >= US_AVX2) found = bert_kernels_named("avx2");
    return found ? found : &bert_kernels_portable;
}
