/*
 * The step kind exec with a real supervisor and real programs. This program plays the rest of the worker: it is what the supervisor is a
 * copy of, and it notes what the job is told.
 */
#include "steps/steps.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "core/vars.h"
#include "supervisor.h"

enum told { NOTHING, DONE, FAILED, AGAIN, RETURNED };

struct session {
	uv_loop_t loop;
	struct bf_worker worker;
	struct bf_pipeline pipeline;
	struct bf_run_def def;
	struct bf_step step;
	struct bf_job job;
	char *argv[8], *pass[4];
	char name[32], chunk[32], key[4];

	enum told told;
	int times, group;
	int64_t rows, delay_ms, done, total;
	bool never_again;
	char category[32], *error, *tail, *checkpoint, *note;
	void (*on_note)(struct session *t); /* called when the program says something */
};

static struct session *at; /* the functions of job.c have no other way to it */

/* ---- the rest of the worker ---- */

static void tell(enum told what)
{
	at->told = what;
	at->times++;
}

void bf_job_done(struct bf_job *j, int64_t rows)
{
	assert_null(j->step_state);
	at->rows = rows;
	tell(DONE);
}

void bf_job_failed(struct bf_job *j, const char *category, bool never_again, const char *error, const char *tail, size_t tail_len)
{
	assert_null(j->step_state);
	snprintf(at->category, sizeof(at->category), "%s", category);
	at->never_again = never_again;
	at->error = bf_strdup(error);
	at->tail = tail ? bf_strndup(tail, tail_len) : NULL;
	tell(FAILED);
}

void bf_job_wait(struct bf_job *j, const struct bf_retry *pace, enum bf_blame blame, const char *why)
{
	(void)j;
	(void)blame;
	assert_non_null(why);
	at->delay_ms = pace->first_ms;
	tell(AGAIN);
}

void bf_job_again(struct bf_job *j, int64_t delay_ms, const char *why)
{
	(void)j;
	assert_non_null(why);
	at->delay_ms = delay_ms;
	tell(AGAIN);
}

void bf_job_returned(struct bf_job *j)
{
	(void)j;
	tell(RETURNED);
}

static void keep(char **to, const char *text)
{
	free(*to);
	*to = bf_strdup(text);
}

void bf_job_progress(struct bf_job *j, int64_t done, int64_t total, const char *checkpoint, const char *note)
{
	(void)j;
	if (done >= 0)
		at->done = done;
	if (total >= 0)
		at->total = total;
	if (checkpoint)
		keep(&at->checkpoint, checkpoint);
	if (note)
		keep(&at->note, note);
	if (note && at->on_note)
		at->on_note(at);
}

void bf_job_vars(const struct bf_job *j, struct bf_vars *v)
{
	*v = (struct bf_vars){.run = j->run,
						  .step = j->step_name,
						  .chunk = j->chunk,
						  .since = j->since,
						  .until = j->until,
						  .lookback_since = j->lookback_since,
						  .key = j->key};
}

const struct bf_log_ctx *bf_job_log(const struct bf_job *j)
{
	(void)j;
	return NULL;
}

/* ---- one job ---- */

static int set_up(void **state)
{
	struct session *t = bf_alloc(sizeof(*t));

	uv_loop_init(&t->loop);
	t->worker = (struct bf_worker){.loop = &t->loop, .opt.lease_ms = 15000};
	t->pipeline = (struct bf_pipeline){.dir = (char *)(uintptr_t) "/tmp", .env_pass = t->pass};
	t->def.pipeline = &t->pipeline;
	t->step = (struct bf_step){.kind = BF_KIND_EXEC, .argv = t->argv, .timeout_ms = 3600000, .retry = {.attempts = 3, .first_ms = 30000}};
	snprintf(t->name, sizeof(t->name), "w.1/export/2012-01#4");
	snprintf(t->chunk, sizeof(t->chunk), "2012-01-01..2012-01-31");
	t->job = (struct bf_job){.worker = &t->worker,
							 .name = t->name,
							 .run = "w.1",
							 .step_name = "export",
							 .chunk = t->chunk,
							 .key = t->key,
							 .since = "2012-01-01",
							 .until = "2012-01-31",
							 .attempts = 1,
							 .epoch = 5,
							 .def = &t->def,
							 .step = &t->step};
	t->rows = t->delay_ms = t->done = t->total = -2;
	*state = at = t;
	return 0;
}

