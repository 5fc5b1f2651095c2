#include "base/mem.h"
#include "core/pipeline_internal.h"

#define DAYS_DEFAULT       3
#define DAYS_MAX_DEFAULT   30
#define MONTHS_DEFAULT     1
#define MONTHS_MAX_DEFAULT 12
#define MONTHS_MAX         600

static const char *const chunk_fields[] = {"unit", "size", "max", "keys", NULL};
static const char *const keys_fields[] = {"sql", "file", "array", "id", NULL};
static const char *const unit_names[] = {"day", "month", NULL}; /* as enum bf_unit */

static void read_dates(struct bf_reader *r, const struct bf_at *at, json_t *object, struct bf_chunking *out)
{
	int unit = bf_read_choice(r, at, object, "unit", unit_names, BF_UNIT_DAY);
	bool by_month = unit == BF_UNIT_MONTH;

	out->unit = by_month ? BF_UNIT_MONTH : BF_UNIT_DAY;
	out->max = by_month ? MONTHS_MAX_DEFAULT : DAYS_MAX_DEFAULT;
	bf_read_int(r, at, object, "max", 1, by_month ? MONTHS_MAX : BF_RANGE_MAX_DAYS, &out->max);
	out->size = by_month ? MONTHS_DEFAULT : DAYS_DEFAULT;
	if (out->size > out->max)
		out->size = out->max;
	bf_read_int(r, at, object, "size", 1, out->max, &out->size);
}

static void read_text(struct bf_reader *r, const struct bf_at *at, json_t *keys, const char *field, char **out)
{
	*out = bf_strdup(bf_read_text(r, at, keys, field));
}

static void read_keys(struct bf_reader *r, const struct bf_at *up, json_t *object, struct bf_chunking *out)
{
	static const struct bf_sql_use use = {.keys = true, .single = true};
	struct bf_at at = bf_at_field(up, "keys"), sql = bf_at_field(&at, "sql"), file = bf_at_field(&at, "file");
	json_t *keys = bf_read_object(r, up, object, "keys", keys_fields);

	if (!keys)
		return;
	if (!json_object_get(keys, "sql") == !json_object_get(keys, "file")) {
		bf_problem(
			r, &at,
			"found %s, expected one of them: {\"sql\": \"keys.sql\"} or {\"file\": \"plan.json\", \"array\": \"sessions\", \"id\": \"id\"}",
			json_object_get(keys, "sql") ? "\"sql\" and \"file\"" : "neither \"sql\" nor \"file\"");
		return;
	}
	if (json_object_get(keys, "sql")) {
		if (json_object_get(keys, "array") || json_object_get(keys, "id"))
			bf_problem(r, &at, "found \"array\" or \"id\" beside \"sql\", expected them beside \"file\" only");
		bf_read_sql(r, &sql, json_object_get(keys, "sql"), &use, &out->keys_sql);
		return;
	}
	out->keys_file = bf_read_path(r, &file, json_object_get(keys, "file"));
	if (bf_require(r, &at, keys, "array", "the name of the array in the file"))
		read_text(r, &at, keys, "array", &out->keys_array);
	read_text(r, &at, keys, "id", &out->keys_id);
}

static void read_pipeline_chunk(struct bf_reader *r, const struct bf_at *at, json_t *chunk, struct bf_chunking *out)
{
	if (!json_object_get(chunk, "keys")) {
		read_dates(r, at, chunk, out);
		return;
	}
	*out = (struct bf_chunking){.by_key = true, .size = 1, .max = 1};
	if (json_object_get(chunk, "unit") || json_object_get(chunk, "size") || json_object_get(chunk, "max"))
		bf_problem(r, at, "found \"keys\" beside \"unit\", \"size\" or \"max\", expected keys or dates");
	read_keys(r, at, chunk, out);
}

void bf_read_chunking(struct bf_reader *r, const struct bf_at *up, json_t *object, bool of_step, struct bf_chunking *out)
{
	struct bf_at at = bf_at_field(up, "chunk");
	json_t *chunk = bf_read_object(r, up, object, "chunk", chunk_fields);

	if (!of_step)
		*out = (struct bf_chunking){.unit = BF_UNIT_DAY, .size = DAYS_DEFAULT, .max = DAYS_MAX_DEFAULT};
	if (!chunk)
		return;
	if (!of_step)
		read_pipeline_chunk(r, &at, chunk, out);
	else if (json_object_get(chunk, "keys"))
		bf_problem(r, &at, "found \"keys\", expected them in the pipeline's own \"chunk\" only");
	else if (out->by_key)
		bf_problem(r, &at, "found dates, expected no \"chunk\": this pipeline has keys, and its steps all have the same");
	else
		read_dates(r, &at, chunk, out);
}
