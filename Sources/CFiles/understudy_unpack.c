#include "understudy_unpack.h"

#include <limits.h>
#include <stdlib.h>
#include <zlib.h>

struct understudy_unpacker {
    enum understudy_packing packing;
    int is_whole;
    // Set permanently: a library's output after it has found damage isn't reliable.
    int is_damaged;
    z_stream gzip;
    ZSTD_DCtx *zstd;
    // How many of the four bytes of a zstd frame's magic number have been read, and whether they are those of a
    // skippable frame.
    size_t magic_taken;
    int is_skippable;
};

understudy_unpacker *understudy_unpacker_make(enum understudy_packing packing) {
    understudy_unpacker *unpacker = calloc(1, sizeof *unpacker);
    if (!unpacker) return NULL;
    unpacker->packing = packing;
    unpacker->is_whole = 1;
    // 16 + the largest window: accept only gzip's header and trailer.
    int is_ready = packing == understudy_packing_gzip ? inflateInit2(&unpacker->gzip, 16 + MAX_WBITS) == Z_OK
                                                      : (unpacker->zstd = ZSTD_createDCtx()) != NULL;
    if (is_ready) return unpacker;
    free(unpacker);
    return NULL;
}

void understudy_unpacker_free(understudy_unpacker *unpacker) {
    if (!unpacker) return;
    if (unpacker->packing == understudy_packing_gzip) inflateEnd(&unpacker->gzip);
    else ZSTD_freeDCtx(unpacker->zstd);
    free(unpacker);
}

static int unpack_gzip(understudy_unpacker *unpacker, const unsigned char *in, size_t in_bytes, size_t *in_used,
                       unsigned char *out, size_t out_bytes, size_t *out_made) {
    z_stream *stream = &unpacker->gzip;
    // Called again if the output was full: the library may hold more output than its input shows.
    while (*out_made < out_bytes) {
        // gzip files on tapes and block devices are padded with zeros.
        while (unpacker->is_whole && *in_used < in_bytes && in[*in_used] == 0) ++*in_used;
        size_t in_left = in_bytes - *in_used, out_left = out_bytes - *out_made;
        if (unpacker->is_whole && in_left == 0) break;
        unsigned in_now = in_left > UINT_MAX ? UINT_MAX : (unsigned)in_left;
        unsigned out_now = out_left > UINT_MAX ? UINT_MAX : (unsigned)out_left;
        stream->next_in = (unsigned char *)(in + *in_used);
        stream->avail_in = in_now;
        stream->next_out = out + *out_made;
        stream->avail_out = out_now;
        unpacker->is_whole = 0;
        int status = inflate(stream, Z_NO_FLUSH);
        *in_used += in_now - stream->avail_in;
        *out_made += out_now - stream->avail_out;
        if (status == Z_STREAM_END) {
            unpacker->is_whole = 1;
            if (inflateReset(stream) != Z_OK) return -1;
        } else if (status == Z_BUF_ERROR) {
            break;
        } else if (status != Z_OK) {
            return -1;
        }
    }
    return 0;
}

// Whether the next bytes may begin a frame. The library also reads the formats of its first releases, each with its own
// magic number. Its result for those depends on how the input is split, and no present tool writes them, so they are
// treated as damaged.
static int goes_on_as_frame(understudy_unpacker *unpacker, const unsigned char *in, size_t bytes) {
    static const unsigned char frame[4] = {0x28, 0xB5, 0x2F, 0xFD}, skippable[4] = {0x50, 0x2A, 0x4D, 0x18};
    for (size_t index = 0, place = unpacker->magic_taken; index < bytes && place < 4; ++index, ++place) {
        if (place == 0) {
            unpacker->is_skippable = (in[index] & 0xF0) == skippable[0];
            if (!unpacker->is_skippable && in[index] != frame[0]) return 0;
        } else if (in[index] != (unpacker->is_skippable ? skippable : frame)[place]) {
            return 0;
        }
    }
    return 1;
}

static int unpack_zstd(understudy_unpacker *unpacker, const void *in, size_t in_bytes, size_t *in_used, void *out,
                       size_t out_bytes, size_t *out_made) {
    ZSTD_inBuffer from = {in, in_bytes, 0};
    ZSTD_outBuffer to = {out, out_bytes, 0};
    int status = 0;
    while (to.pos < to.size) {
        size_t taken = from.pos, made = to.pos;
        if (!goes_on_as_frame(unpacker, (const unsigned char *)in + taken, in_bytes - taken)) {
            status = -1;
            break;
        }
        size_t hint = ZSTD_decompressStream(unpacker->zstd, &to, &from);
        if (ZSTD_isError(hint)) {
            status = -1;
            break;
        }
        if (from.pos == taken && to.pos == made) break;
        unpacker->is_whole = hint == 0;
        size_t now = from.pos - taken;
        unpacker->magic_taken = hint == 0 ? 0 : now < 4 - unpacker->magic_taken ? unpacker->magic_taken + now : 4;
    }
    *in_used = from.pos;
    *out_made = to.pos;
    return status;
}

int understudy_unpack(understudy_unpacker *unpacker, const void *in, size_t in_bytes, size_t *in_used, void *out,
                      size_t out_bytes, size_t *out_made) {
    *in_used = 0;
    *out_made = 0;
    if (unpacker->is_damaged) return -1;
    int status = unpacker->packing == understudy_packing_gzip
                     ? unpack_gzip(unpacker, in, in_bytes, in_used, out, out_bytes, out_made)
                     : unpack_zstd(unpacker, in, in_bytes, in_used, out, out_bytes, out_made);
    unpacker->is_damaged = status != 0;
    return status;
}

int understudy_unpacker_is_whole(const understudy_unpacker *unpacker) { return unpacker->is_whole; }
