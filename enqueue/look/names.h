/* A set of texts: filled, sorted, asked. The texts are borrowed. */
#ifndef BF_LOOK_NAMES_H
#define BF_LOOK_NAMES_H

#include <stdbool.h>
#include <stddef.h>

struct bf_names {
	const char **list;
	size_t n, cap;
};

void bf_names_add(struct bf_names *s, const char *name);
void bf_names_add_all(struct bf_names *s, const struct bf_names *others);
void bf_names_sort(struct bf_names *s);                        /* each name once from here on */
bool bf_names_has(const struct bf_names *s, const char *name); /* once sorted */
void bf_names_release(struct bf_names *s);

#endif
