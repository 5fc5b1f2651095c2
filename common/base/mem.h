/*
 * Memory. A small allocation that fails aborts the process: the lease recovers
 * the job (docs/decisions). Input from outside never sizes an allocation
 * directly; it goes through a bounded bf_buf.
 */
#ifndef BF_BASE_MEM_H
#define BF_BASE_MEM_H

#include <stddef.h>

void *bf_alloc(size_t size);                                /* zeroed; never NULL */
void *bf_realloc_array(void *p, size_t count, size_t size); /* never NULL; aborts on overflow */
char *bf_strdup(const char *s);                             /* NULL gives NULL */
char *bf_strndup(const char *s, size_t n);
char *bf_asprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Gives pages that nothing is stored in back to the system, of all threads. Nothing happens where the C library has no such call
 * (malloc_trim of glibc). */
void bf_mem_return(void);

void bf_free_ptr(void *pp); /* frees *(void **)pp; for BF_AUTOFREE */

/* Frees a malloc'ed pointer at the end of its scope: `BF_AUTOFREE char *s = bf_strdup(x);` */
#define BF_AUTOFREE __attribute__((cleanup(bf_free_ptr)))

/* Hands a pointer over and leaves NULL behind: `return bf_steal(&s);` */
#define bf_steal(pp)                         \
	__extension__({                          \
		__typeof__(*(pp)) bf_stolen = *(pp); \
		*(pp) = NULL;                        \
		bf_stolen;                           \
	})

#define BF_COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

#endif
