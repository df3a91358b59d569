// The kernels of AVX-VNNI without its instruction, for tests.
#define AVXVNNI_EMULATED
#include "bert_i8_avxvnni.c"
