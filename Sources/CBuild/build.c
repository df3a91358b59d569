#include "understudy_build.h"

#ifndef UNDERSTUDY_COMMIT
#define UNDERSTUDY_COMMIT ""
#endif

#if defined(__x86_64__)
#define PROCESSOR "x86_64"
#elif defined(__aarch64__)
#define PROCESSOR "aarch64"
#else
#define PROCESSOR "unknown"
#endif

#if defined(__GLIBC__) || defined(__gnu_linux__)
#define SYSTEM "linux-gnu"
#else
#define SYSTEM "linux"
#endif

const char *understudy_commit(void) { return UNDERSTUDY_COMMIT; }

const char *understudy_target(void) { return PROCESSOR "-" SYSTEM; }
