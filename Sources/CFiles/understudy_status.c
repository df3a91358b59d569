#define _GNU_SOURCE
#include "understudy_status.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static int64_t nanoseconds(struct statx_timestamp time) {
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static int status(int directory, const char *path, int flags, understudy_status *out) {
    struct statx found;
    if (statx(directory, path, flags, STATX_BASIC_STATS | STATX_BTIME, &found) != 0) return errno;
    out->device = makedev(found.stx_dev_major, found.stx_dev_minor);
    out->inode = found.stx_ino;
    out->size = found.stx_size;
    out->links = found.stx_nlink;
    out->modified = nanoseconds(found.stx_mtime);
    out->changed = nanoseconds(found.stx_ctime);
    out->born = found.stx_mask & STATX_BTIME ? nanoseconds(found.stx_btime) : 0;
    out->is_regular = S_ISREG(found.stx_mode);
    out->is_directory = S_ISDIR(found.stx_mode);
    out->is_link = S_ISLNK(found.stx_mode);
    return 0;
}

int understudy_status_of_path(const char *path, understudy_status *out) {
    return status(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, out);
}

int understudy_status_of_target(const char *path, understudy_status *out) {
    return status(AT_FDCWD, path, 0, out);
}

int understudy_status_of_descriptor(int descriptor, understudy_status *out) {
    return status(descriptor, "", AT_EMPTY_PATH, out);
}

int understudy_rename_new(const char *from, const char *to) {
    if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0) return 0;
    if (errno != EINVAL && errno != ENOSYS) return errno;
    // The file system doesn't support RENAME_NOREPLACE: a hard link doesn't replace a file either.
    if (link(from, to) != 0) return errno;
    return unlink(from) == 0 ? 0 : errno;
}

int64_t understudy_next_data(int descriptor, int64_t offset) { return lseek(descriptor, offset, SEEK_DATA); }
