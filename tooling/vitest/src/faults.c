// Makes system calls that write below FAULT_FOLDER fail. The file FAULT_CONTROL holds three 32-bit numbers: how many such calls
// succeed before the first failure, how many fail then, and with which errno. A write that fails leaves half of its bytes.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <unistd.h>

static volatile int32_t *control;
static char folder[4096];
static size_t folder_length;

#define REAL(name) static __typeof__(name) *real; if (!real) real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

__attribute__((constructor)) static void prepare(void) {
  const char *file = getenv("FAULT_CONTROL"), *below = getenv("FAULT_FOLDER");
  if (!file || !below) return;
  int fd = open(file, O_RDWR);
  if (fd < 0) return;
  void *memory = mmap(NULL, 12, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  close(fd);
  if (memory == MAP_FAILED) return;
  strncpy(folder, below, sizeof folder - 1);
  folder_length = strlen(folder);
  control = memory;
}

static int is_below(const char *path) {
  return control && path && strncmp(path, folder, folder_length) == 0;
}

static int is_open_below(int fd) {
  if (!control) return 0;
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length <= 0) return 0;
  path[length] = 0;
  return is_below(path);
}

static int fails(void) {
  if (__sync_sub_and_fetch(&control[0], 1) >= 0) return 0;
  control[0] = 0;
  if (control[1] <= 0) return 0;
  __sync_sub_and_fetch(&control[1], 1);
  errno = control[2];
  return 1;
}

size_t fwrite_unlocked(const void *data, size_t size, size_t count, FILE *file) {
  REAL(fwrite_unlocked);
  if (!is_open_below(fileno(file)) || !fails()) return real(data, size, count, file);
  int error = errno;
  size_t done = real(data, 1, size * count / 2, file);
  fflush(file);
  errno = error;
  return done / (size ? size : 1) < count ? done / (size ? size : 1) : 0;
}

int fflush_unlocked(FILE *file) {
  REAL(fflush_unlocked);
  return is_open_below(fileno(file)) && fails() ? EOF : real(file);
}

int fdatasync(int fd) {
  REAL(fdatasync);
  return is_open_below(fd) && fails() ? -1 : real(fd);
}

int fsync(int fd) {
  REAL(fsync);
  return is_open_below(fd) && fails() ? -1 : real(fd);
}

FILE *fopen(const char *path, const char *mode) {
  REAL(fopen);
  return mode[0] != 'r' && is_below(path) && fails() ? NULL : real(path, mode);
}

FILE *fopen64(const char *path, const char *mode) {
  REAL(fopen64);
  return mode[0] != 'r' && is_below(path) && fails() ? NULL : real(path, mode);
}

int rename(const char *from, const char *to) {
  REAL(rename);
  return is_below(to) && fails() ? -1 : real(from, to);
}

ssize_t write(int fd, const void *data, size_t length) {
  REAL(write);
  if (!is_open_below(fd) || !fails()) return real(fd, data, length);
  int error = errno;
  ssize_t done = real(fd, data, length / 2);
  (void)done;
  errno = error;
  return -1;
}
