/*
 A library for LD_PRELOAD that makes system calls on selected paths fail, return short counts or be interrupted.

     FAULTS_RULES     rules, separated by newlines or semicolons, each of four words:
                          CALLS PATTERN OUTCOMES RATE
                      CALLS     names of the table `call_names` below, separated by commas
                      PATTERN   a glob(7) over the whole absolute path; `*` matches slashes too. A descriptor has the
                                path under which it was opened. Descriptors of inotify have the path `inotify:`.
                      OUTCOMES  errors (EIO, EINTR, …) or `short`, separated by commas; one is selected each time
                      RATE      the probability per call, and, after `*`, how many calls in a row then fail: `0.001*20`
                      Without rules no call fails.
     FAULTS_SEED      a number: the nth call of a kind that matches a rule has the same outcome in each run of one seed.
     FAULTS_COUNTERS  a file, created or continued: a switch, and how often each call had each outcome. It is
                      shared memory, so that a driver can count across kills and can switch the faults off while
                      the process runs. Its layout is `struct counters`.

 Calls on paths without a rule are not affected, nor are internal calls of the C library (fopen, realpath).
 */
#include "preload.h"

#include <dirent.h>
#include <fnmatch.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/stat.h>

enum call {
    OPEN, CREATE, READ, PREAD, WRITE, PWRITE, FSYNC, FDATASYNC, FTRUNCATE, FALLOCATE, RENAME, UNLINK, LINK, MKDIR,
    OPENDIR, READDIR, STAT, ACCESS, LOCK, UNLOCK, MMAP, INOTIFY_INIT, INOTIFY_ADD, INOTIFY_READ, SPLICE, TEE, CALLS
};

static const char *const call_names[CALLS] = {
    "open", "create", "read", "pread", "write", "pwrite", "fsync", "fdatasync", "ftruncate", "fallocate", "rename",
    "unlink", "link", "mkdir", "opendir", "readdir", "stat", "access", "lock", "unlock", "mmap", "inotify_init",
    "inotify_add", "inotify_read", "splice", "tee",
};

enum { SHORT = 0, OUTCOMES = 18 };

static const struct { const char *name; int number; } outcomes[OUTCOMES] = {
    {"short", 0}, {"EIO", EIO}, {"EINTR", EINTR}, {"EAGAIN", EAGAIN}, {"ENOSPC", ENOSPC}, {"EDQUOT", EDQUOT},
    {"ENOMEM", ENOMEM}, {"EMFILE", EMFILE}, {"ENFILE", ENFILE}, {"EACCES", EACCES}, {"ENOLCK", ENOLCK},
    {"EBUSY", EBUSY}, {"ENOENT", ENOENT}, {"EROFS", EROFS}, {"EFBIG", EFBIG}, {"ESTALE", ESTALE}, {"EPERM", EPERM},
    {"ETIMEDOUT", ETIMEDOUT},
};

struct counter {
    char call[16];
    char outcome[16];
    _Atomic uint64_t count;
};

struct counters {
    /* 1: faults are injected. */
    _Atomic uint64_t is_on;
    uint64_t reserved[7];
    struct counter counters[CALLS][OUTCOMES];
};

struct rule {
    uint64_t calls;
    char *pattern;
    uint8_t outcomes[OUTCOMES];
    unsigned outcome_count;
    double rate;
    long row;
    /* How many more calls in a row fail, and with which outcome. */
    _Atomic long left;
    _Atomic unsigned last;
};

enum { MOST_RULES = 64 };

static struct rule rules[MOST_RULES];
static unsigned rule_count;
static uint64_t rules_of_call[CALLS];
static uint64_t seed;
static struct counters *counters;
static _Atomic uint64_t passes[CALLS];
/* The rules that the path of a descriptor matches, one bit each; and which descriptors are inotify's. */
static _Atomic uint64_t masks[MOST_DESCRIPTORS];
static _Atomic char is_inotify[MOST_DESCRIPTORS];

/* --- Setting up --------------------------------------------------------------------------------------------------- */

