#include "look/names.h"

#include "base/mem.h"

void bf_names_add(struct bf_names *s, const char *name)
{
	if (s->n == s->cap) {
		s->cap = s->cap ? 2 * s->cap : 64;
		s->list = bf_realloc_array(s->list, s->cap, sizeof(*s->list));
	}
	s->list[s->n++] = name;
}

void bf_names_add_all(struct bf_names *s, const struct bf_names *others)
{
	for (size_t i = 0; i < others->n; i++)
		bf_names_add(s, others->list[i]);
}

static int by_text(const void *a, const void *b)
{
	const char *const *left = a, *const *right = b;
	return strcmp(*left, *right);
}

void bf_names_sort(struct bf_names *s)
{
	size_t kept = 0;
	if (s->n > 0)
		qsort(s->list, s->n, sizeof(*s->list), by_text);
	for (size_t i = 0; i < s->n; i++)
		if (kept == 0 || strcmp(s->list[kept - 1], s->list[i]) != 0)
			s->list[kept++] = s->list[i];
	s->n = kept;
}

bool bf_names_has(const struct bf_names *s, const char *name)
{
	return s->n > 0 && bsearch(&name, s->list, s->n, sizeof(*s->list), by_text) != NULL;
}

void bf_names_release(struct bf_names *s)
{
	free(s->list);
	*s = (struct bf_names){.n = 0};
}
