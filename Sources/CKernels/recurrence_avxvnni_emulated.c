// The recurrence with AVX-VNNI without its instruction, for tests.
#define AVXVNNI_EMULATED
#include "recurrence_avxvnni.c"
