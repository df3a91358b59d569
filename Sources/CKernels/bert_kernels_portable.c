// The teacher's kernels for any processor (SSE2 on x86-64, NEON on AArch64).
#define BERT_WIDTH 4
#define BERT_LEVEL portable
#include "bert_kernels_body.h"
