#include "base/failpoint.h"
#include "base/mem.h"
#include "change/follow.h"
#include "change/plan_view.h"
#include "change/run_args.h"
#include "core/preflight.h"
#include "shared/servers.h"

static void show(const struct bf_run_options *o, struct bf_plan_view *v, const struct bf_run_args *a)
{
	BF_AUTOFREE const char **files = bf_files_checked(a->pipeline);
	BF_AUTOFREE char **env = bf_preflight_env(&a->ask);
	v->ask = &a->ask;
	v->today = a->today.zone[0] ? &a->today : NULL;
	v->files = files;
	v->env = (const char *const *)env;
	if (o->json)
		bf_plan_print_json(v, o->follow);
	else
		bf_plan_print(v);
	fflush(stdout);
	for (char **name = env; *name; name++)
		free(*name);
}

/* The keys are read on a connection that cannot write: the query is the pipeline's own. */
static int load_keys(const struct bf_run_options *o, struct bf_run_args *a, struct bf_pg *reader, struct bf_error *err)
{
	if (!a->ask.keys)
		return 0;
	int rc = bf_keys_load(&a->keys, a->pipeline, a->param_values, reader, err);
	if (rc == 0 && o->key.count)
		rc = bf_keys_pick(&a->keys, o->key.items, o->key.count, &a->picked, err);
	return rc;
}

/* ---- what is missing, before anything is planned ---- */

static int refuse_missing(struct bf_run_args *a, const struct bf_error *not_looked, struct bf_error *err)
{
	fprintf(stderr, "%s\n", a->missing.data);
	if (not_looked)
		return bf_fail(err, BF_E_INPUT, "nothing was planned: this is not there. Whether tables are, could not be asked: %s",
					   not_looked->text);
	return bf_fail(err, BF_E_INPUT, "nothing was planned: this is not there%s",
				   a->files_missing ? "" : " (--no-preflight: something outside of the pipeline will make it)");
}

static int preflight(const struct bf_run_options *o, struct bf_run_args *a, struct bf_pg *reader, struct bf_error *err)
{
	int rc = o->no_preflight ? 0 : bf_preflight_sql(reader, &a->ask, &a->missing, err);
	return rc == 0 && a->missing.len > 0 ? refuse_missing(a, NULL, err) : rc;
}

/* Files or programs are not there: nothing can be planned, but the list is to be whole. */
static int report_missing(const struct bf_run_options *o, struct bf_run_args *a)
{
	struct bf_error err;
	struct bf_pg *pg;
	int rc = bf_open_ledger_to_look(BF_PROGRAM, &pg, &err);
	if (rc == 0)
		rc = bf_run_args_resolve(a, pg, &err);
	bool looked = rc == 0 && preflight(o, a, pg, &err) == -BF_E_INPUT;
	if (!looked) {
		struct bf_error why = err;
		(void)refuse_missing(a, &why, &err);
	}
	bf_pg_close(pg);
	return bf_program_fail(&err);
}

/* ---- --dry-run: one connection, which cannot write; Redis is not looked for ---- */

static int look(const struct bf_run_options *o, struct bf_run_args *a, struct bf_pg *pg, struct bf_plan *plan, enum bf_planned *outcome,
				struct bf_error *err)
{
	int64_t planned = -1;
	int rc = bf_run_args_resolve(a, pg, err);
	if (rc == 0)
		rc = a->ask.run ? bf_plan_existing(pg, &a->ask, &planned, err) : 0;
	if (rc < 0)
		return rc;
	snprintf(plan->run, sizeof(plan->run), "%s", a->ask.run ? a->ask.run : "");
	*outcome = BF_PLANNED_BEFORE;
	plan->jobs = planned;
	if (planned >= 0)
		return 0;
	plan->jobs = 0;
	rc = load_keys(o, a, pg, err);
	a->ask.reader = pg;
	if (rc == 0)
		rc = preflight(o, a, pg, err);
	if (rc == 0)
		rc = bf_plan_look(pg, &a->ask, plan, err);
	*outcome = plan->jobs > 0 ? BF_PLANNED : BF_PLANNED_NOTHING;
	return rc;
}

/* Where nothing was found of what failed: the checks that did. */
static int find_failed_checks(struct bf_pg *pg, const struct bf_run_args *a, struct bf_plan_view *v, struct bf_pg_result **out,
							  struct bf_error *err)
{
	if (v->outcome != BF_PLANNED_NOTHING || a->ask.reprocess != BF_REPROCESS_FAILED)
		return 0;
	int rc = bf_plan_failed_checks(pg, &a->ask, out, err);
	v->failed_checks = *out;
	return rc;
}

