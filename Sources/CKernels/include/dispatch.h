// The instruction set that the kernels use on this machine.
#ifndef UNDERSTUDY_DISPATCH_H
#define UNDERSTUDY_DISPATCH_H

// Those of x86 (AVX-VNNI: AVX2 with the dot product of bytes in 256 bits) and those of Arm. A higher number includes
// the lower ones of its processor family, except that AVX-512 doesn't include AVX-VNNI.
enum us_level { US_PORTABLE = 0, US_AVX2 = 1, US_AVXVNNI = 2, US_AVX512 = 3, US_NEON = 1, US_DOTPROD = 2 };

// The level in use: the best that the processor supports, unless the environment variable UNDERSTUDY_KERNELS (portable
// | avx2 | avxvnni | avx512, or portable | neon | dotprod) or us_force_level sets a lower one. Never above what the
// processor supports.
int us_level(void);

// The same without what us_force_level sets. The teacher's kernels, which tests select by name, follow this one.
int us_selected_level(void);

// The best level that this processor supports.
int us_best_level(void);

// 1 if the AVX-512 BF16 dot product may be used at the level in use.
int us_has_bf16(void);

// 1 if the AVX-512 VNNI dot product of bytes may be used at the level in use.
int us_has_vnni(void);

// Whether the processor has the dot products of bytes, whatever level is in use.
#if defined(__x86_64__)
int us_supports_vnni(void);
int us_supports_avxvnni(void);
#elif defined(__aarch64__)
int us_supports_dotprod(void);
#endif

// Tells the processor that this thread is waiting for another one in a loop.
static inline void us_relax(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

// For tests: use at most `level` from now on. Must not be called while another thread runs a kernel.
void us_force_level(int level);

#endif
