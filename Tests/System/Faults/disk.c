/*
 A library for LD_PRELOAD that records the changes that a process makes to files below a directory, so that a driver can
 compute the possible contents of a disk after a power loss at any moment (`disk.py`).

     DISK_ROOT         the directory; an absolute path
     DISK_JOURNAL      the file that the records are appended to; outside of DISK_ROOT
     DISK_STASH        a directory on the same file system, outside of DISK_ROOT: a file that is about to lose its last
                       name gets a new one there, its inode number, so that it can be restored with the same inode
     DISK_IGNORE_SYNC  a glob(7) of paths below DISK_ROOT: fsync and fdatasync of these files aren't recorded, which
                       simulates a program that doesn't sync them

 A lock is held during each change and the writing of its record, so the journal has the order of the changes and
 contains every call that has returned. After kill -9 the journal may end in the middle of a record, or lack the last
 call, which then hasn't returned either.
 */
#include "preload.h"

#include <dirent.h>
#include <fnmatch.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>

enum kind { CREATE = 1, WRITE, TRUNCATE, SYNC, SYNC_DIRECTORY, RENAME, UNLINK, LINK, MAKE_DIRECTORY, REMOVE_DIRECTORY, MAP };

/* Followed by `path_bytes` of a path and `data_bytes` of data: the written bytes, or a second path. */
struct record {
    uint32_t kind;
    uint32_t path_bytes;
    uint32_t data_bytes;
    uint32_t flags;
    uint64_t inode;
    uint64_t offset;
};

static const char *root;
static size_t root_bytes;
static const char *stash;
static const char *ignored;
static int journal = -1;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
/* The inode of the file below the root for which a descriptor was opened, or 0; and whether its syncs are recorded. */
static _Atomic uint64_t inodes[MOST_DESCRIPTORS];
static _Atomic char is_ignored[MOST_DESCRIPTORS];

