/* Shared parts of both preload libraries: the original functions behind the replaced ones, and paths. */
#ifndef UNDERSTUDY_PRELOAD_H
#define UNDERSTUDY_PRELOAD_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The C library's own function of this name. Looked up at the first use, since constructors of other libraries may run
   before ours; two concurrent look-ups have the same result. */
#define REAL(name)                                                              \
    ({                                                                          \
        static _Atomic(void *) found;                                           \
        void *function = atomic_load_explicit(&found, memory_order_acquire);    \
        if (function == NULL) {                                                 \
            function = dlsym(RTLD_NEXT, #name);                                 \
            atomic_store_explicit(&found, function, memory_order_release);      \
        }                                                                       \
        (__typeof__(name) *)function;                                           \
    })

#define EXPORTED __attribute__((visibility("default")))

/* Descriptors from this one on are ignored. */
enum { MOST_DESCRIPTORS = 65536 };

static inline int is_known(int descriptor) { return descriptor >= 0 && descriptor < MOST_DESCRIPTORS; }

/* `path` as an absolute path; relative ones begin at the directory `at`. NULL if unknown. */
static inline const char *absolute(int at, const char *path, char *room) {
    if (path == NULL) return NULL;
    if (path[0] == '/') return path;
    ssize_t length;
    if (at == AT_FDCWD) {
        if (getcwd(room, PATH_MAX) == NULL) return NULL;
        length = (ssize_t)strlen(room);
    } else {
        char link[64];
        snprintf(link, sizeof link, "/proc/self/fd/%d", at);
        length = readlink(link, room, PATH_MAX - 1);
        if (length < 0) return NULL;
        room[length] = 0;
    }
    if (path[0] == 0) return room;
    if ((size_t)length + 1 + strlen(path) >= PATH_MAX) return NULL;
    room[length] = '/';
    strcpy(room + length + 1, path);
    return room;
}

#endif
