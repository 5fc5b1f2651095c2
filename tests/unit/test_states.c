#include "base/mem.h"
#include "core/states.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static bool has(const struct bf_transition *rows, const char *from, const char *to)
{
	for (; rows->from; rows++)
		if (strcmp(rows->from, from) == 0 && strcmp(rows->to, to) == 0)
			return true;
	return false;
}

static bool leaves(const struct bf_transition *rows, const char *from)
{
	while (rows->from && strcmp(rows->from, from) != 0)
		rows++;
	return rows->from;
}

static void every_state_name_is_read_back(void **state)
{
	enum bf_job_state job;
	enum bf_run_state run;

	(void)state;
	for (int i = 0; i < BF_JOB_STATES; i++) {
		assert_true(bf_job_state_parse(bf_job_state_name((enum bf_job_state)i), &job));
		assert_int_equal(job, i);
	}
	for (int i = 0; i < BF_RUN_STATES; i++) {
		assert_true(bf_run_state_parse(bf_run_state_name((enum bf_run_state)i), &run));
		assert_int_equal(run, i);
	}
	assert_false(bf_job_state_parse("Done", &job));
	assert_false(bf_job_state_parse("", &job));
	assert_false(bf_run_state_parse("pending", &run));
}

static void the_transitions_name_only_states_and_each_move_once(void **state)
{
	enum bf_job_state job;
	enum bf_run_state run;

	(void)state;
	for (const struct bf_transition *t = bf_job_transitions; t->from; t++)
		assert_true(bf_job_state_parse(t->from, &job) && bf_job_state_parse(t->to, &job) && t->event[0] && t->why[0]);
	for (const struct bf_transition *t = bf_run_transitions; t->from; t++)
		assert_true(bf_run_state_parse(t->from, &run) && bf_run_state_parse(t->to, &run) && t->event[0] && t->why[0]);
	for (const struct bf_transition *t = bf_job_transitions; t->from; t++)
		for (const struct bf_transition *u = t + 1; u->from; u++)
			assert_false(strcmp(t->from, u->from) == 0 && strcmp(t->event, u->event) == 0 && strcmp(t->to, u->to) == 0);
}

static void done_is_left_only_by_a_check_that_judges_anew_and_by_a_rollback(void **state)
{
	(void)state;
	for (const struct bf_transition *t = bf_job_transitions; t->from; t++)
		if (strcmp(t->from, "done") == 0)
			assert_true((strcmp(t->event, "retry") == 0 && strstr(t->why, "a check")) || strcmp(t->event, "rollback") == 0);
	assert_false(leaves(bf_job_transitions, "undone"));
	assert_false(has(bf_job_transitions, "pending", "done"));
	assert_false(has(bf_job_transitions, "cancelled", "done"));
	assert_true(has(bf_job_transitions, "running", "done"));
}

static void every_run_that_has_not_ended_can_be_cancelled(void **state)
{
	(void)state;
	for (int i = 0; i < BF_RUN_STATES; i++) {
		enum bf_run_state s = (enum bf_run_state)i;

		assert_int_equal(has(bf_run_transitions, bf_run_state_name(s), "cancelled"), !bf_run_state_ended(s));
	}
}

static void only_retry_leaves_an_end(void **state)
{
	(void)state;
	for (const struct bf_transition *t = bf_run_transitions; t->from; t++) {
		enum bf_run_state from;

		assert_true(bf_run_state_parse(t->from, &from));
		if (bf_run_state_ended(from))
			assert_string_equal(t->event, "retry");
	}
}

static void a_run_ends_with_its_own_exit_code(void **state)
{
	(void)state;
	assert_int_equal(bf_run_state_exit_code(BF_RUN_DONE), 0);
	assert_int_equal(bf_run_state_exit_code(BF_RUN_QUEUED), 0);
	assert_int_equal(bf_run_state_exit_code(BF_RUN_RUNNING), 0);
	assert_int_equal(bf_run_state_exit_code(BF_RUN_FAILED), 1);
	assert_int_equal(bf_run_state_exit_code(BF_RUN_WAITING), 3);
	assert_int_equal(bf_run_state_exit_code(BF_RUN_STOPPED), 4);
	assert_int_equal(bf_run_state_exit_code(BF_RUN_CANCELLED), 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_state_name_is_read_back),
		cmocka_unit_test(the_transitions_name_only_states_and_each_move_once),
		cmocka_unit_test(done_is_left_only_by_a_check_that_judges_anew_and_by_a_rollback),
		cmocka_unit_test(every_run_that_has_not_ended_can_be_cancelled),
		cmocka_unit_test(only_retry_leaves_an_end),
		cmocka_unit_test(a_run_ends_with_its_own_exit_code),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
