/* `bfstat plan PIPELINE`: the graph of a pipeline's steps, as a table or as a picture (Mermaid). No server is asked. */
#include <unistd.h>

#include "base/duration.h"
#include "base/mem.h"
#include "core/pipeline.h"
#include "look/look.h"

struct options {
	bool json, mermaid;
};

/* How many steps have to be over, one after the other, before each may begin. */
struct stages {
	int of[BF_STEPS_MAX];
	int last;
};

static int stage_of(const struct bf_pipeline *p, int i, struct stages *s)
{
	if (s->of[i] > 0)
		return s->of[i];
	int stage = 1;
	for (size_t n = 0; n < p->steps[i].n_needs; n++) {
		int before = stage_of(p, p->steps[i].needs[n], s);
		stage = before + 1 > stage ? before + 1 : stage;
	}
	s->last = stage > s->last ? stage : s->last;
	return s->of[i] = stage;
}

static bool is_needed(const struct bf_pipeline *p, int i)
{
	for (int k = 0; k < p->n_steps; k++)
		for (size_t n = 0; n < p->steps[k].n_needs; n++)
			if (p->steps[k].needs[n] == i)
				return true;
	return false;
}

/* ---- what a step does, in a few words ---- */

static void add_work(struct bf_buf *out, const struct bf_step *s)
{
	if (s->per == BF_PER_RUN)
		bf_buf_addstr(out, "once");
	else if (s->chunk.by_key)
		bf_buf_addstr(out, "each key");
	else if (s->chunk.size == 1)
		bf_buf_addstr(out, s->chunk.unit == BF_UNIT_MONTH ? "each month" : "each day");
	else
		bf_buf_printf(out, "%d %s at a time", s->chunk.size, s->chunk.unit == BF_UNIT_MONTH ? "months" : "days");
	if (bf_step_chronological(s))
		bf_buf_addstr(out, ", one by one");
	if (s->order == BF_ORDER_DESC)
		bf_buf_addstr(out, ", last first");
	if (s->lookback > 0)
		bf_buf_printf(out, ", looks back %d %s", s->lookback, s->chunk.by_key ? "keys" : "days");
	if (s->expected.name || s->present.name)
		bf_buf_addstr(out, ", only what is missing");
}

static void add_check(struct bf_buf *out, const struct bf_pipeline *p, const struct bf_check *c)
{
	bf_buf_addstr(out, bf_check_type_name(c->type));
	if (c->of >= 0)
		bf_buf_printf(out, " of %s", p->steps[c->of].name);
	if (c->error_if.op != BF_CMP_NONE)
		bf_buf_printf(out, ", fails if %s", c->error_if.text);
}

static void describe(struct bf_buf *out, const struct bf_pipeline *p, const struct bf_step *s)
{
	char every[BF_DURATION_TEXT], lasts[BF_DURATION_TEXT];
	bf_buf_addstr(out, "");
	switch (s->kind) {
	case BF_KIND_SQL:
	case BF_KIND_EXEC:
	case BF_KIND_HTTP:
	case BF_KIND_NOOP:
		add_work(out, s);
		break;
	case BF_KIND_CHECK:
		add_check(out, p, s->checks);
		break;
	case BF_KIND_SOAK:
		bf_buf_printf(out, "%zu check%s each %s for %s", s->n_checks, s->n_checks == 1 ? "" : "s",
					  bf_duration_format(s->soak.interval_ms, every), bf_duration_format(s->soak.duration_ms, lasts));
		break;
	case BF_KIND_APPROVAL:
		if (s->approval.timeout_ms > 0)
			bf_buf_printf(out, "within %s, else %s", bf_duration_format(s->approval.timeout_ms, lasts),
						  s->approval.approve_on_timeout ? "approved" : "rejected");
		break;
	}
}

/* Does each chunk wait for the same chunk of this need, or all for all of it? */
static bool waits_by_chunk(const struct bf_pipeline *p, const struct bf_step *s, size_t n)
{
	return s->wait_for_chunk && p->steps[s->needs[n]].per == BF_PER_CHUNK;
}

static void add_needs(struct bf_buf *out, const struct bf_pipeline *p, const struct bf_step *s)
{
	bf_buf_addstr(out, "");
	for (size_t n = 0; n < s->n_needs; n++)
		bf_buf_printf(out, "%s%s%s", n ? ", " : "", waits_by_chunk(p, s, n) ? "each chunk of " : "", p->steps[s->needs[n]].name);
}

