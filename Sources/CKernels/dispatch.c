#include "dispatch.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>
#elif defined(__aarch64__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

static atomic_int selected = -1, forced = -1;

#if defined(__x86_64__)
int us_supports_vnni(void) {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vnni");
}

int us_supports_avxvnni(void) {
    // Leaf 7, sub-leaf 1, EAX bit 4. The operating system saves the registers if it does so for AVX2.
    unsigned eax, ebx, ecx, edx;
    return __builtin_cpu_supports("avx2") && __get_cpuid_count(7, 1, &eax, &ebx, &ecx, &edx) && (eax >> 4 & 1);
}
#elif defined(__aarch64__)
int us_supports_dotprod(void) { return (getauxval(AT_HWCAP) & HWCAP_ASIMDDP) != 0; }
#endif

int us_best_level(void) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("avx512dq"))
        return US_AVX512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return us_supports_avxvnni() ? US_AVXVNNI : US_AVX2;
#elif defined(__aarch64__)
    return us_supports_dotprod() ? US_DOTPROD : US_NEON;
#endif
    return US_PORTABLE;
}

static int level_from_environment(void) {
    int best = us_best_level();
    const char *name = getenv("UNDERSTUDY_KERNELS");
    if (name == NULL) return best;
    int asked = best;
    if (strcmp(name, "portable") == 0) asked = US_PORTABLE;
#if defined(__x86_64__)
    if (strcmp(name, "avx2") == 0) asked = US_AVX2;
    if (strcmp(name, "avxvnni") == 0) asked = US_AVXVNNI;
#elif defined(__aarch64__)
    if (strcmp(name, "neon") == 0) asked = US_NEON;
#endif
    return asked < best ? asked : best;
}

int us_selected_level(void) {
    int level = atomic_load_explicit(&selected, memory_order_relaxed);
    if (level >= 0) return level;
    level = level_from_environment();
    atomic_store_explicit(&selected, level, memory_order_relaxed);
    return level;
}

int us_level(void) {
    int level = atomic_load_explicit(&forced, memory_order_relaxed);
    return level >= 0 ? level : us_selected_level();
}

void us_force_level(int level) {
    int best = us_best_level();
    atomic_store_explicit(&forced, level < best ? level : best, memory_order_relaxed);
}

int us_has_bf16(void) {
#if defined(__x86_64__)
    return us_level() == US_AVX512 && __builtin_cpu_supports("avx512bf16");
#else
    return 0;
#endif
}

int us_has_vnni(void) {
#if defined(__x86_64__)
    return us_level() == US_AVX512 && us_supports_vnni();
#else
    return 0;
#endif
}
