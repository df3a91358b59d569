// Which instruction set the kernels use on this machine.
#ifndef UNDERSTUDY_DISPATCH_H
#define UNDERSTUDY_DISPATCH_H

enum us_level { US_PORTABLE = 0, US_AVX2 = 1, US_AVX512 = 2 };

// The level in use: the best that the processor has, unless the environment variable UNDERSTUDY_KERNELS
// (portable | avx2 | avx512) or us_force_level asks for a lower one. Never above what the processor has.
int us_level(void);

// The best level that this processor has.
int us_best_level(void);

// 1 where the AVX-512 BF16 dot product may be used at the level in use.
int us_has_bf16(void);

// 1 where the AVX-512 VNNI dot product of bytes may be used at the level in use.
int us_has_vnni(void);

// For tests: use at most `level` from now on. Not to be called while another thread runs a kernel.
void us_force_level(int level);

#endif
