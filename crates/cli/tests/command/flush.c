/* A disk whose flushes can be made to fail, for LD_PRELOAD: while the file FLUSH_FAILS is there, every flush fails, and
 * so does the one that finds ONE_FLUSH_FAILS, which it removes.
 *
 * As Linux has it, what could not be flushed stays readable and counts as clean: a later flush leaves it out, unless it
 * was written to again (fsync(2), EIO). What would be left of a database after a power failure stands beside each of
 * its files, in one that ends in `.disk`. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { PAGE = 4096 };

static int fails(void) {
  const char *always = getenv("FLUSH_FAILS"), *once = getenv("ONE_FLUSH_FAILS");
  return (always && access(always, F_OK) == 0) || (once && unlink(once) == 0);
}

static int ends_with(const char *text, const char *end) {
  size_t length = strlen(text), tail = strlen(end);
  return length >= tail && strcmp(text + length - tail, end) == 0;
}

/* The file with this suffix beside a file of a database, or -1 if it is another one. */
static int beside(int fd, const char *suffix) {
  char link[64], path[PATH_MAX];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 16);
  if (length < 0) return -1;
  path[length] = 0;
  if (!ends_with(path, ".db") && !ends_with(path, ".db-wal")) return -1;
  return open(strcat(path, suffix), O_RDWR | O_CREAT, 0600);
}

/* One byte for each page that the next flush would write. Other processes see them too. */
static void soil(int fd, off64_t from, size_t bytes) {
  int dirty = bytes ? beside(fd, ".dirty") : -1;
  if (dirty < 0) return;
  for (off64_t page = from / PAGE; page <= (from + (off64_t)bytes - 1) / PAGE; page++)
    syscall(SYS_pwrite64, dirty, "*", 1L, page);
  close(dirty);
}

static void keep(int fd, int dirty) {
  char is_dirty, page[PAGE];
  int disk = beside(fd, ".disk");
  for (off64_t at = 0; pread64(dirty, &is_dirty, 1, at) == 1; at++) {
    if (is_dirty) syscall(SYS_pwrite64, disk, page, pread64(fd, page, PAGE, at * PAGE), at * PAGE);
  }
  close(disk);
}

static int flush(int fd) {
  int failed = fails(), dirty = beside(fd, ".dirty");
  if (dirty >= 0) {
    if (!failed) keep(fd, dirty);
    syscall(SYS_ftruncate, dirty, 0L);
    close(dirty);
  }
  if (!failed) return (int)syscall(SYS_fsync, fd);
  errno = EIO;
  return -1;
}

int fsync(int fd) { return flush(fd); }

int fdatasync(int fd) { return flush(fd); }

ssize_t write(int fd, const void *bytes, size_t length) {
  off64_t from = lseek64(fd, 0, SEEK_CUR);
  ssize_t written = syscall(SYS_write, fd, bytes, length);
  if (from >= 0 && written > 0) soil(fd, from, (size_t)written);
  return written;
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t from) {
  ssize_t written = syscall(SYS_pwrite64, fd, bytes, length, from);
  if (written > 0) soil(fd, from, (size_t)written);
  return written;
}
