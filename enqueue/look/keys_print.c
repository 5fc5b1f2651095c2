/* `bfstat coverage` and `bfstat gaps` of a pipeline of keys. */
#include "look/keys_print.h"

#include "base/mem.h"
#include "look/stale.h"
#include "render/bar.h"

#define SHOWN_DEFAULT 20 /* missing keys of a step, in coverage */

static int64_t there(const struct bf_day_counts *n)
{
	return n->done + n->unrecorded;
}

static const char *key_at(const struct bf_key_section *s, size_t place)
{
	return bf_keys_at(&s->list->keys, place);
}

static const char *state_at(const struct bf_key_section *s, size_t place)
{
	return bf_day_name((enum bf_day)s->state[place]);
}

/* ---- coverage, as text ---- */

static void print_missing(const struct bf_subject *s, const struct bf_key_section *k)
{
	BF_AUTOBUF struct bf_buf key;
	int64_t limit = s->o->limit > 0 ? s->o->limit : SHOWN_DEFAULT, left = bf_key_section_gaps(k);
	size_t at = bf_key_section_next(k, 0);
	char more[28];
	bf_buf_init(&key, 8192);
	for (int64_t shown = 0; shown < limit && left > 0; shown++, left--) {
		bf_buf_clear(&key);
		bf_term_one_line(&key, key_at(k, at));
		printf("  %s %s\n", key.data, state_at(k, at));
		at = bf_key_section_next(k, at + 1);
	}
	if (left > 0)
		printf("  and %s more: bfstat gaps %s --step=%s\n", bf_text_group(left, more), s->name, k->step);
}

static void print_section(const struct bf_subject *s, const struct bf_key_section *k)
{
	const struct bf_term *t = &s->look->term;
	BF_AUTOBUF struct bf_buf name, percent;
	struct bf_day_counts n = bf_key_section_count(k);
	char done[28], asked[28];
	bf_buf_init(&name, 1u << 16);
	bf_buf_init(&percent, 64);
	bf_subject_section(&name, k->step, k->list->identity);
	bf_percent_text(&percent, there(&n), n.asked);
	printf("%s%s%s  %s: %s of %s %s %s\n", bf_tone_on(t, BF_STRONG), name.data, bf_tone_off(t, BF_STRONG), percent.data,
		   bf_text_group(there(&n), done), bf_text_group(n.asked, asked), n.asked == 1 ? "key" : "keys", k->data ? "there" : "done");
	print_missing(s, k);
}

static void add_row(struct bf_table *table, const struct bf_key_section *k, bool data)
{
	BF_AUTOBUF struct bf_buf name, percent;
	struct bf_day_counts n = bf_key_section_count(k);
	bf_buf_init(&name, 1u << 16);
	bf_buf_init(&percent, 64);
	bf_subject_section(&name, k->step, k->list->identity);
	bf_percent_text(&percent, there(&n), n.asked);
	bf_table_row(table);
	bf_table_cell(table, BF_PLAIN, name.data);
	bf_table_number(table, BF_PLAIN, n.asked);
	bf_table_number(table, BF_GOOD, n.done);
	bf_table_number(table, BF_BUSY, n.running);
	bf_table_number(table, BF_BAD, n.failed);
	bf_table_number(table, BF_CARE, n.missing);
	if (data) {
		bf_table_number(table, BF_PLAIN, n.unrecorded);
		bf_table_number(table, BF_BAD, n.gone);
	}
	bf_table_cell(table, there(&n) == n.asked ? BF_GOOD : BF_PLAIN, percent.data);
}

