#include <stddef.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/show.h"
#include "change/commands.h"
#include "core/keys.h"
#include "render/json.h"
#include "render/table.h"

#define WORD_MAX ((size_t)1 << 16) /* bytes of a path, as a shell takes it */

struct options {
	bool json;
};

static const struct bf_opt options[] = {
	{"json", NULL, BF_OPT_FLAG, offsetof(struct options, json), NULL, "print the outcome as JSON", 0, 0, NULL},
	{NULL, NULL, BF_OPT_FLAG, 0, NULL, NULL, 0, 0, NULL},
};

static const struct bf_example examples[] = {
	{"enqueue validate daily-sales", "a name, which is looked up in BF_PIPELINES"},
	{"enqueue validate ./daily-sales/pipeline.json", "a file"},
	{NULL, NULL},
};

const struct bf_command bf_command_validate = {
	.name = "validate",
	.synopsis = "enqueue validate PIPELINE [--json]",
	.summary = "check a pipeline file, its SQL files and its programs",
	.details = "Needs no server. Every problem is reported, one a line.",
	.options = options,
	.min_args = 1,
	.max_args = 1,
	.examples = examples,
};

static void needs_text(const struct bf_pipeline *p, const struct bf_step *s, struct bf_buf *out)
{
	for (size_t i = 0; i < s->n_needs; i++)
		bf_buf_printf(out, "%s%s", i ? ", " : "", p->steps[s->needs[i]].name);
	bf_buf_addstr(out, s->wait_for_chunk ? " (by chunks)" : "");
}

static void chunk_text(const struct bf_step *s, struct bf_buf *out)
{
	if (s->per == BF_PER_RUN)
		bf_buf_addstr(out, "whole run");
	else if (s->chunk.by_key)
		bf_buf_addstr(out, "key");
	else
		bf_buf_printf(out, "%d %s%s", s->chunk.size, s->chunk.unit == BF_UNIT_MONTH ? "month" : "day", s->chunk.size == 1 ? "" : "s");
}

static void print_steps(const struct bf_pipeline *p)
{
	static const struct bf_column columns[] = {{"STEP", false, 0, false},  {"KIND", false, 0, false},  {"CHUNK", false, 1, false},
											   {"ORDER", false, 3, false}, {"NEEDS", false, 2, false}, {"GUARANTEE", false, 0, false}};
	struct bf_term t;
	bf_term_init(&t, STDOUT_FILENO);
	BF_AUTOTABLE struct bf_table *table = bf_table_new(&t, columns, BF_COUNT_OF(columns));
	for (int i = 0; i < p->n_steps; i++) {
		const struct bf_step *s = &p->steps[i];
		BF_AUTOBUF struct bf_buf needs, chunk;
		bf_buf_init(&needs, 4096);
		bf_buf_init(&chunk, 64);
		needs_text(p, s, &needs);
		chunk_text(s, &chunk);
		bf_table_row(table);
		bf_table_cell(table, BF_STRONG, s->name);
		bf_table_cell(table, BF_PLAIN, bf_kind_name(s->kind));
		bf_table_cell(table, BF_PLAIN, chunk.data);
		bf_table_cell(table, BF_PLAIN, bf_step_chronological(s) ? "one by one" : s->order == BF_ORDER_DESC ? "desc" : "asc");
		bf_table_cell(table, BF_PLAIN, needs.data);
		bf_table_cell(table, BF_PLAIN, bf_guarantee(s));
	}
	bf_table_indent(table, 2);
	bf_table_print(table, stdout);
}

static void print_text(const struct bf_pipeline *p, const char *given, const char *path, const struct bf_keys *keys)
{
	BF_AUTOFREE const char **files = bf_files_checked(p);
	BF_AUTOFREE char *shown = bf_term_shown(path);
	BF_AUTOBUF struct bf_buf word;
	char number[32];
	printf("%s is fine: pipeline %s, %d step%s.\n\n", shown, p->name, p->n_steps, p->n_steps == 1 ? "" : "s");
	print_steps(p);
	if (p->chunk.keys_file)
		printf("\nKeys: %s in %s.\n", bf_text_group((int64_t)keys->count, number), p->chunk.keys_file);
	printf("\n%s", files[0] ? "Files checked:" : "");
	for (size_t i = 0; files[i]; i++)
		printf("%s %s", i ? "," : "", files[i]);
	printf("%s", files[0] ? ".\n" : "");
	bf_buf_init(&word, WORD_MAX);
	bf_show_word(&word, given);
	printf("What a run would do: enqueue run %s%s --dry-run\n", word.data, p->chunk.by_key ? "" : " --since=DATE --until=DATE");
}

/* {pipeline, file, steps [{step, kind, per, chunk, order, chronological, needs [], wait_for, guarantee}], files []} */
static void print_json(const struct bf_pipeline *p, const char *path)
{
	BF_AUTOFREE const char **files = bf_files_checked(p);
	struct bf_json j;
	bf_json_begin(&j, stdout);
	bf_json_text(&j, "pipeline", p->name);
	bf_json_text(&j, "file", path);
	bf_json_array(&j, "steps");
	for (int i = 0; i < p->n_steps; i++) {
		const struct bf_step *s = &p->steps[i];
		BF_AUTOBUF struct bf_buf chunk;
		bf_buf_init(&chunk, 64);
		chunk_text(s, &chunk);
		bf_json_object(&j, NULL);
		bf_json_text(&j, "step", s->name);
		bf_json_text(&j, "kind", bf_kind_name(s->kind));
		bf_json_text(&j, "per", s->per == BF_PER_RUN ? "run" : "chunk");
		bf_json_text(&j, "chunk", chunk.data);
		bf_json_text(&j, "order", s->order == BF_ORDER_DESC ? "desc" : "asc");
		bf_json_bool(&j, "chronological", bf_step_chronological(s));
		bf_json_array(&j, "needs");
		for (size_t k = 0; k < s->n_needs; k++)
			bf_json_text(&j, NULL, p->steps[s->needs[k]].name);
		bf_json_close(&j);
		bf_json_text(&j, "wait_for", s->wait_for_chunk ? "chunk" : "step");
		bf_json_text(&j, "guarantee", bf_guarantee(s));
		bf_json_close(&j);
	}
	bf_json_close(&j);
	bf_json_array(&j, "files");
	for (size_t i = 0; files[i]; i++)
		bf_json_text(&j, NULL, files[i]);
	bf_json_close(&j);
	bf_json_end(&j);
}

int bf_validate_main(const struct bf_command *command, int argc, char **argv)
{
	BF_AUTOFREE const char **args = bf_alloc(((size_t)argc + 1) * sizeof(*args));
	BF_AUTOFREE char *path = NULL;
	struct options o = {.json = false};
	struct bf_pipeline *p = NULL;
	struct bf_keys keys;
	struct bf_error err;
	int n_args, code;
	if (!bf_command_parse(command, argc, argv, &o, args, &n_args, &code))
		return code;
	bf_keys_init(&keys);
	int rc = bf_pipeline_find(args[0], &path, &err);
	if (rc == 0)
		rc = bf_pipeline_load_file(path, &p, &err);
	if (rc == 0 && p->chunk.keys_file)
		rc = bf_keys_load(&keys, p, NULL, NULL, &err);
	if (rc == 0 && o.json)
		print_json(p, path);
	else if (rc == 0)
		print_text(p, args[0], path, &keys);
	bf_keys_release(&keys);
	bf_pipeline_free(p);
	return rc < 0 ? bf_program_fail(&err) : 0;
}
