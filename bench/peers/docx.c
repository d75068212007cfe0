/*
 * docx.c - docx TIMES FILE...: reads Word files as the reader of mails does, each of them so many times in one process; prints the rate.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "lib/base/file.h"
#include "lib/mail/docx.h"

#define FILE_MAX ((size_t)32 * 1024 * 1024)

int main(int argc, char **argv)
{
	struct err err = {0};
	struct str *file = xcalloc((size_t)argc, sizeof *file);
	struct pool *pool = pool_new();
	struct timespec began, ended;
	/* As for the children that read mails: else libzip asks for the zone's file with each Word file. */
	(void)setenv("TZ", "JST-9", 1);
	int times = argc > 2 ? atoi(argv[1]) : 0;
	for (int i = 2; i < argc; i++) {
		file[i] = STR_INIT;
		if (file_read(&file[i], argv[i], FILE_MAX, &err))
			die("%s", err.text);
	}
	(void)clock_gettime(CLOCK_MONOTONIC, &began);
	for (int n = 0; n < times; n++)
		for (int i = 2; i < argc; i++) {
			struct doc doc;
			if (docx_read(&doc, file[i].s, file[i].len, pool, &err))
				die("%s", err.text);
			pool_reset(pool);
		}
	(void)clock_gettime(CLOCK_MONOTONIC, &ended);
	double seconds =
		(double)(ended.tv_sec - began.tv_sec) + (double)(ended.tv_nsec - began.tv_nsec) / 1e9;
	(void)printf("figure docx %.1f files/s\n", (double)times * (argc - 2) / seconds);
	return 0;
}