static int tear_down(void **state)
{
	struct session *t = *state;

	assert_int_equal(uv_loop_close(&t->loop), 0); /* no handle is left */
	for (char **a = t->argv; *a; a++)
		free(*a);
	free(t->error);
	free(t->tail);
	free(t->checkpoint);
	free(t->note);
	free(t);
	return 0;
}

static void run_argv(struct session *t, const char *const *argv)
{
	struct bf_error err;

	for (int i = 0; argv[i]; i++)
		t->argv[i] = bf_strdup(argv[i]);
	assert_int_equal(bf_step_exec.start(&t->job, &err), 0);
	assert_int_equal(t->times, 0); /* later, never from within */
	uv_run(&t->loop, UV_RUN_DEFAULT);
	assert_int_equal(t->times, 1);
}

static void run(struct session *t, const char *script)
{
	run_argv(t, (const char *const[]){"/bin/sh", "-c", script, NULL});
}

static void expect_failed(const struct session *t, const char *category, const char *part, bool never_again)
{
	assert_int_equal(t->told, FAILED);
	assert_string_equal(t->category, category);
	if (!strstr(t->error, part))
		fail_msg("found \"%s\", expected \"%s\" in it", t->error, part);
	assert_int_equal(t->never_again, never_again);
}

/* ---- the tests ---- */

static void exit_0_is_done_with_the_rows_reported(void **state)
{
	struct session *t = *state;

	run(t, "echo 'progress 3 5' >&3; echo 'rows 31' >&3; printf 'checkpoint a\\377b\\n' >&3; echo 'note on it' >&3; echo printed");
	assert_int_equal(t->told, DONE);
	assert_int_equal(t->rows, 31);
	assert_int_equal(t->done, 3);
	assert_int_equal(t->total, 5);
	assert_string_equal(t->checkpoint, "a\xEF\xBF\xBD"
									   "b");
	assert_string_equal(t->note, "on it");
}

static void without_rows_they_are_not_known(void **state)
{
	struct session *t = *state;

	run(t, "exit 0");
	assert_int_equal(t->told, DONE);
	assert_int_equal(t->rows, -1);
}

static void another_status_is_a_try_that_failed_with_its_output(void **state)
{
	struct session *t = *state;

	run(t, "echo oh no; exit 3");
	expect_failed(t, "exit", "exited with status 3", false);
	assert_string_equal(t->tail, "oh no\n");
}

static void status_65_is_never_tried_again(void **state)
{
	run(*state, "exit 65");
	expect_failed(*state, "exit", "exited with status 65", true);
}

static void status_75_is_later_and_no_try(void **state)
{
	struct session *t = *state;

	run(t, "exit 75");
	assert_int_equal(t->told, AGAIN);
	assert_int_equal(t->delay_ms, 30000);
}

static void a_signal_is_a_category_of_its_own(void **state)
{
	run(*state, "kill -SEGV $$");
	expect_failed(*state, "signal", "signal 11", false);
}

static void a_program_that_cannot_be_started_is_said_by_name(void **state)
{
	struct session *t = *state;

	run_argv(t, (const char *const[]){"/no/such/program", NULL});
	expect_failed(t, "spawn", "/no/such/program", false);
	assert_null(t->tail);
}

