// What the directory source needs to know of a file, and a rename that never replaces one.
#ifndef UNDERSTUDY_STATUS_H
#define UNDERSTUDY_STATUS_H

#include <stdint.h>

// Times are nanoseconds since 1970. `born` is 0 where the file system doesn't keep it.
typedef struct understudy_status {
    uint64_t device;
    uint64_t inode;
    uint64_t size;
    uint64_t links;
    int64_t modified;
    int64_t changed;
    int64_t born;
    int is_regular;
    int is_directory;
    int is_link;
} understudy_status;

// The status of what `path` names; a symbolic link isn't followed. 0, or the errno.
int understudy_status_of_path(const char *path, understudy_status *status);

// The status of what `path` leads to, symbolic links followed. 0, or the errno: ELOOP where they lead in a circle.
int understudy_status_of_target(const char *path, understudy_status *status);

// The status of an open descriptor. 0, or the errno.
int understudy_status_of_descriptor(int descriptor, understudy_status *status);

// Renames, unless `to` exists. 0, or the errno: EEXIST where `to` exists, EXDEV across file systems.
int understudy_rename_new(const char *from, const char *to);

// Where the next bytes are at or behind `offset` that are no hole (SEEK_DATA). -1 with errno: ENXIO where there are none
// up to the end, EINVAL where the file system doesn't know.
int64_t understudy_next_data(int descriptor, int64_t offset);

#endif