__attribute__((constructor)) static void set_up(void) {
    const char *path = getenv("DISK_JOURNAL");
    stash = getenv("DISK_STASH");
    ignored = getenv("DISK_IGNORE_SYNC");
    if (getenv("DISK_ROOT") == NULL || path == NULL || stash == NULL) return;
    int descriptor = REAL(open)(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (descriptor < 0) _exit(121);
    // A number outside of the range of the program's own descriptors.
    journal = REAL(fcntl)(descriptor, F_DUPFD_CLOEXEC, 500);
    REAL(close)(descriptor);
    if (journal < 0) _exit(121);
    root = getenv("DISK_ROOT");
    root_bytes = strlen(root);
}

static int is_below(const char *path) {
    return root != NULL && path != NULL && strncmp(path, root, root_bytes) == 0
        && (path[root_bytes] == '/' || path[root_bytes] == 0);
}

/* Must be called with the lock held. */
static void put(enum kind kind, uint64_t inode, uint64_t offset, const char *path, const void *data, size_t count) {
    struct record record = {
        .kind = kind, .path_bytes = path == NULL ? 0 : (uint32_t)strlen(path), .data_bytes = (uint32_t)count,
        .inode = inode, .offset = offset};
    struct iovec parts[3] = {
        {&record, sizeof record}, {(void *)path, record.path_bytes}, {(void *)data, record.data_bytes}};
    size_t whole = sizeof record + record.path_bytes + record.data_bytes;
    // A journal with a missing record is useless.
    if (REAL(writev)(journal, parts, 3) != (ssize_t)whole) _exit(122);
}

#define LOCKED(type, expression)                \
    ({                                          \
        pthread_mutex_lock(&lock);              \
        type outcome = (expression);            \
        int number = errno;                     \
        pthread_mutex_unlock(&lock);            \
        errno = number;                         \
        outcome;                                \
    })

static uint64_t inode_of(int descriptor) {
    return is_known(descriptor) ? atomic_load_explicit(&inodes[descriptor], memory_order_relaxed) : 0;
}

static void note(int descriptor, uint64_t inode, char ignores) {
    if (!is_known(descriptor)) return;
    atomic_store_explicit(&inodes[descriptor], inode, memory_order_relaxed);
    atomic_store_explicit(&is_ignored[descriptor], ignores, memory_order_relaxed);
}

static uint64_t look(int descriptor) {
    struct stat status;
    return REAL(fstat)(descriptor, &status) == 0 ? status.st_ino : 0;
}

static uint64_t look_at(const char *path) {
    struct stat status;
    return REAL(lstat)(path, &status) == 0 ? status.st_ino : 0;
}

/* --- Opening and closing ------------------------------------------------------------------------------------------ */

/* Opens so that it is known whether the file was created. */
static int open_below(const char *path, int flags, mode_t mode) {
    int descriptor = -1;
    int is_new = 0;
    if (flags & O_CREAT) {
        if (!(flags & O_EXCL)) descriptor = REAL(open)(path, flags & ~O_CREAT, mode);
        if (descriptor < 0 && ((flags & O_EXCL) || errno == ENOENT)) {
            descriptor = REAL(open)(path, flags | O_EXCL, mode);
            is_new = descriptor >= 0;
        }
    } else {
        descriptor = REAL(open)(path, flags, mode);
    }
    if (descriptor < 0) return descriptor;
    uint64_t inode = look(descriptor);
    if (is_new) put(CREATE, inode, 0, path, NULL, 0);
    if (!is_new && (flags & O_TRUNC)) put(TRUNCATE, inode, 0, NULL, NULL, 0);
    note(descriptor, inode, ignored != NULL && fnmatch(ignored, path, 0) == 0);
    return descriptor;
}

static int open_path(int at, const char *path, int flags, mode_t mode) {
    char room[PATH_MAX];
    const char *whole = root == NULL ? NULL : absolute(at, path, room);
    if (!is_below(whole)) return REAL(openat)(at, path, flags, mode);
    // Opening a FIFO may block, and changes nothing.
    if (!(flags & (O_CREAT | O_TRUNC))) {
        int descriptor = REAL(openat)(at, path, flags, mode);
        if (descriptor >= 0) note(descriptor, look(descriptor), ignored != NULL && fnmatch(ignored, whole, 0) == 0);
        return descriptor;
    }
    return LOCKED(int, open_below(whole, flags, mode));
}

#define MODE_OF(flags)                          \
    ({                                          \
        mode_t mode = 0;                        \
        if ((flags) & O_CREAT) {                \
            va_list list;                       \
            va_start(list, flags);              \
            mode = (mode_t)va_arg(list, int);   \
            va_end(list);                       \
        }                                       \
        mode;                                   \
    })

EXPORTED int open(const char *path, int flags, ...) { return open_path(AT_FDCWD, path, flags, MODE_OF(flags)); }
EXPORTED int open64(const char *path, int flags, ...) {
    return open_path(AT_FDCWD, path, flags | O_LARGEFILE, MODE_OF(flags));
}
EXPORTED int openat(int at, const char *path, int flags, ...) { return open_path(at, path, flags, MODE_OF(flags)); }
EXPORTED int openat64(int at, const char *path, int flags, ...) {
    return open_path(at, path, flags | O_LARGEFILE, MODE_OF(flags));
}
EXPORTED int creat(const char *path, mode_t mode) {
    return open_path(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}
int __open_2(const char *path, int flags);
int __open64_2(const char *path, int flags);
EXPORTED int __open_2(const char *path, int flags) { return open_path(AT_FDCWD, path, flags, 0); }
EXPORTED int __open64_2(const char *path, int flags) { return open_path(AT_FDCWD, path, flags, 0); }

EXPORTED int close(int descriptor) {
    note(descriptor, 0, 0);
    return REAL(close)(descriptor);
}

static int copied(int descriptor, int copy) {
    if (copy >= 0) {
        note(copy, inode_of(descriptor), is_known(descriptor) ? is_ignored[descriptor] : 0);
    }
    return copy;
}

EXPORTED int dup(int descriptor) { return copied(descriptor, REAL(dup)(descriptor)); }
EXPORTED int dup2(int descriptor, int target) { return copied(descriptor, REAL(dup2)(descriptor, target)); }
EXPORTED int dup3(int descriptor, int target, int flags) {
    return copied(descriptor, REAL(dup3)(descriptor, target, flags));
}

#define ARGUMENT_OF(command)                    \
    ({                                          \
        va_list list;                           \
        va_start(list, command);                \
        void *argument = va_arg(list, void *);  \
        va_end(list);                           \
        argument;                               \
    })

static int duplicates(int command) { return command == F_DUPFD || command == F_DUPFD_CLOEXEC; }

EXPORTED int fcntl(int descriptor, int command, ...) {
    int result = REAL(fcntl)(descriptor, command, ARGUMENT_OF(command));
    return duplicates(command) ? copied(descriptor, result) : result;
}

EXPORTED int fcntl64(int descriptor, int command, ...) {
    int result = REAL(fcntl64)(descriptor, command, ARGUMENT_OF(command));
    return duplicates(command) ? copied(descriptor, result) : result;
}

/* --- Contents ----------------------------------------------------------------------------------------------------- */

static ssize_t write_here(int descriptor, uint64_t inode, const void *bytes, size_t count) {
    ssize_t done = REAL(write)(descriptor, bytes, count);
    if (done > 0) {
        // The end of the write, also with O_APPEND.
        off_t end = REAL(lseek)(descriptor, 0, SEEK_CUR);
        put(WRITE, inode, (uint64_t)(end - done), NULL, bytes, (size_t)done);
    }
    return done;
}

static ssize_t write_at(int descriptor, uint64_t inode, const void *bytes, size_t count, off_t offset) {
    ssize_t done = REAL(pwrite)(descriptor, bytes, count, offset);
    if (done > 0) put(WRITE, inode, (uint64_t)offset, NULL, bytes, (size_t)done);
    return done;
}

static int truncate_to(int descriptor, uint64_t inode, off_t length) {
    int result = REAL(ftruncate)(descriptor, length);
    if (result == 0) put(TRUNCATE, inode, (uint64_t)length, NULL, NULL, 0);
    return result;
}

static ssize_t splice_to(int from, int to, uint64_t inode, off64_t *place, size_t count, unsigned flags) {
    off64_t offset = place == NULL ? REAL(lseek)(to, 0, SEEK_CUR) : *place;
    ssize_t done = REAL(splice)(from, NULL, to, place, count, flags | SPLICE_F_NONBLOCK);
    if (done > 0) {
        char *bytes = malloc((size_t)done);
        if (bytes == NULL || REAL(pread)(to, bytes, (size_t)done, offset) != done) _exit(122);
        put(WRITE, inode, (uint64_t)offset, NULL, bytes, (size_t)done);
        free(bytes);
    }
    return done;
}

EXPORTED ssize_t write(int descriptor, const void *bytes, size_t count) {
    uint64_t inode = inode_of(descriptor);
    if (inode == 0) return REAL(write)(descriptor, bytes, count);
    return LOCKED(ssize_t, write_here(descriptor, inode, bytes, count));
}

EXPORTED ssize_t pwrite(int descriptor, const void *bytes, size_t count, off_t offset) {
    uint64_t inode = inode_of(descriptor);
    if (inode == 0) return REAL(pwrite)(descriptor, bytes, count, offset);
    return LOCKED(ssize_t, write_at(descriptor, inode, bytes, count, offset));
}

EXPORTED ssize_t pwrite64(int descriptor, const void *bytes, size_t count, off64_t offset) {
    return pwrite(descriptor, bytes, count, offset);
}

EXPORTED ssize_t splice(int from, off64_t *from_offset, int to, off64_t *to_offset, size_t count, unsigned flags) {
    uint64_t inode = inode_of(to);
    if (inode == 0) return REAL(splice)(from, from_offset, to, to_offset, count, flags);
    return LOCKED(ssize_t, splice_to(from, to, inode, to_offset, count, flags));
}

EXPORTED int ftruncate(int descriptor, off_t length) {
    uint64_t inode = inode_of(descriptor);
    if (inode == 0) return REAL(ftruncate)(descriptor, length);
    return LOCKED(int, truncate_to(descriptor, inode, length));
}

EXPORTED int ftruncate64(int descriptor, off64_t length) { return ftruncate(descriptor, length); }

/* Calls that would change files without a record, and that the program doesn't use so far. */
static int unsupported(const char *name) {
    fprintf(stderr, "disk.c: %s of a recorded file can't be recorded\n", name);
    _exit(123);
}

EXPORTED ssize_t writev(int descriptor, const struct iovec *parts, int count) {
    return inode_of(descriptor) != 0 ? unsupported("writev") : REAL(writev)(descriptor, parts, count);
}

EXPORTED ssize_t pwritev(int descriptor, const struct iovec *parts, int count, off_t offset) {
    return inode_of(descriptor) != 0 ? unsupported("pwritev") : REAL(pwritev)(descriptor, parts, count, offset);
}

EXPORTED ssize_t copy_file_range(int from, off64_t *in, int to, off64_t *out, size_t count, unsigned flags) {
    if (inode_of(to) != 0) return unsupported("copy_file_range");
    return REAL(copy_file_range)(from, in, to, out, count, flags);
}

static int sync_file(int descriptor, uint64_t inode, int (*call)(int)) {
    int result = call(descriptor);
    if (result != 0) return result;
    struct stat status;
    if (REAL(fstat)(descriptor, &status) == 0 && S_ISDIR(status.st_mode)) {
        char link[64];
        char path[PATH_MAX];
        snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
        ssize_t length = readlink(link, path, sizeof path - 1);
        if (length <= 0) _exit(122);
        path[length] = 0;
        put(SYNC_DIRECTORY, inode, 0, path, NULL, 0);
    } else if (!atomic_load_explicit(&is_ignored[descriptor], memory_order_relaxed)) {
        put(SYNC, inode, 0, NULL, NULL, 0);
    }
    return 0;
}

EXPORTED int fsync(int descriptor) {
    uint64_t inode = inode_of(descriptor);
    if (inode == 0) return REAL(fsync)(descriptor);
    return LOCKED(int, sync_file(descriptor, inode, REAL(fsync)));
}

EXPORTED int fdatasync(int descriptor) {
    uint64_t inode = inode_of(descriptor);
    if (inode == 0) return REAL(fdatasync)(descriptor);
    return LOCKED(int, sync_file(descriptor, inode, REAL(fdatasync)));
}

static void *map(void *address, size_t length, int protection, int flags, int descriptor, off_t offset) {
    uint64_t inode = descriptor < 0 ? 0 : inode_of(descriptor);
    if (inode != 0 && (flags & MAP_SHARED) && (protection & PROT_WRITE)) {
        pthread_mutex_lock(&lock);
        put(MAP, inode, (uint64_t)offset, NULL, NULL, 0);
        pthread_mutex_unlock(&lock);
    }
    return REAL(mmap)(address, length, protection, flags, descriptor, offset);
}

EXPORTED void *mmap(void *address, size_t length, int protection, int flags, int descriptor, off_t offset) {
    return map(address, length, protection, flags, descriptor, offset);
}

EXPORTED void *mmap64(void *address, size_t length, int protection, int flags, int descriptor, off64_t offset) {
    return map(address, length, protection, flags, descriptor, offset);
}

/* --- Names -------------------------------------------------------------------------------------------------------- */

/* Gives another name to a file that is about to lose its last one. Returns 1 if it did. */
static int keep_inode(const char *path, uint64_t inode, char *room) {
    snprintf(room, PATH_MAX, "%s/%llu", stash, (unsigned long long)inode);
    return REAL(link)(path, room) == 0;
}

static int rename_below(int from_at, const char *from, int to_at, const char *to, unsigned flags) {
    char room[PATH_MAX], other[PATH_MAX], kept[PATH_MAX];
    const char *whole = absolute(from_at, from, room);
    const char *target = absolute(to_at, to, other);
    // Directories keep their names: disk.py identifies files by whole paths.
    struct stat status;
    if (whole == NULL || target == NULL) return unsupported("rename");
    if (REAL(lstat)(whole, &status) == 0 && S_ISDIR(status.st_mode)) return unsupported("rename of a directory");
    if (flags & ~(unsigned)RENAME_NOREPLACE) return unsupported("renameat2 with flags");
    uint64_t replaced = flags == 0 ? look_at(target) : 0;
    int is_kept = replaced != 0 && keep_inode(target, replaced, kept);
    int result = REAL(renameat2)(AT_FDCWD, whole, AT_FDCWD, target, flags);
    if (result == 0) {
        put(RENAME, status.st_ino, 0, whole, target, strlen(target));
    } else if (is_kept) {
        int number = errno;
        REAL(unlink)(kept);
        errno = number;
    }
    return result;
}

static int rename_path(int from_at, const char *from, int to_at, const char *to, unsigned flags) {
    char room[PATH_MAX];
    if (root == NULL || (!is_below(absolute(from_at, from, room)) && !is_below(absolute(to_at, to, room)))) {
        return REAL(renameat2)(from_at, from, to_at, to, flags);
    }
    return LOCKED(int, rename_below(from_at, from, to_at, to, flags));
}

EXPORTED int rename(const char *from, const char *to) { return rename_path(AT_FDCWD, from, AT_FDCWD, to, 0); }
EXPORTED int renameat(int from_at, const char *from, int to_at, const char *to) {
    return rename_path(from_at, from, to_at, to, 0);
}
EXPORTED int renameat2(int from_at, const char *from, int to_at, const char *to, unsigned flags) {
    return rename_path(from_at, from, to_at, to, flags);
}

static int unlink_below(const char *path) {
    char kept[PATH_MAX];
    uint64_t inode = look_at(path);
    int is_kept = inode != 0 && keep_inode(path, inode, kept);
    int result = REAL(unlink)(path);
    if (result == 0) {
        put(UNLINK, inode, 0, path, NULL, 0);
    } else if (is_kept) {
        int number = errno;
        REAL(unlink)(kept);
        errno = number;
    }
    return result;
}

static int remove_directory_below(const char *path) {
    int result = REAL(rmdir)(path);
    if (result == 0) put(REMOVE_DIRECTORY, 0, 0, path, NULL, 0);
    return result;
}

EXPORTED int unlinkat(int at, const char *path, int flags) {
    char room[PATH_MAX];
    const char *whole = root == NULL ? NULL : absolute(at, path, room);
    if (!is_below(whole)) return REAL(unlinkat)(at, path, flags);
    if (flags & AT_REMOVEDIR) return LOCKED(int, remove_directory_below(whole));
    return LOCKED(int, unlink_below(whole));
}

EXPORTED int unlink(const char *path) { return unlinkat(AT_FDCWD, path, 0); }
EXPORTED int rmdir(const char *path) { return unlinkat(AT_FDCWD, path, AT_REMOVEDIR); }

static int link_below(const char *from, const char *to) {
    int result = REAL(link)(from, to);
    if (result == 0) put(LINK, look_at(to), 0, from, to, strlen(to));
    return result;
}

EXPORTED int link(const char *from, const char *to) {
    char room[PATH_MAX], other[PATH_MAX];
    const char *whole = root == NULL ? NULL : absolute(AT_FDCWD, from, room);
    const char *target = root == NULL ? NULL : absolute(AT_FDCWD, to, other);
    if (!is_below(whole) && !is_below(target)) return REAL(link)(from, to);
    return LOCKED(int, link_below(whole, target));
}

static int make_directory_below(const char *path, mode_t mode) {
    int result = REAL(mkdir)(path, mode);
    if (result == 0) put(MAKE_DIRECTORY, 0, 0, path, NULL, 0);
    return result;
}

EXPORTED int mkdirat(int at, const char *path, mode_t mode) {
    char room[PATH_MAX];
    const char *whole = root == NULL ? NULL : absolute(at, path, room);
    if (!is_below(whole)) return REAL(mkdirat)(at, path, mode);
    return LOCKED(int, make_directory_below(whole, mode));
}

EXPORTED int mkdir(const char *path, mode_t mode) { return mkdirat(AT_FDCWD, path, mode); }