static void without_descriptors_the_job_is_put_off_and_nothing_leaks(void **state)
{
	struct session *t = *state;
	struct rlimit before, few;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	few = before;
	few.rlim_cur = (rlim_t)dup(0); /* the lowest that is free: no other will be */
	close((int)few.rlim_cur);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	run(t, "exit 0");
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(t->told, AGAIN);
	assert_true(t->delay_ms >= 1000);
}

static void the_environment_names_the_job_and_nothing_else(void **state)
{
	static const char expected[] = "BF_ATTEMPT=2\nBF_CHECKPOINT=after 7\nBF_CHUNK=2012-01-01..2012-01-31\nBF_EPOCH=5\n"
								   "BF_JOB=w.1/export/2012-01-01..2012-01-31\nBF_KEY=\nBF_LOOKBACK_SINCE=2011-12-02\n"
								   "BF_PROGRESS_FD=3\nBF_RUN=w.1\nBF_SINCE=2012-01-01\nBF_STEP=export\nBF_UNTIL=2012-01-31\n"
								   "NAMED=of the worker\nPATH=/usr/bin:/bin\nSET=from 2012-01-01\n";
	struct session *t = *state;
	char pass[] = "NAMED", not_there[] = "NOT_THERE", name[] = "SET", value[] = "from {{since}}", fixed[] = "BF_RUN", wrong[] = "mine";
	struct bf_env_var set[] = {{name, value}, {fixed, wrong}};

	setenv("NAMED", "of the worker", 1);
	setenv("NOT_NAMED", "hush", 1);
	setenv("PATH", "/usr/bin:/bin", 1);
	t->pass[0] = pass;
	t->pass[1] = not_there;
	t->pipeline.env_set = set;
	t->pipeline.n_env_set = 2;
	t->job.checkpoint = bf_strdup("after 7");
	snprintf(t->job.lookback_since, sizeof(t->job.lookback_since), "2011-12-02");
	run_argv(t, (const char *const[]){"/bin/sh", "-c", "env | grep -v '^PWD=\\|^_=\\|^SHLVL=\\|^OLDPWD=' | sort; exit 1", NULL});
	expect_failed(t, "exit", "status 1", false);
	assert_string_equal(t->tail, expected);
	free(t->job.checkpoint);
}

static void arguments_are_templates_and_never_seen_by_a_shell(void **state)
{
	struct session *t = *state;

	snprintf(t->key, sizeof(t->key), "';");
	run_argv(t, (const char *const[]){"/bin/sh", "-c", "printf '[%s]' \"$@\"; exit 1", "sh", "--key={{key}}", "$({{since}})", "", NULL});
	expect_failed(t, "exit", "status 1", false);
	assert_string_equal(t->tail, "[--key=';][$(2012-01-01)][]");
}

static void a_template_without_a_value_starts_nothing(void **state)
{
	struct session *t = *state;
	struct bf_error err;

	t->argv[0] = bf_strdup("/bin/echo");
	t->argv[1] = bf_strdup("{{env.NO_SUCH_VARIABLE}}");
	assert_true(bf_step_exec.start(&t->job, &err) < 0);
	assert_non_null(strstr(err.text, "NO_SUCH_VARIABLE"));
	assert_null(t->job.step_state);
	uv_run(&t->loop, UV_RUN_DEFAULT);
	assert_int_equal(t->times, 0);
}

static void stop_it(struct session *t)
{
	bf_step_exec.stop(&t->job);
	bf_step_exec.stop(&t->job);
}

static void time_out(struct session *t)
{
	t->job.timed_out = true;
	stop_it(t);
}

static void hand_back(struct session *t)
{
	t->job.handing_back = true;
	stop_it(t);
}

static void fence(struct session *t)
{
	t->job.fenced = true;
	stop_it(t);
}

static void a_timeout_terminates_it_and_names_the_limit(void **state)
{
	struct session *t = *state;

	t->on_note = time_out;
	run(t, "trap 'echo cleaned up; exit 0' TERM; echo 'note ready' >&3; while :; do sleep 0.02; done");
	expect_failed(t, "timeout", "1h", false);
	assert_non_null(strstr(t->tail, "cleaned up\n"));
}

