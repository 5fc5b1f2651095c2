/* `bfstat health`: is the installation well? For people, for monitors that read health+json, and for Nagios. */
#include <inttypes.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/wrap.h"
#include "look/health.h"

struct options {
	bool json, nagios;
};

static int exit_code_of(const struct bf_health_report *r, const struct options *o)
{
	return o->nagios ? (int)r->status : r->status == BF_FAIL;
}

/* ---- for people ---- */

/* "queue default", "workers" */
static void add_name(struct bf_buf *out, const struct bf_finding *f)
{
	bool is_queue = strcmp(f->component, "queue") == 0;
	bf_buf_printf(out, "%s%s%s", f->component, is_queue ? " " : "", is_queue ? f->name : "");
}

static int widest_name(const struct bf_health_report *r)
{
	int widest = 0;
	for (size_t i = 0; i < r->n; i++) {
		BF_AUTOBUF struct bf_buf name;
		bf_buf_init(&name, 256);
		add_name(&name, &r->list[i]);
		widest = (int)name.len > widest ? (int)name.len : widest;
	}
	return widest;
}

/* A finding may end in a command: it is broken into lines, never cut. */
static void print_finding(const struct bf_term *t, const struct bf_finding *f, int name_width)
{
	static const enum bf_tone tones[] = {[BF_PASS] = BF_GOOD, [BF_WARN] = BF_CARE, [BF_FAIL] = BF_BAD};
	BF_AUTOBUF struct bf_buf name, text, lines;
	int column = 4 + 2 + name_width + 2;
	bf_buf_init(&name, 256);
	bf_buf_init(&text, 4096);
	bf_buf_init(&lines, 8192);
	add_name(&name, f);
	bf_term_one_line(&text, f->text);
	bf_wrap_words(&lines, text.data, text.len, t->width, column, column);
	printf("%s%s%s  %-*s  %s\n", bf_tone_on(t, tones[f->status]), bf_health_name(f->status), bf_tone_off(t, tones[f->status]), name_width,
		   name.data, lines.data);
}

/* What is wrong stands first. */
static void print_text(const struct bf_look *l, const struct bf_health_report *r)
{
	int name_width = widest_name(r);
	for (int status = BF_FAIL; status >= BF_PASS; status--)
		for (size_t i = 0; i < r->n; i++)
			if ((int)r->list[i].status == status)
				print_finding(&l->term, &r->list[i], name_width);
}

/* ---- health+json ---- */

static void add_check(struct bf_json *j, const struct bf_finding *f, int64_t now_ms)
{
	bf_json_object(j, NULL);
	bf_json_text_or_null(j, "componentId", f->name);
	bf_json_text(j, "status", bf_health_name(f->status));
	if (f->value >= 0)
		bf_json_int(j, "observedValue", f->value);
	else
		bf_json_null(j, "observedValue");
	bf_json_text(j, "observedUnit", f->unit);
	bf_json_time(j, "time", now_ms);
	bf_json_text(j, "output", f->text);
	bf_json_close(j);
}

/* The findings of one component are an array under its name. */
static void print_json(const struct bf_look *l, const struct bf_health_report *r)
{
	struct bf_json j;
	int64_t now_ms = bf_wall_ms();
	bf_json_begin(&j, stdout);
	bf_json_text(&j, "status", bf_health_name(r->status));
	bf_json_text(&j, "version", "1");
	bf_json_text(&j, "releaseId", BF_VERSION);
	bf_json_object(&j, "checks");
	for (size_t i = 0; i < r->n; i++) {
		bool first = i == 0 || strcmp(r->list[i].component, r->list[i - 1].component) != 0;
		bool last = i + 1 == r->n || strcmp(r->list[i].component, r->list[i + 1].component) != 0;
		if (first)
			bf_json_array(&j, r->list[i].component);
		add_check(&j, &r->list[i], now_ms);
		if (last)
			bf_json_close(&j);
	}
	bf_json_close(&j);
	bf_look_json_end(l, &j);
}

