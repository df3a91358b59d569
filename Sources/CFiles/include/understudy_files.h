// C functions for file handling: zlib's gz functions, and a Linux call that Swift's Glibc module doesn't import.
#ifndef UNDERSTUDY_FILES_H
#define UNDERSTUDY_FILES_H

#include <zlib.h>

// Swaps two paths of one file system atomically (renameat2 with RENAME_EXCHANGE, Linux 3.15). Returns 0 or the errno;
// EINVAL if the file system doesn't support it.
int understudy_exchange(const char *one, const char *other);

#endif
