/* Days from the ledger: what runs were asked for and what became of it, and the steps and identities that no run was asked for. */
#include "look/days.h"

#include "base/mem.h"
#include "core/gaps.h"
#include "core/json_identity.h"
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

/* ---- the range ---- */

static int check_range(const struct bf_days_options *o, struct bf_error *err)
{
	char since[BF_DATE_TEXT], until[BF_DATE_TEXT];
	if (!o->since.given || !o->until.given || o->until.day >= o->since.day)
		return 0;
	return bf_fail(err, BF_E_INPUT, "--until=%s is before --since=%s", bf_date_format(o->until.day, until),
				   bf_date_format(o->since.day, since));
}

/* All that was asked for, of whatever identity, or what the options say instead. */
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
	c->given = o->since.given && o->until.given;
	return 0;
}

void bf_coverage_range(struct bf_buf *out, const struct bf_coverage *c)
{
	char range[BF_RANGE_TEXT], days[28];
	int64_t n = c->until - c->since + 1;
	bf_buf_printf(out, "%s (%s %s), %s", bf_range_format(c->since, c->until, range), bf_text_group(n, days), n == 1 ? "day" : "days",
				  c->given ? "as given" : "the days that runs were asked for");
}

void bf_coverage_json_range(struct bf_json *j, const struct bf_coverage *c)
{
	char text[BF_DATE_TEXT];
	bf_json_text(j, "by", "day");
	bf_json_text(j, "since", c->n > 0 ? bf_date_format(c->since, text) : NULL);
	bf_json_text(j, "until", c->n > 0 ? bf_date_format(c->until, text) : NULL);
	bf_json_text(j, "range", c->given ? "given" : "asked");
}

/* ---- sections ---- */

static struct bf_section *new_section(struct bf_coverage *c, const char *step, const char *identity, bool whole)
{
	c->sections = bf_realloc_array(c->sections, c->n + 1, sizeof(*c->sections));
	struct bf_section *s = &c->sections[c->n++];
	*s = (struct bf_section){.step = bf_strdup(step), .identity = bf_strdup(identity)};
	bf_days_init(&s->days, c->since, c->until);
	if (whole)
		bf_days_mark(&s->days, c->since, c->until, BF_DAY_MISSING);
	return s;
}

static struct bf_section *section_for(struct bf_coverage *c, const struct piece *p, bool whole)
{
	struct bf_section *last = c->n > 0 ? &c->sections[c->n - 1] : NULL;
	bool same = last && strcmp(last->step, p->step) == 0 && strcmp(last->identity, p->identity) == 0;
	return same ? last : new_section(c, p->step, p->identity, whole);
}

static enum bf_day day_of(const char *what)
{
	for (int day = BF_DAY_FAILED; day < BF_DAYS; day++)
		if (strcmp(what, bf_day_name((enum bf_day)day)) == 0)
			return (enum bf_day)day;
	return BF_DAY_MISSING; /* asked for */
}

/* Each day counts where a range is judged, and of an identity that is asked about by name. */
static bool counts_all(const struct bf_subject *s)
{
	return s->o->since.given || s->o->until.given;
}

static int fill(const struct bf_subject *s, const struct bf_pg_result *r, struct bf_coverage *c, struct bf_error *err)
{
	for (int i = 0; i < bf_pg_rows(r); i++) {
		struct piece p;
		int rc = read_piece(r, i, &p, err);
		if (rc < 0)
			return rc;
		if (bf_subject_wants(s, p.identity))
			bf_days_mark(&section_for(c, &p, counts_all(s))->days, p.first, p.last, day_of(p.what));
	}
	return 0;
}

static bool has_section(const struct bf_coverage *c, const char *step, const char *identity)
{
	for (size_t i = 0; i < c->n; i++)
		if (strcmp(c->sections[i].step, step) == 0 && bf_identity_same(c->sections[i].identity, identity))
			return true;
	return false;
}

