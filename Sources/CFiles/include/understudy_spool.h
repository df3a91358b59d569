// Linux calls for the spool that Swift's Glibc module doesn't import. Each returns -1 and sets errno on failure.
#ifndef UNDERSTUDY_SPOOL_H
#define UNDERSTUDY_SPOOL_H

#include <stddef.h>

// Allocates disk space for `length` bytes from `offset` on without changing the file's size (fallocate with
// FALLOC_FL_KEEP_SIZE).
int understudy_reserve(int descriptor, long long offset, long long length);

// Moves bytes from a pipe into a file without passing through this process (splice). Returns the number of bytes; 0 at
// the pipe's end; EAGAIN if it is empty.
long understudy_splice(int pipe, int file, long long offset, size_t count);

// Copies a pipe's first bytes to another pipe without consuming them (tee). Returns as splice.
long understudy_tee(int pipe, int other, size_t count);

#endif
