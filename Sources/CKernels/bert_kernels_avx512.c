// The teacher's kernels for processors with AVX512.
#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma"))), \
                             apply_to = function)
#define BERT_WIDTH 16
#define BERT_LEVEL avx512
#include "bert_kernels_body.h"
#pragma clang attribute pop
#endif
