/*
 * fuzz.h - what the fuzz targets share
 *
 * A target is one file fuzz_NAME.c with LLVMFuzzerTestOneInput(); seeds lie in corpus/NAME, words in NAME.dict where the readers know some that are hard to guess.
 * It asserts what the header of the reader promises, besides running it under the sanitizers.
 */
#ifndef SENGEN_FUZZ_H
#define SENGEN_FUZZ_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/pool.h"
#include "lib/base/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

_Noreturn void fuzz_failed(const char *what, const char *file, int line);
/* A property: ends the process where it does not hold. */
#define MUST(condition) ((condition) ? (void)0 : fuzz_failed(#condition, __FILE__, __LINE__))

/* Not NULL, and UTF-8. */
void must_be_text(const char *text);
/* Besides, nothing that a terminal or a header would obey. */
void must_be_line(const char *text);

/* A directory of this process, removed when it ends. */
const char *fuzz_directory(void);
/* The path of a file in it with these bytes; the same file each time for one name. */
const char *fuzz_file(const char *name, const void *bytes, size_t len);

#endif