/* ---- for Nagios ---- */

static void add_figure(struct bf_buf *out, const char *name, int64_t value)
{
	if (value >= 0)
		bf_buf_printf(out, " %s=%" PRId64, name, value);
}

/* One line: the status, what is worst, and the figures behind a bar. */
static void print_nagios(const struct bf_health_report *r)
{
	static const char *const words[] = {[BF_PASS] = "OK", [BF_WARN] = "WARNING", [BF_FAIL] = "CRITICAL"};
	BF_AUTOBUF struct bf_buf line, figures;
	bf_buf_init(&line, 1u << 16);
	bf_buf_init(&figures, 4096);
	bf_buf_printf(&line, "BACKFILL %s -", words[r->status]);
	for (size_t i = 0; i < r->n; i++)
		if (r->list[i].status == r->status && (r->status != BF_PASS || strcmp(r->list[i].component, "workers") == 0)) {
			BF_AUTOBUF struct bf_buf text;
			bf_buf_init(&text, 4096);
			bf_term_one_line(&text, r->list[i].text);
			for (char *bar = text.data; (bar = strchr(bar, '|'));) /* Nagios ends the text there */
				*bar = '/';
			bf_buf_printf(&line, " %s: %s.", r->list[i].component, text.data);
		}
	add_figure(&figures, "workers", r->workers);
	add_figure(&figures, "slots", r->slots);
	add_figure(&figures, "busy", r->busy);
	add_figure(&figures, "ready", r->ready);
	add_figure(&figures, "failed", r->failed);
	add_figure(&figures, "waiting", r->waiting);
	add_figure(&figures, "stalled", r->stalled);
	add_figure(&figures, "differences", r->differences);
	printf("%s |%s\n", line.data, figures.data);
}

static int run_health(const struct bf_command *command, int argc, char **argv)
{
	struct options o = {.json = false};
	struct bf_look look = {.pg = NULL};
	BF_AUTOFREE const char **args = bf_alloc((size_t)(argc + 1) * sizeof(*args));
	BF_AUTOFREE struct bf_health_report *report = bf_alloc(sizeof(*report));
	int n_args, exit_code = 0;
	if (!bf_command_parse(command, argc, argv, &o, args, &n_args, &exit_code))
		return exit_code;
	if (!bf_look_open(&look, BF_LEDGER | BF_QUEUE, &exit_code) && (!o.nagios || exit_code != 5))
		return exit_code;
	bf_health_look(&look, report);
	if (o.json)
		print_json(&look, report);
	else if (o.nagios)
		print_nagios(report);
	else
		print_text(&look, report);
	bf_look_close(&look);
	return exit_code_of(report, &o);
}

static const struct bf_opt options[] = {
	{.name = "json",
	 .type = BF_OPT_FLAG,
	 .offset = offsetof(struct options, json),
	 .help = "print health+json: status pass, warn or fail (docs/bfstat-json.md)"},
	{.name = "nagios",
	 .type = BF_OPT_FLAG,
	 .offset = offsetof(struct options, nagios),
	 .help = "print one line with figures for Nagios, and end with its exit codes: 0 OK, 1 WARNING, 2 CRITICAL"},
	{.name = NULL}};

static const struct bf_example examples[] = {
	{"bfstat health", "servers, workers, queues, runs; what is wrong stands first"},
	{"bfstat health --json | jq -r .status", "pass, warn or fail"},
	{"bfstat health --nagios", "a plugin's one line"},
	{NULL, NULL},
};

static const struct bf_command command_health = {
	.name = "health",
	.synopsis = "bfstat health [OPTION…]",
	.summary = "is it well: servers, workers, queues, runs, and whether Redis and the ledger agree",
	.details = "Exit code: 0 it is well, or there is a warning; 1 something is wrong: a server is away, nobody works on what is "
			   "ready, a run stands still; 5 neither server can be reached.",
	.options = options,
	.examples = examples};

const struct bf_entry bf_look_health = {&command_health, run_health};
