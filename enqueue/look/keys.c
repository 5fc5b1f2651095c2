/* Keys: the list that counts, what the ledger has of each, and what the steps' data says. */
#include "look/keys.h"

#include "base/mem.h"
#include "core/gaps.h"
#include "core/json_identity.h"
#include "core/stat.h"
#include "look/judge.h"

/* ---- the lists ---- */

static int list_from_ledger(const struct bf_subject *s, struct bf_key_list *list, struct bf_error *err)
{
	BF_AUTORESULT struct bf_pg_result *r = NULL;
	int rc = bf_stat_keys(s->look->pg, s->name, list->identity, &r, err);
	for (int i = 0; rc == 0 && i < bf_pg_rows(r); i++) {
		const char *key = bf_pg_text(r, i, 0);
		rc = bf_keys_add(&list->keys, key, strlen(key), err);
	}
	return rc;
}

/* The pipeline's own list. False: it cannot be read, which is said, and the list is empty. */
static bool list_from_file(const struct bf_subject *s, struct bf_key_list *list)
{
	struct bf_values v = bf_values_new(s->file);
	struct bf_error why;
	bool found = bf_values_find(s, list->identity, &v);
	int rc = found ? bf_keys_load(&list->keys, s->file, v.of, s->look->pg, &why) : 0;
	bf_values_free(&v);
	if (found && rc == 0)
		return true;
	if (found)
		bf_subject_not_asked(s, why.text);
	bf_keys_release(&list->keys);
	bf_keys_init(&list->keys);
	return false;
}

static int load_lists(const struct bf_subject *s, const struct bf_identities *identities, struct bf_key_coverage *c, struct bf_error *err)
{
	int rc = 0;
	c->lists = bf_alloc((identities->n + 1) * sizeof(*c->lists));
	c->listed = true;
	for (size_t i = 0; rc == 0 && i < identities->n; i++) {
		struct bf_key_list *list = &c->lists[c->n_lists++];
		list->identity = bf_strdup(identities->of[i]);
		bf_keys_init(&list->keys);
		list->listed = s->file && list_from_file(s, list);
		c->listed = c->listed && list->listed;
		if (!list->listed)
			rc = list_from_ledger(s, list, err);
	}
	return rc;
}

static const struct bf_key_list *list_of(const struct bf_key_coverage *c, const char *identity)
{
	for (size_t i = 0; i < c->n_lists; i++)
		if (bf_identity_same(c->lists[i].identity, identity))
			return &c->lists[i];
	return NULL;
}

/* ---- one section ---- */

static enum bf_day state_of(const char *what)
{
	return strcmp(what, "done") == 0 ? BF_DAY_DONE : strcmp(what, "running") == 0 ? BF_DAY_RUNNING : BF_DAY_FAILED;
}

static int ask_ledger(const struct bf_subject *s, struct bf_key_section *to, struct bf_error *err)
{
	const struct bf_keys *keys = &to->list->keys;
	int rc = 0;
	for (size_t at = 0; rc == 0 && at < keys->count;) {
		BF_AUTORESULT struct bf_pg_result *r = NULL;
		rc = bf_stat_key_states(s->look->pg, s->name, to->step, to->list->identity, keys, &at, &r, err);
		for (int i = 0; rc == 0 && i < bf_pg_rows(r); i++)
			memset(to->state + bf_pg_int(r, i, BF_KEY_STATES_FIRST), (int)state_of(bf_pg_text(r, i, BF_KEY_STATES_WHAT)),
				   (size_t)(bf_pg_int(r, i, BF_KEY_STATES_LAST) - bf_pg_int(r, i, BF_KEY_STATES_FIRST) + 1));
	}
	return rc;
}

/* As of days: what cannot be asked is said. */
static int ask_data(const struct bf_subject *s, const struct bf_step *step, const struct bf_values *v, struct bf_key_section *to,
					struct bf_error *err)
{
	const struct bf_gaps_ask ask = {.pipeline = s->file, .keys = &to->list->keys, .param_values = v->of};
	struct bf_gaps g;
	int rc = bf_gaps_load(s->look->pg, &ask, step, &g, err);
	for (size_t i = 0; rc == 0 && i < to->list->keys.count; i++)
		to->state[i] = (unsigned char)bf_judge_data((enum bf_day)to->state[i], &g, i);
	to->data = rc == 0;
	bf_gaps_release(&g);
	if (rc == -BF_E_INPUT)
		bf_subject_not_asked(s, err->text);
	return rc == -BF_E_INPUT ? 0 : rc;
}

static int fill(const struct bf_subject *s, struct bf_key_section *to, struct bf_error *err)
{
	const struct bf_step *step = s->file ? bf_pipeline_step(s->file, to->step) : NULL;
	int rc = ask_ledger(s, to, err);
	if (rc < 0 || !step || !bf_step_has_gaps(step))
		return rc;
	struct bf_values v = bf_values_new(s->file);
	if (bf_values_find(s, to->list->identity, &v))
		rc = ask_data(s, step, &v, to, err);
	bf_values_free(&v);
	return rc;
}

