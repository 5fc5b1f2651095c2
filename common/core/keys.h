/*
 * The keys of a pipeline that is cut by keys instead of dates: read once, when a run is planned, and frozen with it.
 *
 * They come from the pipeline's query (run on a connection that cannot write) or from its JSON file, and keep the order they are given
 * in. A key that is null, empty, longer than BF_CHUNK_MAX bytes, not UTF-8, or there twice is an input error that says which one.
 */
#ifndef BF_CORE_KEYS_H
#define BF_CORE_KEYS_H

#include "base/buf.h"
#include "base/error.h"
#include "core/pipeline.h"
#include "io/pg.h"

#define BF_KEYS_TEXT_MAX ((size_t)128 << 20) /* bytes of all keys of one run */
#define BF_KEYS_FILE_MAX ((size_t)64 << 20)  /* bytes of a JSON file of keys */

struct bf_keys {
	struct bf_buf text; /* each with a NUL */
	size_t *offset;     /* of each in text */
	size_t count, room;
	uint32_t *table; /* open addressing: place + 1, or 0 */
	size_t slots;
};

void bf_keys_init(struct bf_keys *k);
void bf_keys_release(struct bf_keys *k);
const char *bf_keys_at(const struct bf_keys *k, size_t place);

/* Appends a key. -BF_E_INPUT as above; -BF_E_LIMIT when there are too many. */
int bf_keys_add(struct bf_keys *k, const char *key, size_t len, struct bf_error *err);
bool bf_keys_find(const struct bf_keys *k, const char *key, size_t *place);

/* pg: a connection for the query; not used when the keys are in a file. param_values: one for each of the pipeline's parameters. */
int bf_keys_load(struct bf_keys *k, const struct bf_pipeline *pipeline, const char *const *param_values, struct bf_pg *pg,
				 struct bf_error *err);

/* Adds the wanted ones of `k` to `out`, in the order of `k`. An unknown one is an error that suggests the near one. */
int bf_keys_pick(const struct bf_keys *k, const char *const *wanted, size_t n, struct bf_keys *out, struct bf_error *err);

/* Reads a JSON file: the array `array`, whose elements are texts or numbers, or objects with the member `id`. (pipeline_keys.c) */
int bf_keys_read_file(struct bf_keys *k, const char *path, const char *array, const char *id, struct bf_error *err);

#endif