static void print_table(const struct bf_term *t, const struct bf_key_coverage *c)
{
	static const struct bf_column columns[] = {{.title = "STEP", .elastic = true}, {.title = "ASKED", .right = true},
											   {.title = "DONE", .right = true},   {.title = "RUNNING", .right = true, .rank = 1},
											   {.title = "FAILED", .right = true}, {.title = "MISSING", .right = true},
											   {.title = "DONE %", .right = true}};
	static const struct bf_column with_data[] = {{.title = "STEP", .elastic = true},       {.title = "EXPECTED", .right = true},
												 {.title = "DONE", .right = true},         {.title = "RUNNING", .right = true, .rank = 1},
												 {.title = "FAILED", .right = true},       {.title = "MISSING", .right = true},
												 {.title = "NOT RECORDED", .right = true}, {.title = "GONE", .right = true},
												 {.title = "THERE %", .right = true}};
	BF_AUTOTABLE struct bf_table *table =
		bf_table_new(t, c->data ? with_data : columns, c->data ? BF_COUNT_OF(with_data) : BF_COUNT_OF(columns));
	for (size_t i = 0; i < c->n; i++)
		add_row(table, &c->sections[i], c->data);
	putchar('\n');
	bf_table_print(table, stdout);
}

static void print_coverage(const struct bf_subject *s, const struct bf_key_coverage *c)
{
	BF_AUTOBUF struct bf_buf of;
	bf_buf_init(&of, 8192);
	bf_key_coverage_of(&of, s, c);
	if (c->n == 0) {
		printf("There are no keys of %s to show: no step of it works key by key.\n", s->name);
		return;
	}
	printf("Judged: %s\n\n", of.data);
	for (size_t i = 0; i < c->n; i++)
		print_section(s, &c->sections[i]);
	print_table(&s->look->term, c);
}

/* ---- JSON ---- */

static void json_counts(struct bf_json *j, const struct bf_key_section *k)
{
	struct bf_day_counts n = bf_key_section_count(k);
	bf_json_int(j, "asked", n.asked);
	bf_json_int(j, "done", n.done);
	bf_json_int(j, "running", n.running);
	bf_json_int(j, "failed", n.failed);
	bf_json_int(j, "missing", n.missing);
	bf_json_int(j, "not_recorded", n.unrecorded);
	bf_json_int(j, "gone", n.gone);
	bf_json_number(j, "percent", n.asked > 0 ? 100.0 * (double)there(&n) / (double)n.asked : 0);
}

static void json_section(struct bf_json *j, const struct bf_key_section *k)
{
	bf_json_object(j, NULL);
	bf_json_text(j, "step", k->step);
	bf_json_raw(j, "identity", k->list->identity);
	bf_json_bool(j, "data_asked", k->data);
	json_counts(j, k);
	bf_json_close(j);
}

static void begin_json(const struct bf_subject *s, const struct bf_key_coverage *c, struct bf_json *j)
{
	bf_json_begin(j, stdout);
	bf_json_text(j, "pipeline", s->name);
	bf_json_text(j, "by", "key");
	bf_json_text(j, "keys", c->listed ? "listed" : "asked");
}

static void json_coverage(const struct bf_subject *s, const struct bf_key_coverage *c, const struct bf_stale *stale)
{
	struct bf_json j;
	begin_json(s, c, &j);
	bf_json_array(&j, "steps");
	for (size_t i = 0; i < c->n; i++)
		json_section(&j, &c->sections[i]);
	bf_json_close(&j);
	bf_stale_json(&j, stale);
	bf_look_json_end(s->look, &j);
}

int bf_keys_coverage(const struct bf_subject *s, struct bf_error *err)
{
	struct bf_key_coverage c;
	struct bf_stale stale;
	int rc = bf_key_coverage_load(s, &c, err);
	if (rc < 0)
		return rc;
	rc = bf_stale_load(s->look, s->name, s->o->step, &stale, err);
	if (rc == 0 && s->o->json) {
		json_coverage(s, &c, &stale);
	} else if (rc == 0) {
		print_coverage(s, &c);
		bf_stale_print(&s->look->term, s->name, &stale);
	}
	bf_stale_release(&stale);
	bf_key_coverage_release(&c);
	return rc;
}

/* ---- gaps ---- */

struct page {
	const struct bf_subject *s;
	const struct bf_key_coverage *c;
	struct bf_json *json; /* NULL: as text */
	int64_t shown, all, asked;
};

