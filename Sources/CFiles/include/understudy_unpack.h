// Unpacks gzip and zstd as a stream, members and frames one after another, in bounded memory.
#ifndef UNDERSTUDY_UNPACK_H
#define UNDERSTUDY_UNPACK_H

#include <stddef.h>
#include <zstd.h>

typedef struct understudy_unpacker understudy_unpacker;

enum understudy_packing { understudy_packing_gzip = 1, understudy_packing_zstd = 2 };

// Returns NULL if there isn't enough memory.
understudy_unpacker *understudy_unpacker_make(enum understudy_packing packing);
void understudy_unpacker_free(understudy_unpacker *unpacker);

// Unpacks from `in` to `out` until one is used up or full; stores how much of each was used. Returns 0, or -1 if the
// input is damaged: the bytes written to `out` before are valid.
int understudy_unpack(
    understudy_unpacker *unpacker, const void *in, size_t in_bytes, size_t *in_used, void *out, size_t out_bytes,
    size_t *out_made);

// Whether the input so far ends at the end of a member or frame.
int understudy_unpacker_is_whole(const understudy_unpacker *unpacker);

#endif
