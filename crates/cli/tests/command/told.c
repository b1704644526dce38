/* What the C library is told, for LD_PRELOAD: a line for each call in the file TOLD, instead of doing it. */
#include <fcntl.h>
#include <malloc.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int tell(const char *what, const char *how) {
  const char *path = getenv("TOLD");
  int file = path ? open(path, O_WRONLY | O_CREAT | O_APPEND, 0600) : -1;
  if (file >= 0) {
    dprintf(file, "%s %s\n", what, how);
    close(file);
  }
  return 0;
}

int __nss_configure_lookup(const char *database, const char *ways) { return tell(database, ways); }

int malloc_trim(size_t kept) {
  (void)kept;
  return tell("trim", "all");
}

int mallopt(int parameter, int value) {
  char number[16];
  snprintf(number, sizeof number, "%d", value);
  return tell(parameter == M_ARENA_MAX ? "heaps" : "something else", number);
}
