/*
 * JSON whose numbers stay what they were written as. Before jansson reads a text, each number in it that is not an int64 is replaced
 * by its place in a list, written as a real ("7.0"); then the tree is walked, and each real is given its own value, and kept with
 * where its text is.
 */
#include "core/json_doc.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/decimal.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/text.h"

struct bf_json_kept {
	const json_t *node;
	size_t at, len; /* of its text */
};

/* ---- reading ---- */

static size_t string_len(const char *s, const char *end)
{
	const char *at = s + 1;
	while (at < end && *at != '"')
		at += *at == '\\' && at + 1 < end ? 2 : 1;
	return (size_t)(at - s) + (at < end);
}

/* What jansson holds exactly: digits that are an int64, but for "-0". */
static bool is_exact(const char *s, size_t len)
{
	char text[32];
	int64_t n;
	if (len >= sizeof(text))
		return false;
	memcpy(text, s, len);
	text[len] = '\0';
	return strcmp(text, "-0") != 0 && bf_text_int(text, INT64_MIN, INT64_MAX, &n) == 0;
}

static void keep(struct bf_json_doc *d, size_t at, size_t len)
{
	if ((d->n_kept & (d->n_kept + 1)) == 0) /* room for the next power of two, less one */
		d->kept = bf_realloc_array(d->kept, d->n_kept * 2 + 1, sizeof(*d->kept));
	d->kept[d->n_kept++] = (struct bf_json_kept){.at = at, .len = len};
}

/* The text with each number that is not exact replaced by its place among those kept. What is no JSON is left for jansson to refuse. */
static void replace_numbers(struct bf_json_doc *d, size_t len, struct bf_buf *out)
{
	const char *end = d->text + len;
	for (const char *at = d->text, *next; at < end; at = next) {
		size_t number = strspn(at, "0123456789+-.eE"); /* all of it, or "1e5e5" would become a number */
		next = at + (number ? number : *at == '"' ? string_len(at, end) : 1);
		if (!number || bf_decimal_len(at, number) != number || is_exact(at, number)) {
			bf_buf_add(out, at, (size_t)(next - at));
			continue;
		}
		bf_buf_printf(out, "%zu.0", d->n_kept);
		keep(d, (size_t)(at - d->text), number);
	}
}

static void give_value(struct bf_json_doc *d, json_t *real)
{
	struct bf_json_kept *k = &d->kept[(size_t)json_real_value(real)];
	BF_AUTOFREE char *text = bf_strndup(d->text + k->at, k->len);
	double value = strtod(text, NULL);
	k->node = real;
	json_real_set(real, isfinite(value) ? value : value < 0 ? -DBL_MAX : DBL_MAX);
}

static void give_values(struct bf_json_doc *d, json_t *value) /* as deep as jansson reads */
{
	const char *name;
	json_t *member;
	size_t i;
	json_object_foreach (value, name, member)
		give_values(d, member);
	json_array_foreach (value, i, member)
		give_values(d, member);
	if (json_is_real(value))
		give_value(d, value);
}

static int by_node(const void *a, const void *b)
{
	const struct bf_json_kept *x = a, *y = b;
	return (x->node > y->node) - (x->node < y->node);
}

/* The report of what is wrong is about the text as it was written, so that is what jansson is asked about once more. A number that is
 * too large for it is no reason. */
static int fail_load(const char *text, size_t len, size_t flags, struct bf_json_doc *d, json_error_t *where)
{
	json_error_t own;
	json_t *root = json_loadb(text, len, flags, &own);
	if (!root && json_error_code(&own) != json_error_numeric_overflow)
		*where = own;
	json_decref(root);
	bf_doc_release(d);
	return -BF_E_INPUT;
}

int bf_doc_load(const char *text, size_t len, size_t flags, struct bf_json_doc *out, json_error_t *where)
{
	BF_AUTOBUF struct bf_buf replaced;
	bf_buf_init(&replaced, SIZE_MAX - 1);
	*out = (struct bf_json_doc){.text = bf_alloc(len + 1)};
	memcpy(out->text, text, len);
	replace_numbers(out, len, &replaced);
	out->root = json_loadb(replaced.data, replaced.len, flags, where);
	if (!out->root)
		return fail_load(text, len, flags, out, where);
	give_values(out, out->root);
	if (out->n_kept)
		qsort(out->kept, out->n_kept, sizeof(*out->kept), by_node);
	return 0;
}

void bf_doc_release(struct bf_json_doc *d)
{
	json_decref(d->root);
	free(d->text);
	free(d->kept);
	*d = (struct bf_json_doc){.root = NULL};
}

/* ---- writing ---- */

void bf_doc_number(const struct bf_json_doc *d, const json_t *number, struct bf_buf *out)
{
	struct bf_json_kept key = {.node = number};
	const struct bf_json_kept *k = d->n_kept ? bsearch(&key, d->kept, d->n_kept, sizeof(key), by_node) : NULL;
	if (k)
		bf_buf_add(out, d->text + k->at, k->len);
	else if (json_is_integer(number))
		bf_buf_printf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(number));
	else
		bf_buf_printf(out, "%.17g", json_real_value(number));
}

static int append(const char *bytes, size_t len, void *out)
{
	return bf_buf_add(out, bytes, len);
}

static void write_name(const char *name, struct bf_buf *out)
{
	json_auto_t *text = json_string_nocheck(name);
	(void)json_dump_callback(text, append, out, JSON_ENCODE_ANY);
	bf_buf_addch(out, ':');
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void write_object(const struct bf_json_doc *d, const json_t *object, struct bf_buf *out)
{
	size_t n = 0;
	BF_AUTOFREE const char **names = bf_alloc((json_object_size(object) + 1) * sizeof(*names));
	json_t *shared = json_incref((json_t *)(uintptr_t)object), *value; /* jansson's iterators want one that may change */
	const char *name;
	json_object_foreach (shared, name, value)
		names[n++] = name;
	qsort(names, n, sizeof(*names), by_name);
	bf_buf_addch(out, '{');
	for (size_t i = 0; i < n; i++) {
		bf_buf_addstr(out, i ? "," : "");
		write_name(names[i], out);
		bf_doc_write(d, json_object_get(object, names[i]), out);
	}
	bf_buf_addch(out, '}');
	json_decref(shared);
}

static void write_array(const struct bf_json_doc *d, const json_t *array, struct bf_buf *out)
{
	bf_buf_addch(out, '[');
	for (size_t i = 0; i < json_array_size(array); i++) {
		bf_buf_addstr(out, i ? "," : "");
		bf_doc_write(d, json_array_get(array, i), out);
	}
	bf_buf_addch(out, ']');
}

void bf_doc_write(const struct bf_json_doc *d, const json_t *value, struct bf_buf *out)
{
	if (json_is_object(value))
		write_object(d, value, out);
	else if (json_is_array(value))
		write_array(d, value, out);
	else if (json_is_number(value))
		bf_doc_number(d, value, out);
	else
		(void)json_dump_callback(value, append, out, JSON_ENCODE_ANY);
}
