#include "core/migrate.h"

#include <stddef.h>

#include "base/mem.h"
#include "change/commands.h"
#include "render/json.h"

struct options {
	bool json;
};

static const struct bf_opt options[] = {
	{"json", NULL, BF_OPT_FLAG, offsetof(struct options, json), NULL, "print the outcome as JSON", 0, 0, NULL},
	{NULL, NULL, BF_OPT_FLAG, 0, NULL, NULL, 0, 0, NULL},
};

static const struct bf_example examples[] = {
	{"enqueue migrate", "once for a new ledger, and again after each upgrade"},
	{NULL, NULL},
};

const struct bf_command bf_command_migrate = {
	.name = "migrate",
	.synopsis = "enqueue migrate [--json]",
	.summary = "make the ledger in PostgreSQL, or bring it up to date",
	.details = "All of it is one transaction; running it again, or twice at once, does no harm.",
	.options = options,
	.examples = examples,
};

static void report_text(void *data, const char *name)
{
	(void)data;
	printf("applied %s\n", name);
}

static void report_json(void *data, const char *name)
{
	struct bf_json *j = data;
	bf_json_text(j, NULL, name);
}

static int open_to_migrate(struct bf_pg **out, struct bf_error *err)
{
	struct bf_pg_options o = {.application_name = BF_PROGRAM};
	int rc = bf_pg_open(&o, out, err);
	if (rc == 0 && bf_pg_is_read_only(*out))
		rc = bf_fail(err, BF_E_UNAVAILABLE, "PostgreSQL is read-only: %s; the ledger cannot be made there", bf_pg_where(*out));
	return rc;
}

int bf_migrate_main(const struct bf_command *command, int argc, char **argv)
{
	BF_AUTOFREE const char **args = bf_alloc(((size_t)argc + 1) * sizeof(*args));
	struct options o = {.json = false};
	struct bf_pg *pg = NULL;
	struct bf_json j;
	struct bf_error err;
	int n_args, code, applied = 0;
	if (!bf_command_parse(command, argc, argv, &o, args, &n_args, &code))
		return code;
	int rc = open_to_migrate(&pg, &err);
	if (rc == 0 && o.json) { /* {applied [name]} */
		bf_json_begin(&j, stdout);
		bf_json_array(&j, "applied");
		rc = bf_migrate(pg, report_json, &j, &applied, &err);
		bf_json_close(&j);
		bf_json_end(&j);
	} else if (rc == 0) {
		rc = bf_migrate(pg, report_text, NULL, &applied, &err);
		if (rc == 0)
			printf("%s in %s.\n", applied ? "The ledger is ready," : "The ledger is up to date; nothing to apply,", bf_pg_where(pg));
	}
	bf_pg_close(pg);
	return rc < 0 ? bf_program_fail(&err) : 0;
}
