/*
 * Stands between a program and the disk, by LD_PRELOAD: writes down, refuses, skips or ends with what the program does
 * to the files below one folder. Everything else passes untouched.
 *
 *   cc -shared -fPIC -O2 -Wall -Wextra -Werror -o shim.so test/faults/shim.c -ldl -lpthread     (test/faults/shim.ts does it)
 *   LD_PRELOAD=./shim.so UV_USE_IO_URING=0 HIKYAKU_FAULT_DIR=/path/to/data … node …
 *
 * HIKYAKU_FAULT_DIR    the folder, an absolute path, spelt as the program spells it; without it nothing is done at all
 *
 * Writing down:
 * HIKYAKU_FAULT_LOG    a file outside the folder: each call that changed something is appended to it (test/faults/write-log.ts
 *                      reads it); other programs may append marks in between
 *
 * Doing something to some calls:
 * HIKYAKU_FAULT_DO     fail   the call fails with HIKYAKU_FAULT_ERRNO and nothing is done
 *                      skip   the call succeeds and nothing is done (a sync that does not sync)
 *                      kill   SIGKILL before the call
 *                      half   a write of half its octets, then SIGKILL; other calls: SIGKILL after the call
 * HIKYAKU_FAULT_CALLS  which calls, by commas: open create write truncate sync rename link unlink mkdir rmdir
 *                      (sync: fsync and fdatasync, of folders too; open: of what is there). Without it: all but open
 * HIKYAKU_FAULT_PATH   a pattern for the path below the folder (fnmatch; `*` also matches `/`; the folder itself is `.`):
 *                      `bodies/?*`, `hikyaku.db*`. Without it: every path
 * HIKYAKU_FAULT_FLAG   only while this file exists
 * HIKYAKU_FAULT_AT     only the Nth call of those that match, counted from 1. Without it: each
 * HIKYAKU_FAULT_ERRNO  EIO (without it), ENOSPC, EROFS, EMFILE or a number
 * HIKYAKU_FAULT_COUNT  a file that holds, as 8 octets, how many calls have matched since the program started
 *
 * Not seen: what goes through mmap (SQLite's -shm, which nothing reads after a power cut) and through stdio.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))real_of(#name))
#define MAX_FDS 65536

enum call { OPEN = 1, CREATE, WRITE, TRUNCATE, SYNC, RENAME, LINK, UNLINK, MKDIR, RMDIR };
static const char *const call_names[] = {"",       "open",   "create", "write",  "truncate", "sync",
                                         "rename", "link",   "unlink", "mkdir",  "rmdir"};
enum action { NOTHING, FAIL, SKIP, KILL, HALF };

/* One record of the log; path, second path and octets follow. Little endian, as the machine is. */
struct record {
  uint32_t magic;
  uint8_t kind; /* enum call; 255 is a mark of another program */
  uint8_t flags; /* of open and create: 1 emptied, 2 a folder */
  uint16_t path_length;
  uint16_t to_length;
  uint16_t reserved;
  uint32_t data_length;
  uint64_t sequence;
  uint64_t handle; /* one for each open of a file, never used again; 0: by path alone */
  uint64_t at; /* write: offset; truncate: size; sync: the last sequence number it covers */
};
#define MAGIC 0x4b48574cU

struct open_file {
  uint64_t handle;
  char *path; /* below the folder */
};