static void a_job_that_is_handed_back_is_not_done_because_it_stopped_well(void **state)
{
	struct session *t = *state;

	t->on_note = hand_back;
	run(t, "trap 'echo \"checkpoint 17\" >&3; exit 0' TERM; echo 'note ready' >&3; while :; do sleep 0.02; done");
	assert_int_equal(t->told, RETURNED);
	assert_string_equal(t->checkpoint, "17");
}

static void a_fenced_job_is_killed_without_a_grace(void **state)
{
	struct session *t = *state;

	t->on_note = fence;
	run(t, "trap '' TERM; echo 'note ready' >&3; while :; do sleep 0.02; done");
	assert_int_equal(t->told, RETURNED);
}

static void a_second_signal_to_the_worker_does_not_wait_either(void **state)
{
	struct session *t = *state;

	t->worker.drain_now = true;
	t->on_note = hand_back;
	run(t, "trap '' TERM; echo 'note ready' >&3; while :; do sleep 0.02; done");
	assert_int_equal(t->told, RETURNED);
}

/* The program says the supervisor's id, which is its parent, and its own, which is its group's. */
static void kill_supervisor(struct session *t)
{
	int supervisor;

	assert_int_equal(sscanf(t->note, "%d %d", &supervisor, &t->group), 2);
	kill(supervisor, SIGKILL);
}

static void a_supervisor_that_dies_is_a_category_of_its_own_and_its_group_is_ended(void **state)
{
	struct session *t = *state;

	t->on_note = kill_supervisor;
	run(t, "sleep 1000 & echo \"note $PPID $$\" >&3; wait");
	expect_failed(t, "supervisor", "signal 9", false);
	while (kill(-t->group, 0) == 0)
		usleep(1000);
}

static void a_job_can_be_stopped_at_once(void **state)
{
	struct session *t = *state;
	struct bf_error err;

	t->argv[0] = bf_strdup("/bin/sleep");
	t->argv[1] = bf_strdup("1000");
	assert_int_equal(bf_step_exec.start(&t->job, &err), 0);
	hand_back(t);
	uv_run(&t->loop, UV_RUN_DEFAULT);
	assert_int_equal(t->told, RETURNED);
}

static void heartbeats_are_sent_while_it_runs(void **state)
{
	struct session *t = *state;

	t->worker.opt.lease_ms = 1000;
	run(t, "sleep 2.5");
	assert_int_equal(t->told, DONE);
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		WITH(exit_0_is_done_with_the_rows_reported),
		WITH(without_rows_they_are_not_known),
		WITH(another_status_is_a_try_that_failed_with_its_output),
		WITH(status_65_is_never_tried_again),
		WITH(status_75_is_later_and_no_try),
		WITH(a_signal_is_a_category_of_its_own),
		WITH(a_program_that_cannot_be_started_is_said_by_name),
		WITH(without_descriptors_the_job_is_put_off_and_nothing_leaks),
		WITH(the_environment_names_the_job_and_nothing_else),
		WITH(arguments_are_templates_and_never_seen_by_a_shell),
		WITH(a_template_without_a_value_starts_nothing),
		WITH(a_timeout_terminates_it_and_names_the_limit),
		WITH(a_job_that_is_handed_back_is_not_done_because_it_stopped_well),
		WITH(a_fenced_job_is_killed_without_a_grace),
		WITH(a_second_signal_to_the_worker_does_not_wait_either),
		WITH(a_supervisor_that_dies_is_a_category_of_its_own_and_its_group_is_ended),
		WITH(a_job_can_be_stopped_at_once),
		WITH(heartbeats_are_sent_while_it_runs),
	};

	if (strcmp(argv[0], BF_SUPERVISOR_NAME) == 0)
		return bf_supervisor_main(argc, argv);
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