/* What a failure of it means for what comes after. */
static const char *consequence(const struct bf_pipeline *p, const struct bf_step *s)
{
	if (!is_needed(p, s->ordinal))
		return "";
	if (s->max_failed_ratio >= 0)
		return "beyond its ratio, what comes after is skipped";
	return s->on_failure == BF_HALT ? "what comes after is skipped" : "what comes after goes on";
}

/* ---- the table ---- */

static void step_row(struct bf_table *table, const struct bf_pipeline *p, const struct bf_step *s, int stage, bool first)
{
	BF_AUTOBUF struct bf_buf what;
	BF_AUTOBUF struct bf_buf needs;
	bf_buf_init(&what, 4096);
	bf_buf_init(&needs, (size_t)BF_STEPS_MAX * (BF_NAME_MAX + 3));
	describe(&what, p, s);
	add_needs(&needs, p, s);
	bf_table_row(table);
	if (first)
		bf_table_number(table, BF_DIM, stage);
	else
		bf_table_cell(table, BF_DIM, "");
	bf_table_cell(table, BF_STRONG, s->name);
	bf_table_cellf(table, BF_PLAIN, "%s%s", bf_kind_name(s->kind), s->kind == BF_KIND_CHECK && is_needed(p, s->ordinal) ? " (gate)" : "");
	bf_table_cell(table, BF_PLAIN, what.data);
	bf_table_cell(table, BF_PLAIN, needs.data);
	bf_table_cell(table, BF_DIM, consequence(p, s));
}

static void print_table(const struct bf_pipeline *p, const struct stages *stages)
{
	static const struct bf_column columns[] = {{.title = "STAGE", .right = true},
											   {.title = "STEP"},
											   {.title = "KIND"},
											   {.title = "WHAT", .elastic = true},
											   {.title = "AFTER", .elastic = true},
											   {.title = "IF IT FAILS", .rank = 1, .elastic = true}};
	struct bf_term t;
	bf_term_init(&t, STDOUT_FILENO);
	BF_AUTOFREE char *about = bf_term_shown(p->description);
	printf("%s%s%s%s%s\n\n", bf_tone_on(&t, BF_STRONG), p->name, bf_tone_off(&t, BF_STRONG), *about ? ": " : "", about);
	BF_AUTOTABLE struct bf_table *table = bf_table_new(&t, columns, BF_COUNT_OF(columns));
	for (int stage = 1; stage <= stages->last; stage++) {
		bool first = true;
		for (int i = 0; i < p->n_steps; i++) {
			if (stages->of[i] != stage)
				continue;
			step_row(table, p, &p->steps[i], stage, first);
			first = false;
		}
	}
	bf_table_print(table, stdout);
}

/* ---- Mermaid: https://mermaid.js.org/syntax/flowchart.html ---- */

/* A name that Mermaid takes for one, whatever it is: "end" would not be. */
static void print_id(const struct bf_step *s)
{
	printf("s%d", s->ordinal);
}

static void print_text(const char *text)
{
	for (; *text; text++) {
		if (*text == '"')
			fputs("#quot;", stdout);
		else if (*text == '<')
			fputs("&lt;", stdout);
		else if (*text == '>')
			fputs("&gt;", stdout);
		else
			putchar(*text);
	}
}

static void print_node(const struct bf_pipeline *p, const struct bf_step *s)
{
	static const char *const shapes[][2] = {
		[BF_KIND_SQL] = {"[\"", "\"]"},  [BF_KIND_EXEC] = {"[\"", "\"]"},     [BF_KIND_CHECK] = {"{{\"", "\"}}"},
		[BF_KIND_NOOP] = {"[\"", "\"]"}, [BF_KIND_APPROVAL] = {"{\"", "\"}"}, [BF_KIND_SOAK] = {"[/\"", "\"/]"},
		[BF_KIND_HTTP] = {"[\"", "\"]"}};
	BF_AUTOBUF struct bf_buf what;
	bf_buf_init(&what, 4096);
	describe(&what, p, s);
	printf("    ");
	print_id(s);
	printf("%s%s<br/>%s", shapes[s->kind][0], s->name, bf_kind_name(s->kind));
	if (what.len > 0)
		printf(": ");
	BF_AUTOFREE char *shown = bf_term_shown(what.data);
	print_text(shown);
	printf("%s\n", shapes[s->kind][1]);
}