static struct open_file files[MAX_FDS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static char folder[PATH_MAX];
static size_t folder_length;
static int log_fd = -1;
static uint64_t sequence, handles;
static enum action action;
static unsigned calls_wanted;
static const char *path_wanted, *flag_file;
static uint64_t at_wanted, local_count;
static uint64_t *count = &local_count;
static int error_number = EIO;

static void *real_of(const char *name) {
  void *found = dlsym(RTLD_NEXT, name);
  if (found == NULL) abort();
  return found;
}

static void refuse(const char *what) {
  dprintf(2, "shim: %s\n", what);
  _exit(125);
}

static int error_of(const char *text) {
  if (strcmp(text, "EIO") == 0) return EIO;
  if (strcmp(text, "ENOSPC") == 0) return ENOSPC;
  if (strcmp(text, "EROFS") == 0) return EROFS;
  if (strcmp(text, "EMFILE") == 0) return EMFILE;
  int number = atoi(text);
  if (number <= 0) refuse("HIKYAKU_FAULT_ERRNO is no error");
  return number;
}

static enum action action_of(const char *text) {
  if (strcmp(text, "fail") == 0) return FAIL;
  if (strcmp(text, "skip") == 0) return SKIP;
  if (strcmp(text, "kill") == 0) return KILL;
  if (strcmp(text, "half") == 0) return HALF;
  refuse("HIKYAKU_FAULT_DO is none of fail, skip, kill, half");
  return NOTHING;
}

static unsigned calls_of(const char *text) {
  unsigned wanted = 0;
  char copy[256], *rest = copy;
  snprintf(copy, sizeof copy, "%s", text);
  for (char *name = strsep(&rest, ","); name != NULL; name = strsep(&rest, ",")) {
    unsigned found = 0;
    for (unsigned i = OPEN; i <= RMDIR; i++)
      if (strcmp(name, call_names[i]) == 0) found = 1u << i;
    if (found == 0) refuse("HIKYAKU_FAULT_CALLS names a call that is not known");
    wanted |= found;
  }
  return wanted;
}

static void open_count(const char *path) {
  int fd = REAL(open)(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0 || REAL(ftruncate)(fd, sizeof *count) != 0) refuse("HIKYAKU_FAULT_COUNT cannot be written");
  count = mmap(NULL, sizeof *count, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (count == MAP_FAILED) refuse("HIKYAKU_FAULT_COUNT cannot be mapped");
  REAL(close)(fd);
}

static void start(void) {
  const char *text = getenv("HIKYAKU_FAULT_DIR");
  if (text == NULL || *text != '/') return;
  snprintf(folder, sizeof folder, "%s", text);
  folder_length = strlen(folder);
  while (folder_length > 1 && folder[folder_length - 1] == '/') folder[--folder_length] = '\0';
  if ((text = getenv("HIKYAKU_FAULT_LOG")) != NULL) {
    log_fd = REAL(open)(text, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (log_fd < 0) refuse("HIKYAKU_FAULT_LOG cannot be written");
  }
  if ((text = getenv("HIKYAKU_FAULT_DO")) == NULL) return;
  action = action_of(text);
  calls_wanted = ~(1u << OPEN);
  if ((text = getenv("HIKYAKU_FAULT_CALLS")) != NULL) calls_wanted = calls_of(text);
  path_wanted = getenv("HIKYAKU_FAULT_PATH");
  flag_file = getenv("HIKYAKU_FAULT_FLAG");
  if ((text = getenv("HIKYAKU_FAULT_AT")) != NULL) at_wanted = strtoull(text, NULL, 10);
  if ((text = getenv("HIKYAKU_FAULT_ERRNO")) != NULL) error_number = error_of(text);
  if ((text = getenv("HIKYAKU_FAULT_COUNT")) != NULL) open_count(text);
}

static int is_on(void) {
  pthread_once(&once, start);
  return folder_length > 0;
}

/* The path below the folder, or NULL: not ours. The answer stands in `buffer`. */
static const char *below(int at, const char *path, char buffer[PATH_MAX]) {
  if (!is_on() || path == NULL) return NULL;
  if (path[0] != '/') {
    char base[PATH_MAX], link[64];
    if (at == AT_FDCWD) {
      if (getcwd(base, sizeof base) == NULL) return NULL;
    } else {
      snprintf(link, sizeof link, "/proc/self/fd/%d", at);
      ssize_t length = readlink(link, base, sizeof base - 1);
      if (length < 0) return NULL;
      base[length] = '\0';
    }
    if (snprintf(buffer, PATH_MAX, "%s/%s", base, path) >= PATH_MAX) return NULL;
  } else if (snprintf(buffer, PATH_MAX, "%s", path) >= PATH_MAX) return NULL;
  size_t length = strlen(buffer);
  while (length > 1 && (buffer[length - 1] == '/' || strcmp(buffer + length - 2, "/.") == 0)) buffer[--length] = '\0';
  if (strncmp(buffer, folder, folder_length) != 0) return NULL;
  if (buffer[folder_length] == '\0') return ".";
  return buffer[folder_length] == '/' ? buffer + folder_length + 1 : NULL;
}

static struct open_file *file_of(int fd) {
  if (fd < 0 || fd >= MAX_FDS) return NULL;
  return __atomic_load_n(&files[fd].handle, __ATOMIC_ACQUIRE) != 0 ? &files[fd] : NULL;
}

/* What is to be done to this call. Ends the program where it says so. */
static enum action decide(enum call call, const char *path) {
  if (action == NOTHING || (calls_wanted & (1u << call)) == 0) return NOTHING;
  if (path_wanted != NULL && fnmatch(path_wanted, path, 0) != 0) return NOTHING;
  if (flag_file != NULL && access(flag_file, F_OK) != 0) return NOTHING;
  uint64_t number = __atomic_add_fetch(count, 1, __ATOMIC_SEQ_CST);
  if (at_wanted != 0 && number != at_wanted) return NOTHING;
  if (action == KILL) {
    kill(getpid(), SIGKILL);
    pause();
  }
  return action;
}

static void die_if(enum action what) {
  if (what != HALF) return;
  kill(getpid(), SIGKILL);
  pause();
}

static int failed(void) {
  errno = error_number;
  return -1;
}

/* One write(2) each: other programs append to the same file. The lock is held. */
static void append(struct record *record, const char *path, const char *to, const struct iovec *data, int pieces) {
  struct iovec all[3 + 64];
  int used = 3, saved = errno;
  record->magic = MAGIC;
  record->path_length = path == NULL ? 0 : strlen(path);
  record->to_length = to == NULL ? 0 : strlen(to);
  all[0] = (struct iovec){record, sizeof *record};
  all[1] = (struct iovec){(void *)path, record->path_length};
  all[2] = (struct iovec){(void *)to, record->to_length};
  size_t left = record->data_length, length = sizeof *record + record->path_length + record->to_length + left;
  for (int i = 0; i < pieces && left > 0; i++) {
    if (used == 3 + 64) refuse("a write in more pieces than the log can take");
    size_t size = data[i].iov_len < left ? data[i].iov_len : left;
    all[used++] = (struct iovec){data[i].iov_base, size};
    left -= size;
  }
  if (REAL(writev)(log_fd, all, used) != (ssize_t)length) refuse("the log cannot be written");
  errno = saved;
}

static void note(enum call call, uint64_t handle, uint64_t at, const char *path, const char *to, uint8_t flags) {
  if (log_fd < 0) return;
  struct record record = {.kind = call, .flags = flags, .sequence = ++sequence, .handle = handle, .at = at};
  append(&record, path, to, NULL, 0);
}

/* Files */

static int opening(int at, const char *path, int flags, mode_t mode) {
  char buffer[PATH_MAX];
  const char *name = below(at, path, buffer);
  if (name == NULL || (flags & O_TMPFILE) == O_TMPFILE) return REAL(openat)(at, path, flags, mode);
  pthread_mutex_lock(&lock);
  struct stat there;
  int is_new = (flags & O_CREAT) != 0 && fstatat(at, path, &there, 0) != 0;
  int is_emptied = (flags & O_TRUNC) != 0 && (flags & O_ACCMODE) != O_RDONLY;
  enum action what = decide(is_new ? CREATE : is_emptied ? TRUNCATE : OPEN, name);
  int fd = what == FAIL ? failed() : REAL(openat)(at, path, flags, mode);
  if (fd >= 0 && fd < MAX_FDS) {
    uint8_t bits = is_emptied ? 1 : 0;
    if (fstat(fd, &there) == 0 && S_ISDIR(there.st_mode)) bits |= 2;
    free(files[fd].path);
    files[fd].path = strdup(name);
    __atomic_store_n(&files[fd].handle, ++handles, __ATOMIC_RELEASE);
    note(is_new ? CREATE : OPEN, handles, 0, name, NULL, bits);
  }
  die_if(what);
  pthread_mutex_unlock(&lock);
  return fd;
}

#define MODE_OF(flags)                                                \
  mode_t mode = 0;                                                    \
  if (((flags) & O_CREAT) != 0 || ((flags) & O_TMPFILE) == O_TMPFILE) { \
    va_list rest;                                                     \
    va_start(rest, flags);                                            \
    mode = va_arg(rest, mode_t);                                      \
    va_end(rest);                                                     \
  }

int open(const char *path, int flags, ...) {
  MODE_OF(flags)
  return opening(AT_FDCWD, path, flags, mode);
}
int open64(const char *path, int flags, ...) {
  MODE_OF(flags)
  return opening(AT_FDCWD, path, flags | O_LARGEFILE, mode);
}
int openat(int at, const char *path, int flags, ...) {
  MODE_OF(flags)
  char buffer[PATH_MAX];
  /* Also what `opening` itself is built on. */
  static __typeof__(&openat) real;
  if (real == NULL) real = (__typeof__(&openat))real_of("openat");
  return below(at, path, buffer) == NULL ? real(at, path, flags, mode) : opening(at, path, flags, mode);
}
int openat64(int at, const char *path, int flags, ...) {
  MODE_OF(flags)
  return openat(at, path, flags | O_LARGEFILE, mode);
}
int creat(const char *path, mode_t mode) { return opening(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }

int close(int fd) {
  static __typeof__(&close) real;
  if (real == NULL) real = (__typeof__(&close))real_of("close");
  if (file_of(fd) == NULL) return real(fd);
  pthread_mutex_lock(&lock);
  __atomic_store_n(&files[fd].handle, 0, __ATOMIC_RELEASE);
  free(files[fd].path);
  files[fd].path = NULL;
  pthread_mutex_unlock(&lock);
  return real(fd);
}

/* libuv closes files by number. What stays in the table would be taken for the socket that gets the number next. */
long syscall(long number, ...) {
  static long (*real)(long, ...);
  if (real == NULL) real = (long (*)(long, ...))real_of("syscall");
  long arguments[6];
  va_list rest;
  va_start(rest, number);
  for (int i = 0; i < 6; i++) arguments[i] = va_arg(rest, long);
  va_end(rest);
  if (number == SYS_close) return close((int)arguments[0]);
  return real(number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4], arguments[5]);
}

/* Octets */

/* `offset` -1: where the file stands. */
static ssize_t writing(int fd, const struct iovec *data, int pieces, off_t offset) {
  struct open_file *file = file_of(fd);
  if (file == NULL)
    return offset < 0 ? REAL(writev)(fd, data, pieces) : REAL(pwritev)(fd, data, pieces, offset);
  pthread_mutex_lock(&lock);
  size_t length = 0;
  for (int i = 0; i < pieces; i++) length += data[i].iov_len;
  enum action what = decide(WRITE, file->path);
  ssize_t written;
  if (what == FAIL) written = failed();
  else if (what == SKIP) written = length;
  else if (what == HALF) {
    struct iovec half = {data[0].iov_base, data[0].iov_len / 2};
    written = offset < 0 ? REAL(writev)(fd, &half, 1) : REAL(pwritev)(fd, &half, 1, offset);
  } else written = offset < 0 ? REAL(writev)(fd, data, pieces) : REAL(pwritev)(fd, data, pieces, offset);
  die_if(what);
  if (written > 0 && what != SKIP && log_fd >= 0) {
    off_t at = offset < 0 ? lseek(fd, 0, SEEK_CUR) - written : offset;
    struct record record = {
        .kind = WRITE, .data_length = written, .sequence = ++sequence, .handle = file->handle, .at = at};
    append(&record, NULL, NULL, data, pieces);
  }
  pthread_mutex_unlock(&lock);
  return written;
}

ssize_t write(int fd, const void *octets, size_t length) {
  static __typeof__(&write) real;
  if (real == NULL) real = (__typeof__(&write))real_of("write");
  if (file_of(fd) == NULL) return real(fd, octets, length);
  struct iovec data = {(void *)octets, length};
  return writing(fd, &data, 1, -1);
}
ssize_t pwrite(int fd, const void *octets, size_t length, off_t offset) {
  struct iovec data = {(void *)octets, length};
  return writing(fd, &data, 1, offset);
}
ssize_t pwrite64(int fd, const void *octets, size_t length, off_t offset) { return pwrite(fd, octets, length, offset); }
ssize_t writev(int fd, const struct iovec *data, int pieces) {
  static __typeof__(&writev) real;
  if (real == NULL) real = (__typeof__(&writev))real_of("writev");
  return file_of(fd) == NULL ? real(fd, data, pieces) : writing(fd, data, pieces, -1);
}
ssize_t pwritev(int fd, const struct iovec *data, int pieces, off_t offset) {
  static __typeof__(&pwritev) real;
  if (real == NULL) real = (__typeof__(&pwritev))real_of("pwritev");
  return file_of(fd) == NULL ? real(fd, data, pieces, offset) : writing(fd, data, pieces, offset);
}
ssize_t pwritev64(int fd, const struct iovec *data, int pieces, off_t offset) {
  return pwritev(fd, data, pieces, offset);
}

int ftruncate(int fd, off_t size) {
  static __typeof__(&ftruncate) real;
  if (real == NULL) real = (__typeof__(&ftruncate))real_of("ftruncate");
  struct open_file *file = file_of(fd);
  if (file == NULL) return real(fd, size);
  pthread_mutex_lock(&lock);
  enum action what = decide(TRUNCATE, file->path);
  int done = what == FAIL ? failed() : what == SKIP ? 0 : real(fd, size);
  if (done == 0 && what != SKIP) note(TRUNCATE, file->handle, size, NULL, NULL, 0);
  die_if(what);
  pthread_mutex_unlock(&lock);
  return done;
}
int ftruncate64(int fd, off_t size) { return ftruncate(fd, size); }

/* The disk works without the lock: others write meanwhile, and what they write is not covered. */
static int syncing(int fd, int (*real)(int)) {
  struct open_file *file = file_of(fd);
  if (file == NULL) return real(fd);
  pthread_mutex_lock(&lock);
  uint64_t covered = sequence, handle = file->handle;
  enum action what = decide(SYNC, file->path);
  pthread_mutex_unlock(&lock);
  if (what == FAIL) return failed();
  if (what == SKIP) return 0;
  int done = real(fd);
  pthread_mutex_lock(&lock);
  if (done == 0) note(SYNC, handle, covered, NULL, NULL, 0);
  pthread_mutex_unlock(&lock);
  die_if(what);
  return done;
}
int fsync(int fd) { return syncing(fd, REAL(fsync)); }
int fdatasync(int fd) { return syncing(fd, REAL(fdatasync)); }

/* Names */

static int naming(enum call call, int at, const char *path, int (*real)(int, const char *)) {
  char buffer[PATH_MAX];
  const char *name = below(at, path, buffer);
  if (name == NULL) return real(at, path);
  pthread_mutex_lock(&lock);
  enum action what = decide(call, name);
  int done = what == FAIL ? failed() : what == SKIP ? 0 : real(at, path);
  if (done == 0 && what != SKIP) note(call, 0, 0, name, NULL, 0);
  die_if(what);
  pthread_mutex_unlock(&lock);
  return done;
}

static int real_unlink(int at, const char *path) { return REAL(unlinkat)(at, path, 0); }
static int real_rmdir(int at, const char *path) { return REAL(unlinkat)(at, path, AT_REMOVEDIR); }
static __thread mode_t new_mode;
static int real_mkdir(int at, const char *path) { return REAL(mkdirat)(at, path, new_mode); }

int unlink(const char *path) { return naming(UNLINK, AT_FDCWD, path, real_unlink); }
int rmdir(const char *path) { return naming(RMDIR, AT_FDCWD, path, real_rmdir); }
int unlinkat(int at, const char *path, int flags) {
  return (flags & AT_REMOVEDIR) != 0 ? naming(RMDIR, at, path, real_rmdir) : naming(UNLINK, at, path, real_unlink);
}
int remove(const char *path) {
  struct stat there;
  return lstat(path, &there) == 0 && S_ISDIR(there.st_mode) ? rmdir(path) : unlink(path);
}
int mkdirat(int at, const char *path, mode_t mode) {
  new_mode = mode;
  return naming(MKDIR, at, path, real_mkdir);
}
int mkdir(const char *path, mode_t mode) { return mkdirat(AT_FDCWD, path, mode); }

static int pairing(enum call call, const char *from, const char *to, int (*real)(const char *, const char *)) {
  char first[PATH_MAX], second[PATH_MAX];
  const char *name = below(AT_FDCWD, from, first), *other = below(AT_FDCWD, to, second);
  if (name == NULL && other == NULL) return real(from, to);
  if (name == NULL || other == NULL) refuse("a name goes into or out of the folder, which the log cannot tell");
  pthread_mutex_lock(&lock);
  enum action what = decide(call, other);
  int done = what == FAIL ? failed() : what == SKIP ? 0 : real(from, to);
  if (done == 0 && what != SKIP) note(call, 0, 0, name, other, 0);
  die_if(what);
  pthread_mutex_unlock(&lock);
  return done;
}
int rename(const char *from, const char *to) { return pairing(RENAME, from, to, REAL(rename)); }
int link(const char *from, const char *to) { return pairing(LINK, from, to, REAL(link)); }
