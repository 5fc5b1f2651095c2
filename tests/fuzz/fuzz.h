/*
 * What the fuzz targets share. A target is one file, fuzz_<name>.c, that takes bytes and asserts what must hold for any of them; libFuzzer
 * calls it (tests/fuzz/run). What was found once is kept as a file in corpus/<name>/, and as a unit test.
 */
#ifndef BF_TESTS_FUZZ_H
#define BF_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/show.h"
#include "base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* Ends the process, which libFuzzer takes for a finding. */
#define MUST(condition)                                                                          \
	do {                                                                                         \
		if (!(condition)) {                                                                      \
			(void)fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition); \
			abort();                                                                             \
		}                                                                                        \
	} while (0)

/* The bytes as a text that ends with NUL, cut at the first NUL in them; the caller frees it. */
static inline char *fuzz_text(const uint8_t *bytes, size_t size)
{
	char *text = malloc(size + 1);
	MUST(text);
	if (size > 0)
		memcpy(text, bytes, size);
	text[size] = '\0';
	return text;
}

/* What struct bf_error promises of its text. */
static inline void must_be_an_error(int rc, const struct bf_error *err)
{
	size_t len = strnlen(err->text, sizeof(err->text));

	MUST(rc < 0 && rc == -(int)err->code);
	MUST(len > 0 && len < sizeof(err->text));
	MUST(err->text[len - 1] != '\n');
	for (size_t at = 0; at < len;) {
		size_t n = bf_utf8_char(err->text + at, len - at);
		MUST(n > 0);
		MUST(err->text[at] == '\n' || err->text[at] == '\t' || !bf_show_hides(err->text + at, n));
		at += n;
	}
}

#endif