static void print_mermaid(const struct bf_pipeline *p)
{
	printf("flowchart TD\n");
	for (int i = 0; i < p->n_steps; i++)
		print_node(p, &p->steps[i]);
	for (int i = 0; i < p->n_steps; i++) {
		for (size_t n = 0; n < p->steps[i].n_needs; n++) {
			const struct bf_step *need = &p->steps[p->steps[i].needs[n]];
			printf("    ");
			print_id(need);
			printf(" %s%s ", need->on_failure == BF_CONTINUE ? "-.->" : "-->", waits_by_chunk(p, &p->steps[i], n) ? "|each chunk|" : "");
			print_id(&p->steps[i]);
			putchar('\n');
		}
	}
}

/* ---- JSON ---- */

static void print_json(const struct bf_pipeline *p, const struct stages *stages)
{
	struct bf_json j;
	bf_json_begin(&j, stdout);
	bf_json_text(&j, "pipeline", p->name);
	bf_json_text_or_null(&j, "description", p->description);
	bf_json_array(&j, "steps");
	for (int i = 0; i < p->n_steps; i++) {
		const struct bf_step *s = &p->steps[i];
		BF_AUTOBUF struct bf_buf what;
		bf_buf_init(&what, 4096);
		describe(&what, p, s);
		bf_json_object(&j, NULL);
		bf_json_text(&j, "step", s->name);
		bf_json_text(&j, "kind", bf_kind_name(s->kind));
		bf_json_int(&j, "stage", stages->of[i]);
		bf_json_bool(&j, "gate", s->kind == BF_KIND_CHECK && is_needed(p, i));
		bf_json_text_or_null(&j, "about", what.data);
		bf_json_text(&j, "wait_for", s->wait_for_chunk ? "chunk" : "step");
		bf_json_array(&j, "needs");
		for (size_t n = 0; n < s->n_needs; n++)
			bf_json_text(&j, NULL, p->steps[s->needs[n]].name);
		bf_json_close(&j);
		bf_json_close(&j);
	}
	bf_json_close(&j);
	bf_json_end(&j);
}

static int load(const char *name, struct bf_pipeline **out, struct bf_error *err)
{
	BF_AUTOFREE char *path = NULL;
	int rc = bf_pipeline_find(name, &path, err);
	return rc < 0 ? rc : bf_pipeline_load_file(path, out, err);
}

static int run_plan(const struct bf_command *command, int argc, char **argv)
{
	struct options o = {.json = false};
	struct bf_pipeline *p = NULL;
	struct stages stages = {.last = 0};
	struct bf_error err;
	BF_AUTOFREE const char **args = bf_alloc((size_t)(argc + 1) * sizeof(*args));
	int n_args, exit_code = 0;
	if (!bf_command_parse(command, argc, argv, &o, args, &n_args, &exit_code))
		return exit_code;
	if (o.json && o.mermaid) {
		(void)bf_fail(&err, BF_E_INPUT, "--mermaid: found beside --json, expected one of the two");
		return bf_program_fail(&err);
	}
	if (load(args[0], &p, &err) < 0)
		return bf_program_fail(&err);
	for (int i = 0; i < p->n_steps; i++)
		(void)stage_of(p, i, &stages);
	if (o.mermaid)
		print_mermaid(p);
	else if (o.json)
		print_json(p, &stages);
	else
		print_table(p, &stages);
	bf_pipeline_free(p);
	return 0;
}

static const struct bf_opt options[] = {
	{.name = "mermaid", .type = BF_OPT_FLAG, .offset = offsetof(struct options, mermaid), .help = "as a flowchart in Mermaid's notation"},
	{.name = "json", .type = BF_OPT_FLAG, .offset = offsetof(struct options, json), .help = "print JSON (docs/bfstat-json.md)"},
	{.name = NULL}};

static const struct bf_example examples[] = {
	{"bfstat plan daily-sales", "step by step"},
	{"bfstat plan daily-sales --mermaid", "as a flowchart"},
	{NULL, NULL},
};

static const struct bf_command command_plan = {
	.name = "plan",
	.synopsis = "bfstat plan PIPELINE [OPTION…]",
	.summary = "the steps of a pipeline: what each does, after which, and what its failure means",
	.details = "PIPELINE is a name or a file, as for `enqueue run`. Steps of the same stage may run side by side.",
	.examples = examples,
	.options = options,
	.min_args = 1,
	.max_args = 1};

const struct bf_entry bf_look_plan = {&command_plan, run_plan};
