// The instruction set that the kernels use on this machine.
#ifndef UNDERSTUDY_DISPATCH_H
#define UNDERSTUDY_DISPATCH_H

enum us_level { US_PORTABLE = 0, US_AVX2 = 1, US_AVX512 = 2 };

// The level in use: the best that the processor supports, unless the environment variable UNDERSTUDY_KERNELS (portable
// | avx2 | avx512) or us_force_level sets a lower one. Never above what the processor supports.
int us_level(void);

// The best level that this processor supports.
int us_best_level(void);

// 1 if the AVX-512 BF16 dot product may be used at the level in use.
int us_has_bf16(void);

// 1 if the AVX-512 VNNI dot product of bytes may be used at the level in use.
int us_has_vnni(void);

// For tests: use at most `level` from now on. Must not be called while another thread runs a kernel.
void us_force_level(int level);

#endif
