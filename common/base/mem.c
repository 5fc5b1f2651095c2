#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

static _Noreturn void out_of_memory(void)
{
	(void)fputs("out of memory\n", stderr);
	abort();
}

void *bf_alloc(size_t size)
{
	void *p = calloc(1, size ? size : 1);
	if (!p)
		out_of_memory();
	return p;
}

void *bf_realloc_array(void *p, size_t count, size_t size)
{
	size_t bytes;
	if (__builtin_mul_overflow(count, size, &bytes))
		out_of_memory();
	void *grown = realloc(p, bytes ? bytes : 1);
	if (!grown)
		out_of_memory();
	return grown;
}

char *bf_strndup(const char *s, size_t n)
{
	if (!s)
		return NULL;
	size_t len = strnlen(s, n);
	char *copy = bf_alloc(len + 1);
	memcpy(copy, s, len);
	return copy;
}

char *bf_strdup(const char *s)
{
	return s ? bf_strndup(s, strlen(s)) : NULL;
}

char *bf_asprintf(const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;
	va_start(ap, fmt);
	int n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0)
		out_of_memory();
	return text;
}

void bf_mem_return(void)
{
#ifdef __GLIBC__
	(void)malloc_trim(0);
#endif
}

void bf_free_ptr(void *pp)
{
	void *p;
	memcpy(&p, pp, sizeof(p)); /* *pp is a `char *` or any other pointer: reading it as `void *` would break aliasing */
	free(p);
}