/* ---- all of them ---- */

static int add_section(const struct bf_subject *s, const char *step, const struct bf_key_list *list, struct bf_key_coverage *c,
					   struct bf_error *err)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->sections[i].list == list && strcmp(c->sections[i].step, step) == 0)
			return 0;
	c->sections = bf_realloc_array(c->sections, c->n + 1, sizeof(*c->sections));
	struct bf_key_section *to = &c->sections[c->n++];
	*to = (struct bf_key_section){.step = bf_strdup(step), .list = list, .state = bf_alloc(list->keys.count + 1)};
	memset(to->state, BF_DAY_MISSING, list->keys.count);
	int rc = fill(s, to, err);
	c->data = c->data || to->data;
	return rc;
}

/* The steps of the file with every identity, or without it those that runs had. */
static int add_sections(const struct bf_subject *s, const struct bf_pg_result *recorded, struct bf_key_coverage *c, struct bf_error *err)
{
	int rc = 0;
	for (int i = 0; rc == 0 && s->file && i < s->file->n_steps; i++)
		for (size_t k = 0; rc == 0 && k < c->n_lists && bf_subject_has_step(s, &s->file->steps[i]); k++)
			rc = add_section(s, s->file->steps[i].name, &c->lists[k], c, err);
	for (int i = 0; rc == 0 && !s->file && i < bf_pg_rows(recorded); i++) {
		const struct bf_key_list *list = list_of(c, bf_pg_text(recorded, i, 1));
		rc = list ? add_section(s, bf_pg_text(recorded, i, 0), list, c, err) : 0;
	}
	return rc;
}

int bf_key_coverage_load(const struct bf_subject *s, struct bf_key_coverage *out, struct bf_error *err)
{
	BF_AUTORESULT struct bf_pg_result *recorded = NULL;
	struct bf_identities identities = {.n = 0};
	*out = (struct bf_key_coverage){.n = 0};
	if (s->o->since.given || s->o->until.given)
		return bf_fail(err, BF_E_INPUT, "--since, --until: pipeline %s has keys, not dates; expected neither", s->name);
	int rc = bf_stat_key_sections(s->look->pg, s->name, s->o->step, &recorded, err);
	for (int i = 0; rc == 0 && i < bf_pg_rows(recorded); i++)
		bf_identities_add(&identities, s, bf_pg_text(recorded, i, 1));
	if (rc == 0) {
		bf_identities_complete(&identities, s);
		rc = load_lists(s, &identities, out, err);
	}
	if (rc == 0)
		rc = add_sections(s, recorded, out, err);
	bf_identities_release(&identities);
	if (rc < 0)
		bf_key_coverage_release(out);
	return rc;
}

void bf_key_coverage_release(struct bf_key_coverage *c)
{
	for (size_t i = 0; i < c->n; i++) {
		free(c->sections[i].step);
		free(c->sections[i].state);
	}
	for (size_t i = 0; i < c->n_lists; i++) {
		free(c->lists[i].identity);
		bf_keys_release(&c->lists[i].keys);
	}
	free(c->sections);
	free(c->lists);
	*c = (struct bf_key_coverage){.n = 0};
}

/* ---- counting ---- */

struct bf_day_counts bf_key_section_count(const struct bf_key_section *s)
{
	struct bf_day_counts n = {.asked = 0};
	int64_t of[BF_DAYS] = {0};
	for (size_t i = 0; i < s->list->keys.count; i++)
		of[s->state[i]]++;
	n = (struct bf_day_counts){.done = of[BF_DAY_DONE],
							   .running = of[BF_DAY_RUNNING],
							   .failed = of[BF_DAY_FAILED],
							   .missing = of[BF_DAY_MISSING],
							   .unrecorded = of[BF_DAY_UNRECORDED],
							   .gone = of[BF_DAY_GONE]};
	n.asked = (int64_t)s->list->keys.count - of[BF_DAY_NONE];
	return n;
}

int64_t bf_key_section_gaps(const struct bf_key_section *s)
{
	int64_t gaps = 0;
	for (size_t i = 0; i < s->list->keys.count; i++)
		gaps += bf_judge_is_gap((enum bf_day)s->state[i]);
	return gaps;
}

size_t bf_key_section_next(const struct bf_key_section *s, size_t place)
{
	while (place < s->list->keys.count && !bf_judge_is_gap((enum bf_day)s->state[place]))
		place++;
	return place;
}

void bf_key_coverage_of(struct bf_buf *out, const struct bf_subject *s, const struct bf_key_coverage *c)
{
	const struct bf_chunking *by = s->file ? &s->file->chunk : NULL;
	if (!c->listed || !by)
		bf_buf_addstr(out, "the keys that runs were asked for");
	else
		bf_buf_printf(out, "the keys of %s", by->keys_sql.name ? by->keys_sql.name : by->keys_file);
}
