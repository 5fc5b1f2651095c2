#include "core/keys.h"

#include "base/mem.h"
#include "core/pipeline_query.h"

#define SHOWN_MAX  60
#define CANDIDATES 1000 /* keys that are looked at for a suggestion */
#define KEYS_MAX   (INT32_MAX / 4)

void bf_keys_init(struct bf_keys *k)
{
	*k = (struct bf_keys){0};
	bf_buf_init(&k->text, BF_KEYS_TEXT_MAX);
}

void bf_keys_release(struct bf_keys *k)
{
	bf_buf_release(&k->text);
	free(k->offset);
	free(k->table);
	bf_keys_init(k);
}

const char *bf_keys_at(const struct bf_keys *k, size_t place)
{
	return k->text.data + k->offset[place];
}

static size_t hash(const char *s)
{
	uint64_t h = 14695981039346656037u; /* FNV-1a */
	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * 1099511628211u;
	return (size_t)(h ^ (h >> 32));
}

/* The slot of a key, or the empty one where it would stand. */
static size_t slot_of(const struct bf_keys *k, const char *key)
{
	size_t i = hash(key) & (k->slots - 1);
	while (k->table[i] && strcmp(bf_keys_at(k, k->table[i] - 1), key) != 0)
		i = (i + 1) & (k->slots - 1);
	return i;
}

bool bf_keys_find(const struct bf_keys *k, const char *key, size_t *place)
{
	size_t slot = k->slots ? slot_of(k, key) : 0;
	if (!k->slots || !k->table[slot])
		return false;
	*place = k->table[slot] - 1;
	return true;
}

/* The table stays at most half full. */
static void grow(struct bf_keys *k)
{
	if (k->count == k->room) {
		k->room = k->room ? 2 * k->room : 256;
		k->offset = bf_realloc_array(k->offset, k->room, sizeof(*k->offset));
	}
	if (2 * (k->count + 1) <= k->slots)
		return;
	k->slots = k->slots ? 2 * k->slots : 1024;
	free(k->table);
	k->table = bf_alloc(k->slots * sizeof(*k->table));
	for (size_t i = 0; i < k->count; i++)
		k->table[slot_of(k, bf_keys_at(k, i))] = (uint32_t)i + 1;
}

static int refuse(const struct bf_keys *k, const char *key, size_t len, const char *what, struct bf_error *err)
{
	BF_AUTOBUF struct bf_buf shown;
	bf_buf_init(&shown, 512);
	bf_text_quote(&shown, key, len, SHOWN_MAX);
	return bf_fail(err, BF_E_INPUT, "key number %zu: found %s, %s", k->count + 1, shown.data, what);
}

int bf_keys_add(struct bf_keys *k, const char *key, size_t len, struct bf_error *err)
{
	char expected[64];
	snprintf(expected, sizeof(expected), "expected text of 1 to %d bytes", BF_CHUNK_MAX);
	if (len == 0 || len > BF_CHUNK_MAX)
		return refuse(k, key, len, expected, err);
	if (!bf_utf8_valid(key, len))
		return refuse(k, key, len, "expected text in UTF-8 without NUL", err);
	grow(k);
	size_t at = k->text.len;
	if (k->count >= KEYS_MAX || bf_buf_add(&k->text, key, len) < 0 || bf_buf_addch(&k->text, '\0') < 0)
		return bf_fail(err, BF_E_LIMIT, "there are more keys than one run can have: at most %zu MiB of text", BF_KEYS_TEXT_MAX >> 20);
	size_t slot = slot_of(k, k->text.data + at);
	if (k->table[slot])
		return refuse(k, key, len, "which is there twice; expected each key once", err);
	k->offset[k->count++] = at;
	k->table[slot] = (uint32_t)k->count;
	return 0;
}

/* ---- from a query ---- */

struct reading {
	struct bf_keys *keys;
	struct bf_error *err;
	int rc;
};

static int take_row(void *data, const struct bf_pg_result *r)
{
	struct reading *reading = data;
	for (int i = 0; reading->rc == 0 && i < bf_pg_rows(r); i++) {
		const char *key = bf_pg_text(r, i, 0);
		if (bf_pg_null(r, i, 0))
			reading->rc = bf_fail(reading->err, BF_E_INPUT, "key number %zu: found null, expected a text", reading->keys->count + 1);
		else
			reading->rc = bf_keys_add(reading->keys, key, strlen(key), reading->err);
	}
	return reading->rc;
}

static int load_query(struct bf_keys *k, const struct bf_pipeline *p, const char *const *param_values, struct bf_pg *pg,
					  struct bf_error *err)
{
	BF_AUTOBUF struct bf_buf sql;
	struct reading reading = {.keys = k, .err = err};
	bf_buf_init(&sql, 2 * BF_SQL_FILE_MAX);
	const struct bf_query_vars vars = {.param_values = param_values};
	int rc = bf_pipeline_query(p, p->chunk.keys_sql.text, &vars, pg, &sql, err);
	if (rc == 0)
		rc = bf_pg_each_row(pg, sql.data, take_row, &reading, err);
	if (reading.rc < 0)
		rc = reading.rc;
	if (rc == -BF_E_SQL)
		err->code = BF_E_INPUT;
	return rc < 0 ? bf_error_prefix(err, "the keys of pipeline %s, %s", p->name, p->chunk.keys_sql.name) : 0;
}

int bf_keys_load(struct bf_keys *k, const struct bf_pipeline *pipeline, const char *const *param_values, struct bf_pg *pg,
				 struct bf_error *err)
{
	const struct bf_chunking *c = &pipeline->chunk;
	if (c->keys_sql.name)
		return load_query(k, pipeline, param_values, pg, err);
	int rc = bf_keys_read_file(k, c->keys_file, c->keys_array, c->keys_id, err);
	return rc < 0 ? bf_error_prefix(err, "the keys of pipeline %s, %s", pipeline->name, c->keys_file) : 0;
}

/* ---- --key ---- */

static int unknown_key(const struct bf_keys *k, const char *wanted, struct bf_error *err)
{
	BF_AUTOFREE const char **candidates = bf_realloc_array(NULL, CANDIDATES + 1, sizeof(*candidates));
	BF_AUTOBUF struct bf_buf shown;
	size_t n = 0;
	for (; n < k->count && n < CANDIDATES; n++)
		candidates[n] = bf_keys_at(k, n);
	candidates[n] = NULL;
	const char *near = bf_text_nearest(wanted, candidates);
	bf_buf_init(&shown, 1024);
	bf_text_quote(&shown, wanted, strlen(wanted), SHOWN_MAX);
	if (near) {
		bf_buf_addstr(&shown, " (did you mean ");
		bf_text_quote(&shown, near, strlen(near), SHOWN_MAX);
		bf_buf_addstr(&shown, "?)");
	}
	return bf_fail(err, BF_E_NOT_FOUND, "--key: found %s, expected one of the pipeline's %zu keys", shown.data, k->count);
}

int bf_keys_pick(const struct bf_keys *k, const char *const *wanted, size_t n, struct bf_keys *out, struct bf_error *err)
{
	BF_AUTOFREE bool *keep = bf_alloc(k->count * sizeof(*keep) + 1);
	int rc = 0;
	for (size_t i = 0; i < n; i++) {
		size_t place;
		if (!bf_keys_find(k, wanted[i], &place))
			return unknown_key(k, wanted[i], err);
		keep[place] = true;
	}
	for (size_t i = 0; rc == 0 && i < k->count; i++)
		if (keep[i])
			rc = bf_keys_add(out, bf_keys_at(k, i), strlen(bf_keys_at(k, i)), err);
	return rc;
}