/* A check of coverage that asks by its own queries, not those of a step. */
static bool is_checked(const struct bf_subject *s, const struct bf_step *step)
{
	const struct bf_check *c = step->checks;
	return step->kind == BF_KIND_CHECK && c->type == BF_CHECK_COVERAGE && c->of < 0 && (!s->o->step || strcmp(s->o->step, step->name) == 0);
}

static void add_checked(const struct bf_subject *s, const struct bf_identities *identities, struct bf_coverage *c)
{
	for (int i = 0; i < s->file->n_steps; i++)
		for (size_t k = 0; is_checked(s, &s->file->steps[i]) && k < identities->n; k++)
			new_section(c, s->file->steps[i].name, identities->of[k], false)->checked = true;
}

/* Where all days count, those of a step that no run was asked for do, too; and what a step's data says is asked in any case. */
static void add_steps(const struct bf_subject *s, const struct bf_identities *identities, struct bf_coverage *c)
{
	bool whole = counts_all(s) || (bf_subject_gives_identity(s) && c->n == 0);
	for (int i = 0; i < s->file->n_steps; i++) {
		const struct bf_step *step = &s->file->steps[i];
		if (!bf_subject_has_step(s, step) || !(whole || bf_step_has_gaps(step)))
			continue;
		for (size_t k = 0; k < identities->n; k++)
			if (!has_section(c, step->name, identities->of[k]))
				(void)new_section(c, step->name, identities->of[k], whole);
	}
}

static int by_step(const struct bf_subject *s, const struct bf_section *section)
{
	const struct bf_step *step = s->file ? bf_pipeline_step(s->file, section->step) : NULL;
	return step ? step->ordinal : BF_STEPS_MAX;
}

/* The steps in the file's order, each with its identities in the order in which they came. */
static void sort_sections(const struct bf_subject *s, struct bf_coverage *c)
{
	for (size_t i = 1; i < c->n; i++) {
		struct bf_section moving = c->sections[i];
		size_t at = i;
		for (; at > 0 && by_step(s, &c->sections[at - 1]) > by_step(s, &moving); at--)
			c->sections[at] = c->sections[at - 1];
		c->sections[at] = moving;
	}
}

static int add_sections(const struct bf_subject *s, const struct bf_pg_result *r, bool with_checked, struct bf_coverage *c,
						struct bf_error *err)
{
	struct bf_identities identities = {.n = 0};
	int rc = fill(s, r, c, err);
	for (int i = 0; rc == 0 && i < bf_pg_rows(r); i++)
		bf_identities_add(&identities, s, bf_pg_text(r, i, BF_COVERAGE_IDENTITY));
	if (rc == 0 && s->file) {
		bf_identities_complete(&identities, s);
		add_steps(s, &identities, c);
		if (with_checked)
			add_checked(s, &identities, c);
		sort_sections(s, c);
	}
	bf_identities_release(&identities);
	return rc;
}

static int nothing_to_judge(const struct bf_subject *s, struct bf_error *err)
{
	return s->known ? 0 : bf_fail(err, BF_E_INPUT, "pipeline %s has no run yet; expected --since=DATE and --until=DATE", s->name);
}

int bf_coverage_load(const struct bf_subject *s, bool with_checked, struct bf_coverage *out, struct bf_error *err)
{
	BF_AUTORESULT struct bf_pg_result *r = NULL;
	*out = (struct bf_coverage){.n = 0};
	int rc = check_range(s->o, err);
	if (rc == 0)
		rc = bf_stat_coverage(s->look->pg, s->name, s->o->step, &r, err);
	if (rc == 0)
		rc = find_range(r, s->o, out, err);
	if (rc == 0 && bf_pg_rows(r) == 0 && !out->given)
		return nothing_to_judge(s, err);
	if (rc == 0 && out->until >= out->since)
		rc = add_sections(s, r, with_checked, out, err);
	if (rc == 0 && out->n == 0 && !s->file && s->o->param.count > 0)
		rc = bf_fail(err, BF_E_NOT_FOUND, "--param: no run of pipeline %s has %s, and the pipeline's file is not at hand", s->name,
					 s->o->param.items[0]);
	if (rc == 0 && s->file)
		rc = bf_coverage_add_data(s, out, err);
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
