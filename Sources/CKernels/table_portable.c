// The kernels in plain C for any processor (SSE2 on x86-64, NEON on Arm).
#include "table.h"
#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#define NAME(x) x##_portable
#define WIDTH 4
#define ROW_BLOCK 3

#include "elementwise.inc"
#include "recurrence.inc"
#include "lstm_cell.inc"
#include "recurrence_f32.inc"
#include "recurrence_i8.inc"
#include "rows.inc"

const struct us_table us_table_portable = US_TABLE;
