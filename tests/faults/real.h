/*
 * real.h - the system's own calls, behind the ones that the linker put in their place (--wrap); and what those are
 */
#ifndef SENGEN_TESTS_REAL_H
#define SENGEN_TESTS_REAL_H

#include <stdio.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>

int __real_open(const char *path, int flags, ...);
int __real_openat(int directory, const char *path, int flags, ...);
ssize_t __real_read(int fd, void *buffer, size_t len);
ssize_t __real_write(int fd, const void *buffer, size_t len);
ssize_t __real_pwrite(int fd, const void *buffer, size_t len, off_t at);
int __real_fsync(int fd);
int __real_fdatasync(int fd);
int __real_ftruncate(int fd, off_t size);
int __real_mkdirat(int directory, const char *path, mode_t mode);
int __real_mkdir(const char *path, mode_t mode);
int __real_rename(const char *from, const char *to);
int __real_renameat2(
	int from_directory, const char *from, int to_directory, const char *to, unsigned int flags);
int __real_linkat(int from_directory, const char *from, int to_directory, const char *to, int flags);
int __real_unlinkat(int directory, const char *path, int flags);
int __real_remove(const char *path);
FILE *__real_fdopen(int fd, const char *mode);
int __real_stat(const char *path, struct stat *st);
int __real_lstat(const char *path, struct stat *st);
int __real_fstat(int fd, struct stat *st);
int __real_fstatat(int directory, const char *path, struct stat *st, int flags);
_Noreturn void __real__exit(int status);
int __real_clock_gettime(clockid_t clock, struct timespec *at);

#endif
