#include "look/days.h"

#include "base/mem.h"
#include "core/stat.h"

struct piece { /* a row of the statement */
	const char *step, *identity, *what;
	bf_date first, last;
};

static int read_piece(const struct bf_pg_result *r, int i, struct piece *out, struct bf_error *err)
{
	*out = (struct piece){.step = bf_pg_text(r, i, BF_COVERAGE_STEP),
						  .identity = bf_pg_text(r, i, BF_COVERAGE_IDENTITY),
						  .what = bf_pg_text(r, i, BF_COVERAGE_WHAT)};
	int rc = bf_date_parse(bf_pg_text(r, i, BF_COVERAGE_FIRST), &out->first, err);
	return rc < 0 ? rc : bf_date_parse(bf_pg_text(r, i, BF_COVERAGE_LAST), &out->last, err);
}

/* All that was asked for, or what the options say instead. */
static int find_range(const struct bf_pg_result *r, const struct bf_days_options *o, struct bf_coverage *c, struct bf_error *err)
{
	for (int i = 0; i < bf_pg_rows(r); i++) {
		struct piece p;
		int rc = read_piece(r, i, &p, err);
		if (rc < 0)
			return rc;
		c->since = i == 0 || p.first < c->since ? p.first : c->since;
		c->until = i == 0 || p.last > c->until ? p.last : c->until;
	}
	if (o->since.given)
		c->since = o->since.day;
	if (o->until.given)
		c->until = o->until.day;
	return 0;
}

static struct bf_section *section_for(struct bf_coverage *c, const struct piece *p, bool whole)
{
	struct bf_section *last = c->n > 0 ? &c->sections[c->n - 1] : NULL;
	if (last && strcmp(last->step, p->step) == 0 && strcmp(last->identity, p->identity) == 0)
		return last;
	struct bf_section *s = &c->sections[c->n++];
	*s = (struct bf_section){.step = bf_strdup(p->step), .identity = bf_strdup(p->identity)};
	bf_days_init(&s->days, c->since, c->until);
	if (whole)
		bf_days_mark(&s->days, c->since, c->until, BF_DAY_MISSING);
	return s;
}

static enum bf_day day_of(const char *what)
{
	for (int day = BF_DAY_FAILED; day < BF_DAYS; day++)
		if (strcmp(what, bf_day_name((enum bf_day)day)) == 0)
			return (enum bf_day)day;
	return BF_DAY_MISSING; /* asked for */
}

static int fill(const struct bf_pg_result *r, bool whole, struct bf_coverage *c, struct bf_error *err)
{
	c->sections = bf_alloc(((size_t)bf_pg_rows(r) + 1) * sizeof(*c->sections));
	for (int i = 0; i < bf_pg_rows(r); i++) {
		struct piece p;
		int rc = read_piece(r, i, &p, err);
		if (rc < 0)
			return rc;
		bf_days_mark(&section_for(c, &p, whole)->days, p.first, p.last, day_of(p.what));
	}
	return 0;
}

int bf_coverage_load(struct bf_look *l, const char *pipeline, const struct bf_days_options *o, struct bf_coverage *out,
					 struct bf_error *err)
{
	BF_AUTORESULT struct bf_pg_result *r = NULL;
	char since[BF_DATE_TEXT], until[BF_DATE_TEXT];
	*out = (struct bf_coverage){.n = 0};
	if (o->since.given && o->until.given && o->until.day < o->since.day)
		return bf_fail(err, BF_E_INPUT, "--until=%s is before --since=%s", bf_date_format(o->until.day, until),
					   bf_date_format(o->since.day, since));
	struct bf_error unknown;
	int found = bf_look_find_pipeline(l, pipeline, o->step, &unknown);
	int rc = found == 0 || found == -BF_E_NOT_FOUND ? 0 : found;
	if (rc == 0)
		rc = bf_stat_coverage(l->pg, pipeline, o->step, &r, err);
	if (rc == 0)
		rc = find_range(r, o, out, err);
	if (rc == 0 && bf_pg_rows(r) > 0 && out->until >= out->since)
		rc = fill(r, o->since.given || o->until.given, out, err);
	if (rc == 0)
		rc = bf_coverage_add_data(l, pipeline, o, found == 0, out, err);
	if (rc == 0 && found < 0 && !out->data) { /* nobody knows it */
		*err = unknown;
		rc = found;
	}
	if (rc < 0)
		bf_coverage_release(out);
	return rc;
}

void bf_coverage_release(struct bf_coverage *c)
{
	for (size_t i = 0; i < c->n; i++) {
		free(c->sections[i].step);
		free(c->sections[i].identity);
		bf_days_release(&c->sections[i].days);
	}
	free(c->sections);
	*c = (struct bf_coverage){.n = 0};
}

void bf_section_name(struct bf_buf *out, const struct bf_section *s)
{
	bf_buf_addstr(out, s->step);
	if (strcmp(s->identity, "{}") != 0)
		bf_buf_printf(out, " %s", s->identity);
}

const struct bf_opt bf_days_opts[] = {
	{.name = "since",
	 .type = BF_OPT_DATE,
	 .offset = offsetof(struct bf_days_options, since),
	 .value = "DATE",
	 .help = "from this day on, whether a run was asked for it or not"},
	{.name = "until", .type = BF_OPT_DATE, .offset = offsetof(struct bf_days_options, until), .value = "DATE", .help = "up to this day"},
	{.name = "step",
	 .type = BF_OPT_TEXT,
	 .offset = offsetof(struct bf_days_options, step),
	 .value = "STEP",
	 .help = "only this step (default: all that work on days)"},
	{.name = "param",
	 .type = BF_OPT_LIST,
	 .offset = offsetof(struct bf_days_options, param),
	 .value = "NAME=VALUE",
	 .help = "a parameter of the pipeline, for its queries of what is expected and present; may be given again"},
	{.name = "json", .type = BF_OPT_FLAG, .offset = offsetof(struct bf_days_options, json), .help = "print JSON (docs/bfstat-json.md)"},
	{.name = NULL}};
