// Unpacks gzip and zstd as it streams by, members and frames one after another, in bounded memory.
#ifndef UNDERSTUDY_UNPACK_H
#define UNDERSTUDY_UNPACK_H

#include <stddef.h>
#include <zstd.h>

typedef struct understudy_unpacker understudy_unpacker;

enum understudy_packing { understudy_packing_gzip = 1, understudy_packing_zstd = 2 };

// NULL when there is no memory.
understudy_unpacker *understudy_unpacker_make(enum understudy_packing packing);
void understudy_unpacker_free(understudy_unpacker *unpacker);

// Takes from `in` and adds to `out` until one is used up or full; says how much of each. 0, or -1 where the input is
// damaged: what was added to `out` before is good.
int understudy_unpack(
    understudy_unpacker *unpacker, const void *in, size_t in_bytes, size_t *in_used, void *out, size_t out_bytes,
    size_t *out_made);

// Whether the input taken so far ends where a member or frame ends.
int understudy_unpacker_is_whole(const understudy_unpacker *unpacker);

#endif
