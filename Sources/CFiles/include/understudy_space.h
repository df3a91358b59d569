// Space on a file system, asked for before it is needed.
#ifndef UNDERSTUDY_SPACE_H
#define UNDERSTUDY_SPACE_H

// Sees to it that so many bytes from `offset` on can be written; the file stays as long as it is (fallocate with
// FALLOC_FL_KEEP_SIZE). 0, or the errno; EOPNOTSUPP where the file system can't.
int understudy_reserve(int descriptor, long long offset, long long length);

#endif
