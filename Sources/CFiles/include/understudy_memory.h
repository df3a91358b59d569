// Heap settings that Swift's Glibc module doesn't import.
#ifndef UNDERSTUDY_MEMORY_H
#define UNDERSTUDY_MEMORY_H

#include <malloc.h>

#endif
