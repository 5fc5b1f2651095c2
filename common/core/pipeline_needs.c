#include "base/mem.h"
#include "core/pipeline_internal.h"

int bf_step_ordinal(const struct bf_reader *r, const char *name)
{
	for (int i = 0; *name && i < r->p->n_steps; i++)
		if (strcmp(r->step_names[i], name) == 0)
			return i;
	return -1;
}

static bool has_need(const struct bf_step *s, int ordinal)
{
	for (size_t i = 0; i < s->n_needs; i++)
		if (s->needs[i] == ordinal)
			return true;
	return false;
}

static void read_need(struct bf_reader *r, const struct bf_at *at, json_t *need, struct bf_step *s)
{
	const char *name = json_string_value(need);
	int ordinal;

	if (!name) {
		bf_problem_found(r, at, need, "the name of a step of this file");
		return;
	}
	ordinal = bf_step_ordinal(r, name);
	if (ordinal < 0)
		bf_problem_word(r, at, name, "the name of a step of this file", r->step_names);
	else if (has_need(s, ordinal))
		bf_problem_found(r, at, need, "each step once");
	else
		s->needs[s->n_needs++] = ordinal;
}

void bf_read_needs(struct bf_reader *r, const struct bf_at *up, json_t *object, struct bf_step *s)
{
	struct bf_at at = bf_at_field(up, "needs");
	json_t *needs = bf_read(r, up, object, "needs", JSON_ARRAY), *need;
	size_t i;

	if (!json_object_get(object, "needs") && s->ordinal > 0) {
		s->needs = bf_realloc_array(NULL, 1, sizeof(*s->needs));
		s->needs[s->n_needs++] = s->ordinal - 1;
	}
	if (json_array_size(needs) == 0)
		return;
	s->needs = bf_realloc_array(NULL, json_array_size(needs), sizeof(*s->needs));
	json_array_foreach (needs, i, need) {
		struct bf_at element = bf_at_index(&at, i);

		read_need(r, &element, need, s);
	}
}

/* A walk along the needs. A step that is met while it is on the way closes a cycle. */
struct walk {
	struct bf_reader *r;
	enum { UNSEEN, ON_THE_WAY, SEEN } state[BF_STEPS_MAX];
	int way[BF_STEPS_MAX];
	int length;
};

static void report_cycle(const struct walk *w, int closing)
{
	BF_AUTOBUF struct bf_buf text;
	struct bf_at steps = bf_at_field(NULL, "steps"), step = bf_at_index(&steps, (size_t)closing), at = bf_at_field(&step, "needs");
	int from = 0;

	bf_buf_init(&text, BF_ERROR_TEXT_MAX);
	while (w->way[from] != closing)
		from++;
	for (int i = from; i < w->length; i++)
		bf_buf_printf(&text, "%s -> ", w->r->step_names[w->way[i]]);
	bf_problem(w->r, &at, "found a cycle: %s%s, expected that no step needs itself", text.data, w->r->step_names[closing]);
}

static void visit(struct walk *w, int i) /* depth: at most BF_STEPS_MAX */
{
	const struct bf_step *s = &w->r->p->steps[i];

	w->state[i] = ON_THE_WAY;
	w->way[w->length++] = i;
	for (size_t n = 0; n < s->n_needs; n++) {
		if (w->state[s->needs[n]] == ON_THE_WAY)
			report_cycle(w, s->needs[n]);
		else if (w->state[s->needs[n]] == UNSEEN)
			visit(w, s->needs[n]);
	}
	w->length--;
	w->state[i] = SEEN;
}

void bf_check_cycles(struct bf_reader *r)
{
	struct walk w = {.r = r};

	for (int i = 0; i < r->p->n_steps; i++)
		if (w.state[i] == UNSEEN)
			visit(&w, i);
}

/* ---- "wait_for": "chunk" ---- */

static const char *cutting(const struct bf_chunking *c, char *out, size_t size)
{
	snprintf(out, size, "%d %s%s", c->size, c->unit == BF_UNIT_MONTH ? "month" : "day", c->size == 1 ? "" : "s");
	return out;
}

static bool same_grid(const struct bf_chunking *a, const struct bf_chunking *b)
{
	return a->unit == b->unit && a->size == b->size;
}

static void check_wait(struct bf_reader *r, const struct bf_at *at, const struct bf_step *s, const struct bf_step *need)
{
	char own[40], other[40];

	if (!same_grid(&s->chunk, &need->chunk))
		bf_problem(r, at, "found \"chunk\" although %s is cut by %s and this step by %s, expected the same \"chunk\", or \"step\"",
				   need->name, cutting(&need->chunk, other, sizeof(other)), cutting(&s->chunk, own, sizeof(own)));
	if (s->order != need->order)
		bf_problem(r, at, "found \"chunk\" although %s has another \"order\", expected the same: else the first would wait for the last",
				   need->name);
	if (need->split)
		bf_problem(r, at, "found \"chunk\" although %s has \"split\", whose halves come after all other chunks, expected \"step\"",
				   need->name);
}

/* What comes before a step that waits for chunks tells when one of its own is settled, for others may be left out of a run. */
static void mark_feeds(struct bf_pipeline *p, const struct bf_step *s)
{
	for (size_t i = 0; i < s->n_needs; i++) {
		struct bf_step *need = &p->steps[s->needs[i]];

		if (need->feeds_chunks)
			continue;
		need->feeds_chunks = true;
		mark_feeds(p, need);
	}
}

void bf_check_waits(struct bf_reader *r)
{
	struct bf_at steps = bf_at_field(NULL, "steps");

	for (int i = 0; i < r->p->n_steps; i++) {
		struct bf_step *s = &r->p->steps[i];
		struct bf_at step = bf_at_index(&steps, (size_t)i), at = bf_at_field(&step, "wait_for");
		bool any = false;

		if (!s->wait_for_chunk || s->per == BF_PER_RUN)
			continue;
		for (size_t n = 0; n < s->n_needs; n++) {
			const struct bf_step *need = &r->p->steps[s->needs[n]];

			if (need->per == BF_PER_CHUNK)
				check_wait(r, &at, s, need);
			any = any || need->per == BF_PER_CHUNK;
		}
		if (!any)
			bf_problem(r, &at,
					   "found \"chunk\", but nothing that this step needs has chunks, expected such a step in \"needs\", or \"step\"");
		mark_feeds(r->p, s);
	}
}
