/* `enqueue close RUN`: nothing more comes of what failed in a run; it is kept, and needs no attention any more. */
#include <stddef.h>

#include "base/mem.h"
#include "change/commands.h"
#include "core/decide.h"
#include "render/json.h"
#include "shared/find.h"
#include "shared/servers.h"

#define NOTE_MAX 4000

struct options {
	const char *note;
	bool json;
};

#define OPTION(field) offsetof(struct options, field)

static const struct bf_opt options[] = {
	{"note", NULL, BF_OPT_TEXT, OPTION(note), "TEXT", "why nothing more comes of it; kept with the event", 0, 0, NULL},
	{"json", NULL, BF_OPT_FLAG, OPTION(json), NULL, "print the outcome as JSON", 0, 0, NULL},
	{NULL, NULL, BF_OPT_FLAG, 0, NULL, NULL, 0, 0, NULL},
};

static const struct bf_example examples[] = {
	{"enqueue close daily-sales.k3v9qa --note='the source has no such days'", "the run stays failed, and asks for nobody"},
	{NULL, NULL},
};

const struct bf_command bf_command_close = {
	.name = "close",
	.synopsis = "enqueue close RUN --note=TEXT [OPTION…]",
	.summary = "nothing more comes of what failed in a run: it needs no attention any more",
	.details = "The run stays failed, with all that is recorded of it; who closed it, when and why is kept, and `bfstat` shows it. What it "
			   "has not\n"
			   "done stays missing, and a new run takes it. `enqueue retry RUN` opens it again.",
	.options = options,
	.min_args = 1,
	.max_args = 1,
	.examples = examples,
};

static int check_note(const struct options *o, struct bf_error *err)
{
	if (!o->note || !*o->note)
		return bf_fail(err, BF_E_INPUT, "--note is missing; expected --note=TEXT: why nothing more comes of it");
	if (strlen(o->note) > NOTE_MAX)
		return bf_fail(err, BF_E_INPUT, "--note: found %zu bytes, expected at most %d", strlen(o->note), NOTE_MAX);
	return 0;
}

static void print_closed(const char *run, const char *state, bool json)
{
	struct bf_json j;
	if (!json) {
		printf("Run %s is closed: it stays %s, and needs no attention any more.\n", run, state);
		return;
	}
	bf_json_begin(&j, stdout);
	bf_json_text(&j, "command", "close");
	bf_json_text(&j, "run", run);
	bf_json_text(&j, "state", state);
	bf_json_end(&j);
}

static int close_run(struct bf_pg *pg, const struct bf_decision *d, bool json, struct bf_error *err)
{
	char state[16] = "";
	int rc = bf_find_job(pg, d->run, NULL, NULL, err);
	if (rc == 0)
		rc = bf_decide_close(pg, d, state, err);
	if (rc == 0 && strcmp(state, "failed") != 0)
		rc = bf_fail(err, BF_E_CONFLICT, "run %s is %s; expected one that has failed", d->run, state);
	if (rc == 0)
		print_closed(d->run, state, json);
	return rc;
}

int bf_close_main(const struct bf_command *command, int argc, char **argv)
{
	BF_AUTOFREE const char **args = bf_alloc(((size_t)argc + 1) * sizeof(*args));
	struct options o = {.json = false};
	struct bf_pg *pg = NULL;
	struct bf_error err;
	char who[BF_WHO_MAX];
	int n_args, code;
	if (!bf_command_parse(command, argc, argv, &o, args, &n_args, &code))
		return code;
	const struct bf_decision d = {.run = args[0], .who = bf_who(who), .note = o.note};
	int rc = check_note(&o, &err);
	if (rc == 0)
		rc = bf_open_ledger_to_change(BF_PROGRAM, &pg, &err);
	if (rc == 0)
		rc = close_run(pg, &d, o.json, &err);
	bf_pg_close(pg);
	return rc < 0 ? bf_program_fail(&err) : 0;
}