static void refuse(const char *what, const char *text) {
    fprintf(stderr, "faults.c: %s: %s\n", what, text);
    _exit(120);
}

static void parse_rule(char *text) {
    char *rest = NULL;
    char *calls = strtok_r(text, " \t", &rest);
    if (calls == NULL || calls[0] == '#') return;
    char *pattern = strtok_r(NULL, " \t", &rest);
    char *names = strtok_r(NULL, " \t", &rest);
    char *rate = strtok_r(NULL, " \t", &rest);
    if (rate == NULL || rule_count == MOST_RULES) refuse("a rule that can't be taken", text);
    struct rule *rule = &rules[rule_count];
    char *part = NULL;
    for (char *name = strtok_r(calls, ",", &part); name != NULL; name = strtok_r(NULL, ",", &part)) {
        int call = 0;
        while (call < CALLS && strcmp(call_names[call], name) != 0) call++;
        if (call == CALLS) refuse("no such call", name);
        rule->calls |= 1ull << call;
        rules_of_call[call] |= 1ull << rule_count;
    }
    for (char *name = strtok_r(names, ",", &part); name != NULL; name = strtok_r(NULL, ",", &part)) {
        int outcome = 0;
        while (outcome < OUTCOMES && strcmp(outcomes[outcome].name, name) != 0) outcome++;
        if (outcome == OUTCOMES || rule->outcome_count == OUTCOMES) refuse("no such outcome", name);
        rule->outcomes[rule->outcome_count++] = (uint8_t)outcome;
    }
    char *row = strchr(rate, '*');
    rule->row = row == NULL ? 1 : atol(row + 1);
    rule->rate = atof(rate);
    rule->pattern = strdup(pattern);
    rule_count++;
}

