// The same kernels for AVX2 with FMA and F16C.
#include "table.h"

#if defined(__x86_64__)
#include <immintrin.h>

#pragma clang attribute push(__attribute__((target("avx2,fma,f16c,bmi2"))), apply_to = function)

#define NAME(x) x##_avx2
#define WIDTH 8
#define ROW_BLOCK 3

#include "elementwise.inc"
#include "recurrence.inc"
#include "lstm_cell.inc"
#include "recurrence_f32.inc"
#include "recurrence_i8.inc"
#include "rows.inc"

#pragma clang attribute pop

const struct us_table us_table_avx2 = US_TABLE;

#endif