static void json_gap(struct bf_json *j, const struct bf_key_section *k, size_t place)
{
	bf_json_object(j, NULL);
	bf_json_text(j, "step", k->step);
	bf_json_raw(j, "identity", k->list->identity);
	bf_json_text(j, "key", key_at(k, place));
	bf_json_text(j, "state", state_at(k, place));
	bf_json_close(j);
}

static void print_gap(const struct bf_key_section *k, size_t place, bool alone)
{
	BF_AUTOBUF struct bf_buf name, key;
	bf_buf_init(&name, 1u << 16);
	bf_buf_init(&key, 8192);
	bf_term_one_line(&key, key_at(k, place));
	if (alone) {
		puts(key.data);
		return;
	}
	bf_subject_section(&name, k->step, k->list->identity);
	printf("%s\t%s\n", name.data, key.data);
}

static void show_gaps(struct page *p, const struct bf_key_section *k, size_t from)
{
	int64_t limit = p->s->o->limit;
	for (size_t at = bf_key_section_next(k, from); at < k->list->keys.count; at = bf_key_section_next(k, at + 1)) {
		if (limit > 0 && p->shown == limit)
			return;
		if (p->json)
			json_gap(p->json, k, at);
		else
			print_gap(k, at, p->c->n == 1);
		p->shown++;
	}
}

/* Where a page begins: behind a key of the one list that is shown. */
static int find_after(const struct page *p, size_t *from, struct bf_error *err)
{
	const char *after = p->s->o->after;
	*from = 0;
	if (!after)
		return 0;
	if (p->c->n != 1)
		return bf_fail(err, BF_E_INPUT, "--after: found %zu lists of keys, expected one: --step=STEP%s", p->c->n,
					   p->c->n_lists > 1 ? " and --param=NAME=VALUE" : "");
	if (!bf_keys_find(&p->c->sections[0].list->keys, after, from))
		return bf_refuse_option("--after", after, "a key of the list, such as the last one of the page before", err);
	++*from;
	return 0;
}

static void say_counts(const struct page *p)
{
	BF_AUTOBUF struct bf_buf of;
	char all[28], asked[28], shown[28];
	bf_buf_init(&of, 8192);
	bf_key_coverage_of(&of, p->s, p->c);
	fprintf(stderr, "bfstat: %s of %s keys are not done", bf_text_group(p->all, all), bf_text_group(p->asked, asked));
	if (p->shown < p->all)
		fprintf(stderr, "; %s are shown", bf_text_group(p->shown, shown));
	fprintf(stderr, " (of %s)\n", of.data);
}

static int print_page(struct page *p, struct bf_error *err)
{
	size_t from;
	int rc = find_after(p, &from, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < p->c->n; i++) {
		struct bf_day_counts n = bf_key_section_count(&p->c->sections[i]);
		p->all += bf_key_section_gaps(&p->c->sections[i]);
		p->asked += n.asked;
	}
	if (p->json) {
		begin_json(p->s, p->c, p->json);
		bf_json_int(p->json, "asked", p->asked);
		bf_json_int(p->json, "missing", p->all);
		bf_json_array(p->json, "gaps");
	}
	for (size_t i = 0; i < p->c->n; i++)
		show_gaps(p, &p->c->sections[i], from);
	return 0;
}

int bf_keys_gaps(const struct bf_subject *s, struct bf_error *err)
{
	struct bf_key_coverage c;
	struct bf_json j;
	int rc = bf_key_coverage_load(s, &c, err);
	if (rc < 0)
		return rc;
	struct page page = {.s = s, .c = &c, .json = s->o->json ? &j : NULL};
	rc = print_page(&page, err);
	if (rc == 0 && page.json) {
		bf_json_close(&j);
		bf_look_json_end(s->look, &j);
	} else if (rc == 0) {
		say_counts(&page);
	}
	bf_key_coverage_release(&c);
	return rc;
}