__attribute__((constructor)) static void set_up(void) {
    const char *text = getenv("FAULTS_RULES");
    const char *path = getenv("FAULTS_COUNTERS");
    const char *number = getenv("FAULTS_SEED");
    if (text == NULL || path == NULL) return;
    seed = number == NULL ? 0 : strtoull(number, NULL, 10);
    char *copy = strdup(text);
    char *rest = NULL;
    for (char *rule = strtok_r(copy, ";\n", &rest); rule != NULL; rule = strtok_r(NULL, ";\n", &rest)) parse_rule(rule);
    free(copy);
    int descriptor = REAL(open)(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (descriptor < 0 || REAL(ftruncate)(descriptor, sizeof(struct counters)) != 0) refuse("no counters", path);
    void *memory =
        REAL(mmap)(NULL, sizeof(struct counters), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    if (memory == MAP_FAILED) refuse("no counters", path);
    REAL(close)(descriptor);
    struct counters *shared = memory;
    for (int call = 0; call < CALLS; call++) {
        for (int outcome = 0; outcome < OUTCOMES; outcome++) {
            strcpy(shared->counters[call][outcome].call, call_names[call]);
            strcpy(shared->counters[call][outcome].outcome, outcomes[outcome].name);
        }
    }
    counters = shared;
}

/* --- Deciding ----------------------------------------------------------------------------------------------------- */

static uint64_t mix(uint64_t x) {
    x += 0x9E3779B97F4A7C15ull;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ull;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBull;
    return x ^ (x >> 31);
}

/* The rules that a path matches. */
static uint64_t match(const char *path) {
    uint64_t mask = 0;
    if (path == NULL || counters == NULL) return 0;
    for (unsigned rule = 0; rule < rule_count; rule++) {
        if (fnmatch(rules[rule].pattern, path, 0) == 0) mask |= 1ull << rule;
    }
    return mask;
}

static uint64_t match_at(int at, const char *path) {
    char room[PATH_MAX];
    int number = errno;
    uint64_t mask = counters == NULL ? 0 : match(absolute(at, path, room));
    errno = number;
    return mask;
}

/* The outcome of a call, which is counted; -1 for none. `may_be_short`: it moves more than one byte. */
static int meet(enum call call, uint64_t mask, int may_be_short) {
    mask &= rules_of_call[call];
    if (mask == 0 || atomic_load_explicit(&counters->is_on, memory_order_relaxed) == 0) return -1;
    uint64_t pass = atomic_fetch_add_explicit(&passes[call], 1, memory_order_relaxed);
    for (unsigned index = 0; index < rule_count; index++) {
        if ((mask >> index & 1) == 0) continue;
        struct rule *rule = &rules[index];
        uint64_t number = mix(seed ^ mix((uint64_t)call << 56 ^ (uint64_t)index << 48 ^ pass));
        int outcome;
        long left = atomic_load_explicit(&rule->left, memory_order_relaxed);
        if (left > 0) {
            atomic_fetch_sub_explicit(&rule->left, 1, memory_order_relaxed);
            outcome = (int)atomic_load_explicit(&rule->last, memory_order_relaxed);
        } else {
            if ((double)(number >> 11) * 0x1p-53 >= rule->rate) continue;
            outcome = rule->outcomes[mix(number) % rule->outcome_count];
            atomic_store_explicit(&rule->last, (unsigned)outcome, memory_order_relaxed);
            atomic_store_explicit(&rule->left, rule->row - 1, memory_order_relaxed);
        }
        if (outcome == SHORT && !may_be_short) continue;
        atomic_fetch_add_explicit(&counters->counters[call][outcome].count, 1, memory_order_relaxed);
        return outcome;
    }
    return -1;
}

/* Whether the call fails; then errno is set. */
static int fails(enum call call, uint64_t mask) {
    if (mask == 0) return 0;
    int outcome = meet(call, mask, 0);
    if (outcome < 0) return 0;
    errno = outcomes[outcome].number;
    return 1;
}

static uint64_t mask_of(int descriptor) {
    return is_known(descriptor) ? atomic_load_explicit(&masks[descriptor], memory_order_relaxed) : 0;
}

/* Whether a call that moves bytes fails; its count may be reduced instead. */
static int transfer_fails(enum call call, int descriptor, size_t *count) {
    uint64_t mask = mask_of(descriptor);
    if (mask == 0) return 0;
    int outcome = meet(call, mask, *count > 1);
    if (outcome < 0) return 0;
    if (outcome == SHORT) {
        uint64_t number = mix(seed ^ atomic_load_explicit(&passes[call], memory_order_relaxed));
        *count = 1 + (size_t)(number % (*count - 1));
        return 0;
    }
    errno = outcomes[outcome].number;
    return 1;
}

static void note(int descriptor, uint64_t mask, char inotify) {
    if (!is_known(descriptor)) return;
    atomic_store_explicit(&masks[descriptor], mask, memory_order_relaxed);
    atomic_store_explicit(&is_inotify[descriptor], inotify, memory_order_relaxed);
}

/* --- Opening and closing ------------------------------------------------------------------------------------------ */

#define MODE_OF(flags)                                                  \
    ({                                                                  \
        mode_t mode = 0;                                                \
        if ((flags) & (O_CREAT | (O_TMPFILE & ~O_DIRECTORY))) {         \
            va_list list;                                               \
            va_start(list, flags);                                      \
            mode = (mode_t)va_arg(list, int);                           \
            va_end(list);                                               \
        }                                                               \
        mode;                                                           \
    })

static int open_path(int at, const char *path, int flags, mode_t mode) {
    uint64_t mask = match_at(at, path);
    if (fails(flags & O_CREAT ? CREATE : OPEN, mask)) return -1;
    int descriptor = REAL(openat)(at, path, flags, mode);
    if (descriptor >= 0) note(descriptor, mask, 0);
    return descriptor;
}

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
    int status = REAL(close)(descriptor);
    // The number of a descriptor that is closed twice may belong to another thread's file by then.
    if (status != 0 && errno == EBADF && descriptor >= 0) {
        static const char text[] = "faults: a descriptor was closed twice\n";
        (void)!REAL(write)(STDERR_FILENO, text, sizeof text - 1);
        abort();
    }
    return status;
}

EXPORTED int dup(int descriptor) {
    int copy = REAL(dup)(descriptor);
    if (copy >= 0) note(copy, mask_of(descriptor), 0);
    return copy;
}

EXPORTED int dup2(int descriptor, int target) {
    int copy = REAL(dup2)(descriptor, target);
    if (copy >= 0) note(copy, mask_of(descriptor), 0);
    return copy;
}

EXPORTED int dup3(int descriptor, int target, int flags) {
    int copy = REAL(dup3)(descriptor, target, flags);
    if (copy >= 0) note(copy, mask_of(descriptor), 0);
    return copy;
}

/* --- Reading and writing ------------------------------------------------------------------------------------------ */

EXPORTED ssize_t read(int descriptor, void *room, size_t count) {
    if (mask_of(descriptor) != 0) {
        if (atomic_load_explicit(&is_inotify[descriptor], memory_order_relaxed)) {
            if (fails(INOTIFY_READ, mask_of(descriptor))) return -1;
        } else if (transfer_fails(READ, descriptor, &count)) {
            return -1;
        }
    }
    return REAL(read)(descriptor, room, count);
}

EXPORTED ssize_t pread(int descriptor, void *room, size_t count, off_t offset) {
    if (transfer_fails(PREAD, descriptor, &count)) return -1;
    return REAL(pread)(descriptor, room, count, offset);
}

EXPORTED ssize_t pread64(int descriptor, void *room, size_t count, off64_t offset) {
    if (transfer_fails(PREAD, descriptor, &count)) return -1;
    return REAL(pread64)(descriptor, room, count, offset);
}

EXPORTED ssize_t write(int descriptor, const void *bytes, size_t count) {
    if (transfer_fails(WRITE, descriptor, &count)) return -1;
    return REAL(write)(descriptor, bytes, count);
}

EXPORTED ssize_t pwrite(int descriptor, const void *bytes, size_t count, off_t offset) {
    if (transfer_fails(PWRITE, descriptor, &count)) return -1;
    return REAL(pwrite)(descriptor, bytes, count, offset);
}

EXPORTED ssize_t pwrite64(int descriptor, const void *bytes, size_t count, off64_t offset) {
    if (transfer_fails(PWRITE, descriptor, &count)) return -1;
    return REAL(pwrite64)(descriptor, bytes, count, offset);
}

EXPORTED ssize_t splice(int from, off64_t *from_offset, int to, off64_t *to_offset, size_t count, unsigned flags) {
    int chosen = mask_of(to) != 0 ? to : from;
    if (transfer_fails(SPLICE, chosen, &count)) return -1;
    return REAL(splice)(from, from_offset, to, to_offset, count, flags);
}

EXPORTED ssize_t tee(int from, int to, size_t count, unsigned flags) {
    if (transfer_fails(TEE, from, &count)) return -1;
    return REAL(tee)(from, to, count, flags);
}

EXPORTED int fsync(int descriptor) {
    return fails(FSYNC, mask_of(descriptor)) ? -1 : REAL(fsync)(descriptor);
}

EXPORTED int fdatasync(int descriptor) {
    return fails(FDATASYNC, mask_of(descriptor)) ? -1 : REAL(fdatasync)(descriptor);
}

EXPORTED int ftruncate(int descriptor, off_t length) {
    return fails(FTRUNCATE, mask_of(descriptor)) ? -1 : REAL(ftruncate)(descriptor, length);
}

EXPORTED int ftruncate64(int descriptor, off64_t length) {
    return fails(FTRUNCATE, mask_of(descriptor)) ? -1 : REAL(ftruncate64)(descriptor, length);
}

EXPORTED int fallocate(int descriptor, int mode, off_t offset, off_t length) {
    return fails(FALLOCATE, mask_of(descriptor)) ? -1 : REAL(fallocate)(descriptor, mode, offset, length);
}

EXPORTED int fallocate64(int descriptor, int mode, off64_t offset, off64_t length) {
    return fails(FALLOCATE, mask_of(descriptor)) ? -1 : REAL(fallocate64)(descriptor, mode, offset, length);
}

EXPORTED int posix_fallocate(int descriptor, off_t offset, off_t length) {
    return fails(FALLOCATE, mask_of(descriptor)) ? errno : REAL(posix_fallocate)(descriptor, offset, length);
}

EXPORTED void *mmap(void *address, size_t length, int protection, int flags, int descriptor, off_t offset) {
    if (descriptor >= 0 && fails(MMAP, mask_of(descriptor))) return MAP_FAILED;
    return REAL(mmap)(address, length, protection, flags, descriptor, offset);
}

EXPORTED void *mmap64(void *address, size_t length, int protection, int flags, int descriptor, off64_t offset) {
    if (descriptor >= 0 && fails(MMAP, mask_of(descriptor))) return MAP_FAILED;
    return REAL(mmap64)(address, length, protection, flags, descriptor, offset);
}

/* --- Names -------------------------------------------------------------------------------------------------------- */

EXPORTED int renameat2(int from_at, const char *from, int to_at, const char *to, unsigned flags) {
    if (fails(RENAME, match_at(from_at, from) | match_at(to_at, to))) return -1;
    return REAL(renameat2)(from_at, from, to_at, to, flags);
}

EXPORTED int renameat(int from_at, const char *from, int to_at, const char *to) {
    if (fails(RENAME, match_at(from_at, from) | match_at(to_at, to))) return -1;
    return REAL(renameat)(from_at, from, to_at, to);
}

EXPORTED int rename(const char *from, const char *to) { return renameat(AT_FDCWD, from, AT_FDCWD, to); }

EXPORTED int unlink(const char *path) {
    return fails(UNLINK, match_at(AT_FDCWD, path)) ? -1 : REAL(unlink)(path);
}

EXPORTED int unlinkat(int at, const char *path, int flags) {
    return fails(UNLINK, match_at(at, path)) ? -1 : REAL(unlinkat)(at, path, flags);
}

EXPORTED int link(const char *from, const char *to) {
    if (fails(LINK, match_at(AT_FDCWD, from) | match_at(AT_FDCWD, to))) return -1;
    return REAL(link)(from, to);
}

EXPORTED int mkdir(const char *path, mode_t mode) {
    return fails(MKDIR, match_at(AT_FDCWD, path)) ? -1 : REAL(mkdir)(path, mode);
}

EXPORTED DIR *opendir(const char *path) {
    uint64_t mask = match_at(AT_FDCWD, path);
    if (fails(OPENDIR, mask)) return NULL;
    DIR *directory = REAL(opendir)(path);
    if (directory != NULL) note(dirfd(directory), mask, 0);
    return directory;
}

EXPORTED DIR *fdopendir(int descriptor) {
    return fails(OPENDIR, mask_of(descriptor)) ? NULL : REAL(fdopendir)(descriptor);
}

EXPORTED int closedir(DIR *directory) {
    note(dirfd(directory), 0, 0);
    return REAL(closedir)(directory);
}

EXPORTED struct dirent *readdir(DIR *directory) {
    return fails(READDIR, mask_of(dirfd(directory))) ? NULL : REAL(readdir)(directory);
}

EXPORTED struct dirent64 *readdir64(DIR *directory) {
    return fails(READDIR, mask_of(dirfd(directory))) ? NULL : REAL(readdir64)(directory);
}

/* --- Looking ------------------------------------------------------------------------------------------------------ */

EXPORTED int stat(const char *restrict path, struct stat *restrict out) {
    return fails(STAT, match_at(AT_FDCWD, path)) ? -1 : REAL(stat)(path, out);
}

EXPORTED int stat64(const char *restrict path, struct stat64 *restrict out) {
    return fails(STAT, match_at(AT_FDCWD, path)) ? -1 : REAL(stat64)(path, out);
}

EXPORTED int lstat(const char *restrict path, struct stat *restrict out) {
    return fails(STAT, match_at(AT_FDCWD, path)) ? -1 : REAL(lstat)(path, out);
}

EXPORTED int lstat64(const char *restrict path, struct stat64 *restrict out) {
    return fails(STAT, match_at(AT_FDCWD, path)) ? -1 : REAL(lstat64)(path, out);
}

EXPORTED int fstat(int descriptor, struct stat *out) {
    return fails(STAT, mask_of(descriptor)) ? -1 : REAL(fstat)(descriptor, out);
}

EXPORTED int fstat64(int descriptor, struct stat64 *out) {
    return fails(STAT, mask_of(descriptor)) ? -1 : REAL(fstat64)(descriptor, out);
}

/* The rules for the subject of an `at` call: a path, or with an empty path the descriptor. */
static uint64_t looked_at(int at, const char *path) {
    if (path == NULL || path[0] == 0) return mask_of(at);
    return match_at(at, path);
}

EXPORTED int fstatat(int at, const char *restrict path, struct stat *restrict out, int flags) {
    return fails(STAT, looked_at(at, path)) ? -1 : REAL(fstatat)(at, path, out, flags);
}

EXPORTED int fstatat64(int at, const char *restrict path, struct stat64 *restrict out, int flags) {
    return fails(STAT, looked_at(at, path)) ? -1 : REAL(fstatat64)(at, path, out, flags);
}

EXPORTED int statx(int at, const char *restrict path, int flags, unsigned wanted, struct statx *restrict out) {
    return fails(STAT, looked_at(at, path)) ? -1 : REAL(statx)(at, path, flags, wanted, out);
}

EXPORTED int access(const char *path, int mode) {
    return fails(ACCESS, match_at(AT_FDCWD, path)) ? -1 : REAL(access)(path, mode);
}

EXPORTED int faccessat(int at, const char *path, int mode, int flags) {
    return fails(ACCESS, match_at(at, path)) ? -1 : REAL(faccessat)(at, path, mode, flags);
}

/* --- Locks -------------------------------------------------------------------------------------------------------- */

static int control_fails(int descriptor, int command, void *argument) {
    uint64_t mask = mask_of(descriptor);
    if (mask == 0) return 0;
    switch (command) {
    case F_SETLK: case F_SETLKW: case F_OFD_SETLK: case F_OFD_SETLKW:
        return fails(((struct flock *)argument)->l_type == F_UNLCK ? UNLOCK : LOCK, mask);
    default: return 0;
    }
}

static void copied(int descriptor, int command, int result) {
    if (result >= 0 && (command == F_DUPFD || command == F_DUPFD_CLOEXEC)) note(result, mask_of(descriptor), 0);
}

#define ARGUMENT_OF(command)                    \
    ({                                          \
        va_list list;                           \
        va_start(list, command);                \
        void *argument = va_arg(list, void *);  \
        va_end(list);                           \
        argument;                               \
    })

EXPORTED int fcntl(int descriptor, int command, ...) {
    void *argument = ARGUMENT_OF(command);
    if (control_fails(descriptor, command, argument)) return -1;
    int result = REAL(fcntl)(descriptor, command, argument);
    copied(descriptor, command, result);
    return result;
}

EXPORTED int fcntl64(int descriptor, int command, ...) {
    void *argument = ARGUMENT_OF(command);
    if (control_fails(descriptor, command, argument)) return -1;
    int result = REAL(fcntl64)(descriptor, command, argument);
    copied(descriptor, command, result);
    return result;
}

EXPORTED int flock(int descriptor, int operation) {
    return fails(operation & LOCK_UN ? UNLOCK : LOCK, mask_of(descriptor)) ? -1 : REAL(flock)(descriptor, operation);
}

/* --- inotify ------------------------------------------------------------------------------------------------------ */

EXPORTED int inotify_init1(int flags) {
    uint64_t mask = match("inotify:");
    if (fails(INOTIFY_INIT, mask)) return -1;
    int descriptor = REAL(inotify_init1)(flags);
    if (descriptor >= 0) note(descriptor, mask, 1);
    return descriptor;
}

EXPORTED int inotify_add_watch(int descriptor, const char *path, uint32_t wanted) {
    return fails(INOTIFY_ADD, match_at(AT_FDCWD, path)) ? -1 : REAL(inotify_add_watch)(descriptor, path, wanted);
}
