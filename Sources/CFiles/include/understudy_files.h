// What file handling needs from C: zlib's gz functions, and a Linux call that Swift's Glibc module doesn't show.
#ifndef UNDERSTUDY_FILES_H
#define UNDERSTUDY_FILES_H

#include <zlib.h>

// Swaps two paths of one file system in a single step (renameat2 with RENAME_EXCHANGE, Linux 3.15).
// 0, or the errno; EINVAL where the file system can't.
int understudy_exchange(const char *one, const char *other);

#endif
