// The status of a file for the directory source, and a rename that never replaces a file.
#ifndef UNDERSTUDY_STATUS_H
#define UNDERSTUDY_STATUS_H

#include <stdint.h>

// Times are nanoseconds since 1970. `born` is 0 if the file system doesn't record it.
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

// The status of `path`; a symbolic link isn't followed. Returns 0 or the errno.
int understudy_status_of_path(const char *path, understudy_status *status);

// The status of the target of `path`, symbolic links followed. Returns 0 or the errno: ELOOP if they form a loop.
int understudy_status_of_target(const char *path, understudy_status *status);

// The status of an open descriptor. Returns 0 or the errno.
int understudy_status_of_descriptor(int descriptor, understudy_status *status);

// Renames, unless `to` exists. Returns 0 or the errno: EEXIST if `to` exists, EXDEV across file systems.
int understudy_rename_new(const char *from, const char *to);

// The offset of the next data outside a hole at or behind `offset` (SEEK_DATA). -1 with errno: ENXIO if there is none
// up to the end, EINVAL if the file system doesn't support it.
int64_t understudy_next_data(int descriptor, int64_t offset);

#endif
