// How the heap behaves, which Swift's Glibc module doesn't show.
#ifndef UNDERSTUDY_MEMORY_H
#define UNDERSTUDY_MEMORY_H

#include <malloc.h>

#endif
