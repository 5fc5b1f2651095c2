#include "core/gaps.h"

#include "base/mem.h"
#include "core/pipeline_query.h"

#define SHOWN_MAX 60

enum { EXPECTED = 1, PRESENT = 2 };

bool bf_step_has_gaps(const struct bf_step *s)
{
	return s->expected.name || s->present.name;
}

void bf_gaps_release(struct bf_gaps *g)
{
	free(g->marks);
	*g = (struct bf_gaps){.n = 0};
}

bool bf_gaps_expected(const struct bf_gaps *g, size_t place)
{
	return !g->has_expected || (g->marks[place] & EXPECTED);
}

bool bf_gaps_present(const struct bf_gaps *g, size_t place)
{
	return g->marks[place] & PRESENT;
}

/* ---- one query ---- */

struct reading {
	const struct bf_gaps_ask *ask;
	struct bf_gaps *gaps;
	unsigned char mark;
	int64_t rows;
	struct bf_error *err;
	int rc;
};

/* The place of a value, or one that is not asked about (gaps->n). */
static int place_of(const struct reading *r, const char *value, size_t *place)
{
	bf_date day;
	*place = r->gaps->n;
	if (r->ask->keys) {
		size_t at;
		if (bf_keys_find(r->ask->keys, value, &at))
			*place = at;
		return 0;
	}
	if (bf_date_parse(value, &day, NULL) < 0)
		return bf_fail(r->err, BF_E_INPUT, "row %lld: found \"%.*s\", expected a date", (long long)r->rows, SHOWN_MAX, value);
	if (day >= r->ask->since && day <= r->ask->until)
		*place = (size_t)(day - r->ask->since);
	return 0;
}

static int take(struct reading *r, const char *value)
{
	size_t place;
	int rc = place_of(r, value, &place);
	if (rc < 0 || place == r->gaps->n)
		return rc;
	if (r->mark == EXPECTED && (r->gaps->marks[place] & EXPECTED))
		return bf_fail(r->err, BF_E_INPUT, "row %lld: found %.*s for the second time, expected each once (SELECT DISTINCT)",
					   (long long)r->rows, SHOWN_MAX, value);
	r->gaps->marks[place] |= r->mark;
	return 0;
}

static int take_rows(void *data, const struct bf_pg_result *result)
{
	struct reading *r = data;
	for (int i = 0; r->rc == 0 && i < bf_pg_rows(result); i++) {
		r->rows++;
		if (bf_pg_null(result, i, 0))
			r->rc = bf_fail(r->err, BF_E_INPUT, "row %lld: found null, expected a %s", (long long)r->rows, r->ask->keys ? "key" : "date");
		else
			r->rc = take(r, bf_pg_text(result, i, 0));
	}
	return r->rc;
}

static int read_query(struct bf_pg *pg, const struct bf_gaps_ask *ask, const struct bf_step *s, const struct bf_sql_file *file,
					  unsigned char mark, struct bf_gaps *out, struct bf_error *err)
{
	BF_AUTOBUF struct bf_buf sql;
	char since[BF_DATE_TEXT], until[BF_DATE_TEXT];
	struct reading reading = {.ask = ask, .gaps = out, .mark = mark, .err = err};
	const struct bf_query_vars vars = {.since = ask->keys ? NULL : bf_date_format(ask->since, since),
									   .until = ask->keys ? NULL : bf_date_format(ask->until, until),
									   .param_values = ask->param_values};
	bf_buf_init(&sql, 2 * BF_SQL_FILE_MAX);
	int rc = bf_pipeline_query(ask->pipeline, file->text, &vars, pg, &sql, err);
	if (rc == 0)
		rc = bf_pg_each_row(pg, sql.data, take_rows, &reading, err);
	if (reading.rc < 0)
		rc = reading.rc;
	if (rc == -BF_E_SQL) {
		err->code = BF_E_INPUT;
		rc = -BF_E_INPUT;
	}
	return rc < 0 ? bf_error_prefix(err, "step %s, %s, %s", s->name, mark == EXPECTED ? "expected" : "present", file->name) : 0;
}

int bf_gaps_load(struct bf_pg *pg, const struct bf_gaps_ask *ask, const struct bf_step *s, struct bf_gaps *out, struct bf_error *err)
{
	int rc = 0;
	*out = (struct bf_gaps){.has_expected = s->expected.name, .has_present = s->present.name};
	out->n = ask->keys ? ask->keys->count : (size_t)(ask->until - ask->since + 1);
	out->marks = bf_alloc(out->n + 1);
	if (out->has_expected)
		rc = read_query(pg, ask, s, &s->expected, EXPECTED, out, err);
	if (rc == 0 && out->has_present)
		rc = read_query(pg, ask, s, &s->present, PRESENT, out, err);
	for (size_t i = 0; i < out->n; i++)
		out->expected += bf_gaps_expected(out, i);
	return rc;
}
