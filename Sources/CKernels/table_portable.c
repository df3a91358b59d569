// The kernels in plain C for any processor (SSE2 on x86-64).
#include "table.h"

#define NAME(x) x##_portable
#define WIDTH 4
#define ROW_BLOCK 3

#include "elementwise.inc"
#include "recurrence.inc"

const struct us_table us_table_portable = US_TABLE;
