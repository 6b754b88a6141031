/* Preloaded into a process, ends it like a dead battery at the n-th point where it changes a file below a folder:
 * before a file is made, truncated, renamed or removed, before and in the middle of a write, after a renaming or removal.
 *
 * Or lets the disk be full from the n-th point on at which something is to be put on it below that folder: a file made,
 * written, synced or renamed; the write at which it fills up is cut short. What is removed is removed.
 *
 * DEAD_BATTERY_BELOW  the folder, absolute
 * DEAD_BATTERY_AT     which point, from 1; 0 for none
 * DISK_FULL_FROM      which point, from 1; when this is set, DEAD_BATTERY_AT is not looked at
 * DEAD_BATTERY_LOG    file outside the folder, to which each point reached is written as a line
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static long reached;

static const char *below(const char *path) {
    const char *folder = getenv("DEAD_BATTERY_BELOW");
    size_t length = folder ? strlen(folder) : 0;
    return length && strncmp(path, folder, length) == 0 && path[length] == '/' ? path + length + 1 : NULL;
}

/* Notes a point, and gives its number. */
static long note(const char *what, const char *file) {
    const char *log = getenv("DEAD_BATTERY_LOG");
    long number = __atomic_add_fetch(&reached, 1, __ATOMIC_SEQ_CST);
    char line[512];
    int length = snprintf(line, sizeof line, "%s %s\n", what, file);
    if (length < 0 || length >= (int)sizeof line) abort();
    int fd = log ? (int)syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;
    if (fd < 0 || syscall(SYS_write, fd, line, length) != length || syscall(SYS_close, fd)) abort();
    return number;
}

/* True where the process is to end. */
static int due(const char *what, const char *file) {
    const char *at = getenv("DEAD_BATTERY_AT");
    if (getenv("DISK_FULL_FROM")) return 0;
    return note(what, file) == (at ? atol(at) : 0);
}

/* True where there is no room. */
static int full(const char *what, const char *file) {
    const char *from = getenv("DISK_FULL_FROM");
    if (!from || note(what, file) < atol(from)) return 0;
    errno = ENOSPC;
    return 1;
}

static void die(void) {
    kill(getpid(), SIGKILL);
    for (;;) pause();
}

static void point(const char *what, const char *file) {
    if (due(what, file)) die();
}

static int exists(const char *path) {
    struct stat found;
    return lstat(path, &found) == 0;
}

/* False when it cannot be opened. */
static int opening(const char *path, int flags) {
    const char *file = below(path);
    if (!file) return 1;
    if (!exists(path)) {
        if (flags & O_CREAT) {
            if (full("making", file)) return 0;
            point("before making", file);
        }
    } else if (flags & O_TRUNC) {
        point("before emptying", file);
    }
    return 1;
}

int open64(const char *path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    mode_t mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0;
    va_end(rest);
    if (!opening(path, flags)) return -1;
    return NEXT(open64)(path, flags, mode);
}

int open(const char *path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    mode_t mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0;
    va_end(rest);
    if (!opening(path, flags)) return -1;
    return NEXT(open)(path, flags, mode);
}

ssize_t write(int fd, const void *bytes, size_t count) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length > 0) {
        path[length] = 0;
        const char *file = below(path);
        if (file) {
            if (full("writing", file)) return -1;
            if (full("writing the second half of", file)) return syscall(SYS_write, fd, bytes, (count + 1) / 2);
            point("before writing", file);
            if (due("in the middle of writing", file)) {
                syscall(SYS_write, fd, bytes, count / 2);
                die();
            }
        }
    }
    return NEXT(write)(fd, bytes, count);
}

int rename(const char *from, const char *to) {
    const char *file = below(to);
    if (file && full("renaming to", file)) return -1;
    if (file) point("before renaming to", file);
    int result = NEXT(rename)(from, to);
    if (file && result == 0) point("after renaming to", file);
    return result;
}

int unlink(const char *path) {
    const char *file = below(path);
    if (file && !exists(path)) file = NULL;
    if (file) point("before removing", file);
    int result = NEXT(unlink)(path);
    if (file && result == 0) point("after removing", file);
    return result;
}

int ftruncate64(int fd, off64_t length) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t found = readlink(link, path, sizeof path - 1);
    if (found > 0) {
        path[found] = 0;
        const char *file = below(path);
        struct stat now;
        if (file && fstat(fd, &now) == 0 && now.st_size != length) point("before cutting", file);
    }
    return NEXT(ftruncate64)(fd, length);
}

int mkdir(const char *path, mode_t mode) {
    const char *file = below(path);
    if (file && !exists(path)) {
        if (full("making", file)) return -1;
        point("before making", file);
    }
    return NEXT(mkdir)(path, mode);
}

int fsync(int fd) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length > 0) {
        path[length] = 0;
        const char *file = below(path);
        if (file && full("syncing", file)) return -1;
    }
    return NEXT(fsync)(fd);
}
