// What the kernels of dense layers on bytes share.
#ifndef UNDERSTUDY_BERT_I8_SHARED_H
#define UNDERSTUDY_BERT_I8_SHARED_H

#include <stddef.h>

#include "include/bert_i8.h"

extern const struct bert_i8_kernels bert_i8_avx512vnni, bert_i8_avxvnni, bert_i8_avx2, bert_i8_avxvnni_emulated,
    bert_i8_dotprod, bert_i8_neon;

static inline int64_t bert_i8_padded(int64_t value, int64_t multiple) {
    return (value + multiple - 1) / multiple * multiple;
}

// Bytes of a converted row for the kernels of 256 bits, which convert eight inputs at a time.
static inline int64_t bert_i8_octet_width(int64_t k) { return bert_i8_padded(k, 8); }

// The layout of the kernels whose instruction multiplies four unsigned bytes by four signed ones and adds them to 32
// bits: panels of 32 outputs; in each, four adjacent inputs of every output side by side, then the outputs' scales,
// then the starts of their sums, −128 times the output's sum of weights.
int64_t bert_i8_quad_width(int64_t k);
int64_t bert_i8_quad_bytes(const int8_t *weights, int64_t n, int64_t k);
void bert_i8_quad_pack(uint8_t *packed, const int8_t *weights, const float *scales, int64_t n, int64_t k);

#endif
