// Linux calls that a spool needs and Swift's Glibc module doesn't show. Each gives -1 and sets errno on failure.
#ifndef UNDERSTUDY_SPOOL_H
#define UNDERSTUDY_SPOOL_H

#include <stddef.h>

// Sees to it that so many bytes from `offset` on can be written; the file stays as long as it is (fallocate with
// FALLOC_FL_KEEP_SIZE).
int understudy_reserve(int descriptor, long long offset, long long length);

// Moves bytes from a pipe into a file without their ever being in this process alone (splice). How many; 0 at the
// pipe's end; EAGAIN if it is empty.
long understudy_splice(int pipe, int file, long long offset, size_t count);

// Copies a pipe's first bytes to another pipe and leaves them where they are (tee). Returns as splice.
long understudy_tee(int pipe, int other, size_t count);

#endif
