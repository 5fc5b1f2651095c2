#include "steps/check_question.h"

#include "core/sqltext.h"
#include "steps/check_empty.h"

/* The first hundred of `v` in the table of this name, as a JSON array, and no more of them than 200,000 bytes. */
#define VIOLATIONS_OF(table)                                                                          \
	"(select jsonb_agg(v)::text from (select v, sum(octet_length(v::text)) over (order by n) as upto" \
	" from (select v, row_number() over () as n from " table " limit 100) as numbered) as summed where upto <= 200000)"

/* The query as a table; its own first line is the first of the text, and a comment may be its last. */
static void add_table(struct bf_buf *out, const struct bf_sql_file *file)
{
	bf_buf_addstr(out, "(");
	bf_buf_add(out, file->text, bf_sqltext_query_len(file->text));
	bf_buf_addstr(out, "\n)");
}

static void add_number_of(struct bf_buf *out, const struct bf_sql_file *file, const char *name)
{
	bf_buf_addstr(out, "(select count(*) as n, min(bf_figure::text collate \"C\") as figure from ");
	add_table(out, file);
	bf_buf_printf(out, " as yielded (bf_figure)) as %s", name);
}

static void ask_number(const struct bf_check *c, struct bf_buf *sql)
{
	bf_buf_addstr(sql, "select actual.n, actual.figure from ");
	add_number_of(sql, &c->query, "actual");
}

static void ask_equals(const struct bf_check *c, struct bf_buf *sql)
{
	if (c->expected_number) {
		ask_number(c, sql);
		return;
	}
	bf_buf_addstr(sql, "select actual.n, actual.figure, expected.n, expected.figure from ");
	add_number_of(sql, &c->query, "actual");
	bf_buf_addstr(sql, ", ");
	add_number_of(sql, &c->expected, "expected");
}

static void ask_row_count(const struct bf_check *c, struct bf_buf *sql)
{
	bf_buf_addstr(sql, "select 1, count(*) from ");
	add_table(sql, &c->query);
	bf_buf_addstr(sql, " as yielded");
}

/* A row that names itself a warning does not count as a violation. */
static void ask_rows(const struct bf_check *c, struct bf_buf *sql)
{
	bf_buf_addstr(sql, "with found as materialized (select to_jsonb(yielded) as v from ");
	add_table(sql, &c->query);
	bf_buf_addstr(sql,
				  " as yielded) select 1, count(*) filter (where v ->> 'severity' is distinct from 'warning'), 1, count(*), " VIOLATIONS_OF(
					  "found") " from found");
}

/* The age in ms; the query's value is read as PostgreSQL reads a time. */
static void ask_freshness(const struct bf_check *c, struct bf_buf *sql)
{
	bf_buf_addstr(sql, "select actual.n, trim_scale(extract(epoch from clock_timestamp() - actual.figure::timestamptz) * 1000) from ");
	add_number_of(sql, &c->query, "actual");
}

/* ---- coverage ---- */

static void add_column_of(struct bf_buf *sql, const struct bf_sql_file *file, const char *type)
{
	bf_buf_printf(sql, "select v::%s as v from ", type);
	add_table(sql, file);
	bf_buf_addstr(sql, " as yielded (v)");
}

/* What the runs of this pipeline were asked for in a step, or have done. */
static void add_ledger(struct bf_buf *sql, const struct bf_step *of, bool by_key, bool done)
{
	bf_buf_addstr(sql, by_key ? "select j.key as v" : "select d::date as v");
	bf_buf_addstr(sql,
				  " from bf.run me join bf.run r on r.pipeline = me.pipeline and r.identity = me.identity join bf.job j on j.run = r.run");
	if (!by_key)
		bf_buf_addstr(sql, " cross join generate_series(j.since, j.until, interval '1 day') as d");
	bf_buf_printf(sql, " where me.run = :'run' and (not r.trial or r.run = me.run) and j.step = '%s' and j.%s is not null", of->name,
				  by_key ? "key" : "since");
	if (done)
		bf_buf_addstr(sql, " and j.state = 'done'");
}

static void add_expected(const struct bf_step *of, const struct bf_check *c, bool by_key, struct bf_buf *sql)
{
	const struct bf_sql_file *file = of ? &of->expected : &c->expected;

	if (file->text)
		add_column_of(sql, file, by_key ? "text" : "date");
	else if (by_key)
		add_ledger(sql, of, by_key, false);
	else
		bf_buf_addstr(sql, "select d::date as v from generate_series(:'since'::date, :'until'::date, interval '1 day') as d");
}