static int dry_run(const struct bf_run_options *o, struct bf_run_args *a)
{
	struct bf_error err;
	struct bf_pg *pg;
	struct bf_plan plan = {.n_steps = 0};
	struct bf_estimate estimate;
	BF_AUTORESULT struct bf_pg_result *failed_checks = NULL;
	struct bf_plan_view view = {.plan = &plan, .dry_run = true, .state = "", .workers = -1};
	int rc = bf_open_ledger_to_look(BF_PROGRAM, &pg, &err);
	if (rc == 0)
		rc = look(o, a, pg, &plan, &view.outcome, &err);
	if (rc == 0 && view.outcome == BF_PLANNED) {
		rc = bf_plan_estimate(pg, &a->ask, &plan, &estimate, &err);
		view.estimate = &estimate;
	}
	if (rc == 0)
		rc = find_failed_checks(pg, a, &view, &failed_checks, &err);
	if (rc == 0)
		show(o, &view, a);
	bf_plan_release(&plan);
	bf_pg_close(pg);
	return rc < 0 ? bf_program_fail(&err) : 0;
}

/* ---- for real ---- */

/* Keys, tables, what should be there and what is: asked on a connection that cannot write. */
static int ask_first(const struct bf_run_options *o, struct bf_run_args *a, struct bf_error *err)
{
	struct bf_pg_options options = {.application_name = BF_PROGRAM " looks", .read_only = true};
	int rc = bf_pg_open(&options, &a->ask.reader, err);
	if (rc == 0)
		rc = load_keys(o, a, a->ask.reader, err);
	if (rc == 0)
		rc = preflight(o, a, a->ask.reader, err);
	return rc;
}

static int plan_it(const struct bf_run_options *o, struct bf_run_args *a, struct bf_upkeep *u, struct bf_plan *plan,
				   enum bf_planned *outcome, struct bf_error *err)
{
	int64_t planned = -1;
	int rc = a->ask.run ? bf_plan_existing(u->pg, &a->ask, &planned, err) : 0;
	a->ask.patience_ms = u->lease_ms;
	if (rc == 0 && planned < 0)
		rc = ask_first(o, a, err);
	if (rc == 0)
		rc = bf_plan_run(u->pg, &a->ask, plan, outcome, err);
	bf_pg_close(a->ask.reader);
	a->ask.reader = NULL;
	if (rc == -BF_E_UNKNOWN_OUTCOME)
		return bf_error_prefix(err, "whether run %s was planned is not known; the same command with --run-id=%s is safe to repeat",
							   plan->run, plan->run);
	if (rc == 0 && BF_FAILPOINT("after_plan_commit"))
		rc = bf_fail(err, BF_E_UNAVAILABLE, "fail point after_plan_commit");
	return rc;
}

/* The run is in the ledger; now Redis. */
static int push(struct bf_upkeep *u, const struct bf_plan *plan, struct bf_plan_view *view, char *state, struct bf_error *err)
{
	int rc = bf_carry_out(u, plan->run, BF_DEPTH_STATE, state, err);
	if (rc == 0)
		rc = bf_workers_alive(u->redis, &view->workers, err);
	if (rc == 0)
		return 0;
	(void)bf_error_prefix(err, "run %s is planned in the ledger (%lld jobs), but Redis has not got it all; any worker brings it there",
						  plan->run, (long long)plan->jobs);
	err->code = BF_E_UNAVAILABLE;
	return -BF_E_UNAVAILABLE;
}

static int real_run(const struct bf_run_options *o, struct bf_run_args *a)
{
	struct bf_error err;
	struct bf_upkeep u;
	struct bf_plan plan = {.n_steps = 0};
	char state[16] = "";
	BF_AUTORESULT struct bf_pg_result *failed_checks = NULL;
	struct bf_plan_view view = {.plan = &plan, .state = state, .workers = -1};
	int code = 0;
	int rc = bf_open_both(BF_PROGRAM, &u, &err);
	if (rc == 0)
		rc = bf_run_args_resolve(a, u.pg, &err);
	if (rc == 0)
		rc = plan_it(o, a, &u, &plan, &view.outcome, &err);
	if (rc == 0)
		rc = find_failed_checks(u.pg, a, &view, &failed_checks, &err);
	bool exists = rc == 0 && view.outcome != BF_PLANNED_NOTHING;
	if (exists)
		rc = push(&u, &plan, &view, state, &err);
	if (rc == 0)
		show(o, &view, a);
	if (rc < 0)
		code = bf_program_fail(&err);
	else if (exists && o->follow)
		code = bf_follow(&u, plan.run, o->json);
	bf_plan_release(&plan);
	bf_close_both(&u);
	return code;
}

int bf_run_main(const struct bf_command *command, int argc, char **argv)
{
	BF_AUTOFREE const char **args = bf_alloc(((size_t)argc + 1) * sizeof(*args));
	struct bf_run_options options = {.limit = 0};
	struct bf_run_args a;
	struct bf_error err;
	int n_args, code;
	if (!bf_command_parse(command, argc, argv, &options, args, &n_args, &code))
		return code;
	if (bf_run_args_check(&options, args[0], &a, &err) < 0)
		code = bf_program_fail(&err);
	else if (a.files_missing)
		code = report_missing(&options, &a);
	else
		code = options.dry_run ? dry_run(&options, &a) : real_run(&options, &a);
	bf_run_args_release(&a);
	return code;
}
