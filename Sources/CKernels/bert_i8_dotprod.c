// The kernels of bert_i8_neon.c with the dot product of bytes.
#define WITH_DOTPROD
#include "bert_i8_neon.c"