static void add_present(const struct bf_step *of, const struct bf_check *c, bool by_key, struct bf_buf *sql)
{
	const struct bf_sql_file *file = of ? &of->present : &c->present;

	if (file->text)
		add_column_of(sql, file, by_key ? "text" : "date");
	else
		add_ledger(sql, of, by_key, true);
}

static void ask_coverage(const struct bf_job *j, const struct bf_check *c, struct bf_buf *sql)
{
	const struct bf_pipeline *p = j->def->pipeline;
	const struct bf_step *of = c->of >= 0 ? &p->steps[c->of] : NULL;
	bool by_key = p->chunk.by_key;

	bf_buf_addstr(sql, "with expected as materialized (");
	add_expected(of, c, by_key, sql);
	bf_buf_addstr(sql, "), present as materialized (");
	add_present(of, c, by_key, sql);
	bf_buf_printf(sql, "), wanted as materialized (select distinct v from expected%s), ",
				  by_key ? " where v is not null" : " where v between :'since'::date and :'until'::date");
	bf_buf_addstr(
		sql,
		"missing as materialized (select to_jsonb(w.v) as v, w.v as raw from wanted w"
		" where not exists (select from present p where p.v = w.v) order by w.v),"
		" counted as (select (select count(*) from wanted) as wanted, (select count(*) from missing) as missing)"
		" select case when exists (select from expected where v is null) then -1 else 1 end,"
		" case when wanted = 0 then 1 else trim_scale(div((wanted - missing) * 1e20, wanted) / 1e20) end, missing, wanted, " VIOLATIONS_OF(
			"missing") ","
					   " (select string_agg(raw::text, ', ') from (select raw from missing limit 5) as first_ones)");
	bf_buf_addstr(sql, by_key ? ", null, null" : ", (select min(raw) from missing), (select max(raw) from missing)");
	bf_buf_addstr(sql, " from counted");
}

/* ---- success rate ---- */

static void ask_success_rate(const struct bf_job *j, const struct bf_check *c, struct bf_buf *sql)
{
	bf_buf_addstr(sql, "with settled as materialized (select step, seq, chunk, state, error from bf.job where run = :'run'"
					   " and state in ('done', 'failed')");
	if (c->of >= 0)
		bf_buf_printf(sql, " and step = '%s'", j->def->pipeline->steps[c->of].name);
	else
		bf_buf_addstr(sql, " and step <> :'step'");
	bf_buf_addstr(sql, "), planned as materialized (select exists (select from bf.job where run = :'run'");
	if (c->of >= 0)
		bf_buf_printf(sql, " and step = '%s'", j->def->pipeline->steps[c->of].name);
	else
		bf_buf_addstr(sql, " and step <> :'step'");
	bf_buf_addstr(
		sql, ") as wanted), failed as (select jsonb_build_object('step', step, 'chunk', chunk, 'error', error) as v from settled"
			 " where state = 'failed' order by step, seq)"
			 " select case when count(*) > 0 then 1 when (select wanted from planned) then 0 else 2 end,"
			 " coalesce(trim_scale(avg((state = 'done')::int)), 1), count(*) filter (where state = 'failed'), count(*), " VIOLATIONS_OF(
				 "failed") " from settled");
}

void bf_check_question(const struct bf_job *j, const struct bf_check *c, struct bf_buf *sql)
{
	switch (c->type) {
	case BF_CHECK_METRIC:
	case BF_CHECK_RANGE:
		ask_number(c, sql);
		break;
	case BF_CHECK_EQUALS:
		ask_equals(c, sql);
		break;
	case BF_CHECK_ROW_COUNT:
		ask_row_count(c, sql);
		break;
	case BF_CHECK_ROWS:
		ask_rows(c, sql);
		break;
	case BF_CHECK_FRESHNESS:
		ask_freshness(c, sql);
		break;
	case BF_CHECK_COVERAGE:
		ask_coverage(j, c, sql);
		break;
	case BF_CHECK_SUCCESS_RATE:
		ask_success_rate(j, c, sql);
		break;
	case BF_CHECK_HTTP: /* check_outside.c */
	case BF_CHECK_JSON:
		break;
	}
	bf_check_ask_count(c, sql);
}
