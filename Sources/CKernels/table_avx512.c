// The same kernels for AVX-512 (F, BW, VL, DQ).
#include "table.h"

#if defined(__x86_64__)
#include <immintrin.h>

#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c,bmi2"))), \
                             apply_to = function)

#define NAME(x) x##_avx512
#define WIDTH 16
#define ROW_BLOCK 6

#include "elementwise.inc"
#include "recurrence.inc"
#include "lstm_cell.inc"
#include "recurrence_f32.inc"
#include "recurrence_i8.inc"
#include "rows.inc"

#pragma clang attribute pop

const struct us_table us_table_avx512 = US_TABLE;

#endif
