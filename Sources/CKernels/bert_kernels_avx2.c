// The teacher's kernels for processors with AVX2.
#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#define BERT_WIDTH 8
#define BERT_LEVEL avx2
#include "bert_kernels_body.h"
#pragma clang attribute pop
#endif
