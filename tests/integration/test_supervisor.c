/*
 * The supervisor as the worker starts it: this program executes itself again under the supervisor's name, and plays the worker.
 *
 * Whether a tree of processes is gone is seen from outside of it: each program opens a FIFO, the *witness*, for writing, which all its
 * descendants inherit; the end of file comes when the last of them has ended.
 */
#include "supervisor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"

#define LONG_MS 60000
#define PATH    "PATH=/usr/bin:/bin"

struct session {
	char dir[64];
	char witness_path[80];
	int witness; /* read end */
	int channel;
	pid_t supervisor;
	struct bf_buf heard; /* what came, until the end line */
	struct bf_buf tail;
	struct bf_supervisor_end end;
	bool ended, closed;
};

/* ---- playing the worker ---- */

static int set_up(void **state)
{
	struct session *t = bf_alloc(sizeof(*t));

	snprintf(t->dir, sizeof(t->dir), "/tmp/bf-supervisor-XXXXXX");
	assert_non_null(mkdtemp(t->dir));
	snprintf(t->witness_path, sizeof(t->witness_path), "%s/witness", t->dir);
	assert_int_equal(mkfifo(t->witness_path, 0600), 0);
	t->witness = open(t->witness_path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	assert_true(t->witness >= 0);
	t->channel = -1;
	bf_buf_init(&t->heard, 4u << 20);
	bf_buf_init(&t->tail, 65536);
	*state = t;
	return 0;
}

static void hang_up(struct session *t)
{
	if (t->channel >= 0)
		close(t->channel);
	t->channel = -1;
}

static int tear_down(void **state)
{
	struct session *t = *state;

	hang_up(t);
	close(t->witness);
	unlink(t->witness_path);
	rmdir(t->dir);
	bf_buf_release(&t->heard);
	bf_buf_release(&t->tail);
	free(t);
	return 0;
}

static void spawn_supervisor(struct session *t)
{
	char name[] = BF_SUPERVISOR_NAME, job[] = "run/step/chunk";
	char *argv[] = {name, job, NULL};
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	t->supervisor = fork();
	assert_true(t->supervisor >= 0);
	if (t->supervisor == 0) {
		dup2(pair[1], 0);
		dup2(open("/dev/null", O_RDONLY), 20); /* as a library would leave behind */
		execve("/proc/self/exe", argv, environ);
		_exit(126);
	}
	close(pair[1]);
	t->channel = pair[0];
}

struct settings {
	const char *dir;
	int64_t lease_ms, grace_ms;
	const char *env; /* one more variable */
};

static void start_with(struct session *t, struct settings s, const char *const *argv)
{
	BF_AUTOFREE char *witness = bf_asprintf("WITNESS=%s", t->witness_path);
	BF_AUTOFREE char *path = bf_strdup(PATH), *more = bf_strdup(s.env);
	char *args[8] = {NULL}, *env[] = {path, witness, more, NULL};
	BF_AUTOBUF struct bf_buf message;
	struct bf_error err;

	for (int i = 0; argv[i]; i++)
		args[i] = bf_strdup(argv[i]);
	bf_buf_init(&message, BF_SUPERVISOR_START_MAX);
	struct bf_supervisor_start start = {.dir = s.dir ? s.dir : t->dir,
										.argv = args,
										.env = env,
										.lease_ms = s.lease_ms ? s.lease_ms : LONG_MS,
										.grace_ms = s.grace_ms ? s.grace_ms : LONG_MS};
	assert_int_equal(bf_supervisor_pack(&start, &message, &err), 0);
	spawn_supervisor(t);
	assert_int_equal(write(t->channel, message.data, message.len), message.len);
	for (int i = 0; args[i]; i++)
		free(args[i]);
}

/* Runs a script, with the witness as its descriptor 9. */
static void run(struct session *t, struct settings s, const char *script)
{
	BF_AUTOFREE char *text = bf_asprintf("exec 9>\"$WITNESS\"; %s", script);

	start_with(t, s, (const char *const[]){"/bin/sh", "-c", text, NULL});
}

static void send_byte(struct session *t, char byte)
{
	assert_int_equal(send(t->channel, &byte, 1, MSG_NOSIGNAL), 1);
}

static void take_end(struct session *t)
{
	char *line = t->heard.data, *newline;

	for (; !t->ended && (newline = strchr(line, '\n')); line = newline + 1) {
		*newline = '\0';
		t->ended = bf_supervisor_end_parse(line, &t->end);
		*newline = '\n';
		if (t->ended) {
			bf_buf_add(&t->tail, newline + 1, t->heard.len - (size_t)(newline + 1 - t->heard.data));
			t->heard.len = (size_t)(line - t->heard.data);
			*line = '\0';
		}
	}
}

/* Waits for something on the channel, and takes it. */
static void listen_once(struct session *t)
{
	char bytes[65536];
	struct pollfd p = {.fd = t->channel, .events = POLLIN};

	assert_true(poll(&p, 1, LONG_MS) > 0);
	ssize_t n = read(t->channel, bytes, sizeof(bytes));
	if (n <= 0) {
		t->closed = true;
		return;
	}
	bf_buf_add(t->ended ? &t->tail : &t->heard, bytes, (size_t)n);
	take_end(t);
}

static void listen_for(struct session *t, const char *text)
{
	while (!t->closed && !strstr(t->heard.data, text))
		listen_once(t);
	assert_non_null(strstr(t->heard.data, text));
}

/* Everything, until the supervisor has left. */
static void listen_to_end(struct session *t)
{
	int status;

	while (!t->closed)
		listen_once(t);
	assert_true(t->ended);
	assert_int_equal(t->tail.len, t->end.tail_len);
	assert_int_equal(waitpid(t->supervisor, &status, 0), t->supervisor);
	assert_int_equal(status, 0);
}

static void expect_end(struct session *t, enum bf_end_how how, int code, enum bf_end_cause cause)
{
	listen_to_end(t);
	assert_int_equal(t->end.how, how);
	assert_int_equal(t->end.code, code);
	assert_int_equal(t->end.cause, cause);
	assert_false(t->end.left);
}

/* The program has said something to the witness. */
static void wait_ready(struct session *t)
{
	char c = '\0';
	struct pollfd p = {.fd = t->witness, .events = POLLIN};

	while (c != '\n') {
		assert_true(poll(&p, 1, LONG_MS) > 0);
		if (read(t->witness, &c, 1) < 0)
			assert_int_equal(errno, EAGAIN);
	}
}

/* Nobody holds the witness any more. */
static void wait_all_gone(struct session *t)
{
	char bytes[256];
	ssize_t n = -1;

	while (n != 0) {
		struct pollfd p = {.fd = t->witness, .events = POLLIN};
		assert_true(poll(&p, 1, LONG_MS) > 0);
		n = read(t->witness, bytes, sizeof(bytes));
		assert_true(n >= 0 || errno == EAGAIN);
	}
}

static void assert_gone(struct session *t)
{
	char bytes[256];
	ssize_t n;

	while ((n = read(t->witness, bytes, sizeof(bytes))) > 0)
		continue;
	assert_int_equal(n, 0);
}

/* ---- how it ended ---- */

static void an_exit_status_is_told(void **state)
{
	struct session *t = *state;

	run(t, (struct settings){0}, "echo out; echo err >&2; exit 3");
	expect_end(t, BF_END_EXIT, 3, BF_CAUSE_ITSELF);
	assert_string_equal(t->tail.data, "out\nerr\n");
}

static void exit_0_is_told(void **state)
{
	run(*state, (struct settings){0}, "exit 0");
	expect_end(*state, BF_END_EXIT, 0, BF_CAUSE_ITSELF);
}

static void a_signal_is_told(void **state)
{
	run(*state, (struct settings){0}, "kill -USR1 $$");
	expect_end(*state, BF_END_SIGNAL, SIGUSR1, BF_CAUSE_ITSELF);
}

static void a_program_that_is_not_there_is_told(void **state)
{
	struct session *t = *state;

	start_with(t, (struct settings){0}, (const char *const[]){"/no/such/program", NULL});
	expect_end(t, BF_END_SPAWN, ENOENT, BF_CAUSE_ITSELF);
	assert_non_null(strstr(t->tail.data, "/no/such/program"));
	assert_non_null(strstr(t->tail.data, "No such file or directory"));
}

static void a_name_that_is_not_in_path_is_told(void **state)
{
	start_with(*state, (struct settings){0}, (const char *const[]){"no-such-program", NULL});
	expect_end(*state, BF_END_SPAWN, ENOENT, BF_CAUSE_ITSELF);
}

static void a_folder_that_is_not_there_is_told(void **state)
{
	struct session *t = *state;

	start_with(t, (struct settings){.dir = "/no/such/folder"}, (const char *const[]){"/bin/true", NULL});
	expect_end(t, BF_END_SPAWN, ENOENT, BF_CAUSE_ITSELF);
	assert_non_null(strstr(t->tail.data, "/no/such/folder"));
}

static void a_file_without_an_interpreter_is_not_given_to_a_shell(void **state)
{
	struct session *t = *state;
	BF_AUTOFREE char *path = bf_asprintf("%s/program", t->dir);
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0700);

	assert_int_equal(write(fd, "exit 5\n", 7), 7);
	close(fd);
	start_with(t, (struct settings){0}, (const char *const[]){path, NULL});
	expect_end(t, BF_END_SPAWN, ENOEXEC, BF_CAUSE_ITSELF);
	unlink(path);
}

/* ---- what the program gets ---- */

static void the_environment_is_what_was_named(void **state)
{
	struct session *t = *state;
	BF_AUTOFREE char *expected = bf_asprintf("PATH=/usr/bin:/bin\nWITNESS=%s\nA=two words\n", t->witness_path);

	setenv("SECRET_OF_THE_WORKER", "hush", 1);
	start_with(t, (struct settings){.env = "A=two words"}, (const char *const[]){"env", NULL});
	expect_end(t, BF_END_EXIT, 0, BF_CAUSE_ITSELF);
	assert_string_equal(t->tail.data, expected);
	unsetenv("SECRET_OF_THE_WORKER");
}

static void arguments_reach_the_program_as_they_are(void **state)
{
	struct session *t = *state;

	start_with(t, (struct settings){0}, (const char *const[]){"printf", "[%s]", "a b", "", "$HOME;'\"", "\xff\n", NULL});
	expect_end(t, BF_END_EXIT, 0, BF_CAUSE_ITSELF);
	assert_string_equal(t->tail.data, "[a b][][$HOME;'\"][\xff\n]");
}

static void secrets_are_not_in_the_list_of_processes(void **state)
{
	struct session *t = *state;
	BF_AUTOFREE char *path = NULL;
	BF_AUTOBUF struct bf_buf cmdline;
	struct bf_error err;

	run(t, (struct settings){.env = "TOKEN=hush"}, "echo ready >&9; exec sleep 1000");
	wait_ready(t);
	path = bf_asprintf("/proc/%d/cmdline", (int)t->supervisor);
	bf_buf_init(&cmdline, 4096);
	assert_int_equal(bf_buf_read_file(&cmdline, path, &err), 0);
	assert_int_equal(cmdline.len, sizeof(BF_SUPERVISOR_NAME "\0run/step/chunk"));
	send_byte(t, BF_SUPERVISE_KILL);
	expect_end(t, BF_END_SIGNAL, SIGKILL, BF_CAUSE_ORDER);
}

static void the_program_runs_in_the_folder_with_nothing_on_its_input(void **state)
{
	struct session *t = *state;
	BF_AUTOFREE char *expected = bf_asprintf("%s\n", t->dir);

	start_with(t, (struct settings){0}, (const char *const[]){"sh", "-c", "cat; pwd -P", NULL});
	expect_end(t, BF_END_EXIT, 0, BF_CAUSE_ITSELF);
	assert_string_equal(t->tail.data, expected);
}

static void no_other_descriptor_is_inherited(void **state)
{
	struct session *t = *state;

	start_with(t, (struct settings){0}, (const char *const[]){"sh", "-c", "ls /proc/$$/fd; exit 0", NULL});
	expect_end(t, BF_END_EXIT, 0, BF_CAUSE_ITSELF);
	assert_string_equal(t->tail.data, "0\n1\n2\n3\n");
}

static void signals_are_as_any_program_expects_them(void **state)
{
	struct session *t = *state;

	start_with(t, (struct settings){0}, (const char *const[]){"grep", "-E", "^Sig(Blk|Ign)", "/proc/self/status", NULL});
	expect_end(t, BF_END_EXIT, 0, BF_CAUSE_ITSELF);
	assert_string_equal(t->tail.data, "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
}

/* ---- what it says ---- */

static void what_it_reports_is_told_and_the_latest_wins(void **state)
{
	struct session *t = *state;

	run(t, (struct settings){0},
		"for i in 1 2 3; do printf 'progress %d 3\\ncheckpoint c%d\\n' $i $i; done >&3; echo 'rows 7' >&3;"
		"echo 'note a b' >&3; echo nonsense >&3; printf 'checkpoint unfinished' >&3");
	expect_end(t, BF_END_EXIT, 0, BF_CAUSE_ITSELF);
	assert_non_null(strstr(t->heard.data, "progress 3 3\n"));
	assert_non_null(strstr(t->heard.data, "checkpoint c3\n"));
	assert_non_null(strstr(t->heard.data, "rows 7\n"));
	assert_non_null(strstr(t->heard.data, "note a b\n"));
	assert_null(strstr(t->heard.data, "nonsense"));
	assert_null(strstr(t->heard.data, "unfinished"));
}

static void progress_is_told_while_it_runs(void **state)
{
	struct session *t = *state;

	run(t, (struct settings){0}, "echo 'progress 1' >&3; sleep 1000");
	listen_for(t, "progress 1\n");
	send_byte(t, BF_SUPERVISE_KILL);
	expect_end(t, BF_END_SIGNAL, SIGKILL, BF_CAUSE_ORDER);
}

static void a_flood_of_progress_becomes_a_few_lines(void **state)
{
	struct session *t = *state;
	int n = 0;

	run(t, (struct settings){0}, "exec awk 'BEGIN { for (i = 1; i <= 300000; i++) print \"progress\", i, 300000 > \"/dev/fd/3\" }'");
	expect_end(t, BF_END_EXIT, 0, BF_CAUSE_ITSELF);
	assert_non_null(strstr(t->heard.data, "progress 300000 300000\n"));
	for (const char *s = t->heard.data; (s = strstr(s, "progress ")); s++)
		n++;
	assert_true(n < 1000);
}

static void a_printed_ratio_is_progress(void **state)
{
	run(*state, (struct settings){0}, "echo 'Processing 10/50 positions'; printf ' 2024/01/02\\r 20/50 |\\r'");
	expect_end(*state, BF_END_EXIT, 0, BF_CAUSE_ITSELF);
	assert_non_null(strstr(((struct session *)*state)->heard.data, "progress 20 50\n"));
}

static void a_printed_ratio_is_nothing_beside_reported_progress(void **state)
{
	struct session *t = *state;

	run(t, (struct settings){0}, "echo 'progress 1 2' >&3; read -r line <\"$WITNESS.go\"; echo 10/50");
	BF_AUTOFREE char *go = bf_asprintf("%s.go", t->witness_path);
	assert_int_equal(mkfifo(go, 0600), 0);
	listen_for(t, "progress 1 2\n");
	int fd = open(go, O_WRONLY | O_CLOEXEC);
	assert_int_equal(write(fd, "\n", 1), 1);
	close(fd);
	expect_end(t, BF_END_EXIT, 0, BF_CAUSE_ITSELF);
	assert_null(strstr(t->heard.data, "progress 10 50"));
	unlink(go);
}

static void a_checkpoint_that_is_too_long_is_not_told(void **state)
{
	struct session *t = *state;

	run(t, (struct settings){0}, "printf 'checkpoint %05000d\\n' 1 >&3");
	expect_end(t, BF_END_EXIT, 0, BF_CAUSE_ITSELF);
	assert_null(strstr(t->heard.data, "checkpoint 0"));
	assert_non_null(strstr(t->heard.data, "note "));
}

static long peak_kib(pid_t pid)
{
	BF_AUTOFREE char *path = bf_asprintf("/proc/%d/status", (int)pid);
	BF_AUTOBUF struct bf_buf status;
	struct bf_error err;

	bf_buf_init(&status, 65536);
	assert_int_equal(bf_buf_read_file(&status, path, &err), 0);
	return strtol(strstr(status.data, "VmHWM:") + 6, NULL, 10);
}

static void a_hundred_megabytes_of_output_cost_no_memory(void **state)
{
	struct session *t = *state;

	run(t, (struct settings){0},
		"echo start >&9; read -r line <\"$WITNESS.go\"; head -c 104857600 /dev/zero; printf 'the end';"
		"echo ready >&9; exec sleep 1000");
	BF_AUTOFREE char *go = bf_asprintf("%s.go", t->witness_path);
	assert_int_equal(mkfifo(go, 0600), 0);
	wait_ready(t);
	long before = peak_kib(t->supervisor);
	int fd = open(go, O_WRONLY | O_CLOEXEC);
	assert_int_equal(write(fd, "\n", 1), 1);
	close(fd);
	wait_ready(t);
	assert_true(peak_kib(t->supervisor) < before + 4096);
	send_byte(t, BF_SUPERVISE_KILL);
	expect_end(t, BF_END_SIGNAL, SIGKILL, BF_CAUSE_ORDER);
	assert_int_equal(t->tail.len, BF_SUPERVISOR_TAIL);
	assert_memory_equal(t->tail.data + t->tail.len - 7, "the end", 7);
	unlink(go);
}

/* ---- ending all of it ---- */

#define FORKED_AWAY "(setsid sh -c 'trap \"\" TERM HUP INT; echo ready >&9; sleep 1000; sleep 1000' &) ;"

static void what_a_program_leaves_behind_is_killed_before_its_end_is_told(void **state)
{
	struct session *t = *state;

	run(t, (struct settings){0}, FORKED_AWAY "exit 0");
	expect_end(t, BF_END_EXIT, 0, BF_CAUSE_ITSELF);
	assert_gone(t);
}

static void the_tree_ends_when_the_worker_is_gone(void **state)
{
	struct session *t = *state;

	run(t, (struct settings){0}, "trap '' TERM HUP INT;" FORKED_AWAY "sleep 1000; sleep 1000");
	wait_ready(t);
	hang_up(t);
	wait_all_gone(t);
	assert_int_equal(waitpid(t->supervisor, NULL, 0), t->supervisor);
}

static void the_tree_ends_when_the_worker_is_silent_for_a_lease(void **state)
{
	struct session *t = *state;

	run(t, (struct settings){.lease_ms = 300}, FORKED_AWAY "sleep 1000; sleep 1000");
	wait_all_gone(t);
	expect_end(t, BF_END_SIGNAL, SIGKILL, BF_CAUSE_SILENCE);
}

static void heartbeats_keep_it_running(void **state)
{
	struct session *t = *state;

	run(t, (struct settings){.lease_ms = 1000}, "for i in 1 2 3 4 5 6 7 8; do echo \"progress $i 8\" >&3; sleep 0.25; done");
	while (!t->ended && !t->closed) {
		struct pollfd p = {.fd = t->channel, .events = POLLIN};
		send_byte(t, BF_SUPERVISE_BEAT);
		if (poll(&p, 1, 100) > 0)
			listen_once(t);
	}
	expect_end(t, BF_END_EXIT, 0, BF_CAUSE_ITSELF);
}

static void told_to_terminate_it_may_end_in_its_own_way(void **state)
{
	struct session *t = *state;

	run(t, (struct settings){0}, "trap 'echo bye; exit 7' TERM; echo ready >&9; while :; do sleep 0.02; done");
	wait_ready(t);
	send_byte(t, BF_SUPERVISE_TERM);
	expect_end(t, BF_END_EXIT, 7, BF_CAUSE_ORDER);
	assert_non_null(strstr(t->tail.data, "bye\n"));
}

static void an_order_to_terminate_is_not_lost_while_it_starts(void **state)
{
	run(*state, (struct settings){0}, "sleep 1000");
	send_byte(*state, BF_SUPERVISE_TERM);
	expect_end(*state, BF_END_SIGNAL, SIGTERM, BF_CAUSE_ORDER);
}

static void a_program_that_ignores_termination_is_killed_after_the_grace(void **state)
{
	struct session *t = *state;

	run(t, (struct settings){.grace_ms = 200}, "trap '' TERM;" FORKED_AWAY "while :; do sleep 1000; done");
	wait_ready(t);
	send_byte(t, BF_SUPERVISE_TERM);
	expect_end(t, BF_END_SIGNAL, SIGKILL, BF_CAUSE_ORDER);
	assert_gone(t);
}

static void a_stopped_program_obeys_too(void **state)
{
	struct session *t = *state;

	run(t, (struct settings){0}, "echo ready >&9; kill -STOP $$; sleep 1000");
	wait_ready(t);
	send_byte(t, BF_SUPERVISE_TERM);
	expect_end(t, BF_END_SIGNAL, SIGTERM, BF_CAUSE_ORDER);
}

static void a_program_that_keeps_forking_is_ended(void **state)
{
	struct session *t = *state;

	run(t, (struct settings){0},
		"trap '' TERM; i=0; while [ $i -lt 150 ]; do setsid sh -c '(sleep 1000 &) ; sleep 1000' & i=$((i+1));"
		"[ $i -ne 5 ] || echo ready >&9; done; wait");
	wait_ready(t);
	send_byte(t, BF_SUPERVISE_KILL);
	expect_end(t, BF_END_SIGNAL, SIGKILL, BF_CAUSE_ORDER);
	assert_gone(t);
}

static void signals_to_the_supervisor_do_not_end_it(void **state)
{
	struct session *t = *state;

	run(t, (struct settings){0}, "echo ready >&9; read -r line <\"$WITNESS.go\"; exit 4");
	BF_AUTOFREE char *go = bf_asprintf("%s.go", t->witness_path);
	assert_int_equal(mkfifo(go, 0600), 0);
	wait_ready(t);
	kill(t->supervisor, SIGTERM);
	kill(t->supervisor, SIGINT);
	kill(t->supervisor, SIGHUP);
	int fd = open(go, O_WRONLY | O_CLOEXEC);
	assert_int_equal(write(fd, "\n", 1), 1);
	close(fd);
	expect_end(t, BF_END_EXIT, 4, BF_CAUSE_ITSELF);
	unlink(go);
}

static void the_program_dies_with_its_supervisor(void **state)
{
	struct session *t = *state;

	run(t, (struct settings){0}, "trap '' TERM HUP INT; echo ready >&9; exec sleep 1000");
	wait_ready(t);
	kill(t->supervisor, SIGKILL);
	wait_all_gone(t);
	assert_int_equal(waitpid(t->supervisor, NULL, 0), t->supervisor);
}

static void a_worker_that_says_nothing_at_all_leaves_no_supervisor(void **state)
{
	struct session *t = *state;
	int status;

	spawn_supervisor(t);
	hang_up(t);
	assert_int_equal(waitpid(t->supervisor, &status, 0), t->supervisor);
	assert_int_equal(WEXITSTATUS(status), 1);
}

static void a_broken_start_message_starts_nothing(void **state)
{
	static const struct {
		uint32_t len;
		char text[28];
	} messages[] = {{0, ""},
					{UINT32_MAX, ""},
					{5, "abcd"},
					{1, ""},
					{8, "1\0001\0001\000/"},
					{8, "1\0001\0009\000/"},
					{11, "x\0001\0001\000/\000a"},
					{11, "1\0001\0000\000/\000a"}};

	for (size_t i = 0; i < BF_COUNT_OF(messages); i++) {
		struct session *t = *state;
		int status;

		spawn_supervisor(t);
		assert_int_equal(write(t->channel, &messages[i].len, 4), 4);
		if (messages[i].len < sizeof(messages[i].text))
			assert_int_equal(write(t->channel, messages[i].text, messages[i].len), messages[i].len);
		assert_int_equal(waitpid(t->supervisor, &status, 0), t->supervisor);
		assert_int_equal(status, 1 << 8);
		hang_up(t);
	}
}

static void an_end_line_is_read_exactly(void **state)
{
	struct bf_supervisor_end e;

	(void)state;
	assert_true(bf_supervisor_end_parse("end signal 9 silence 1 8192", &e));
	assert_int_equal(e.how, BF_END_SIGNAL);
	assert_int_equal(e.code, 9);
	assert_int_equal(e.cause, BF_CAUSE_SILENCE);
	assert_true(e.left);
	assert_int_equal(e.tail_len, 8192);
	assert_false(bf_supervisor_end_parse("end signal 9 silence 1 8193", &e));
	assert_false(bf_supervisor_end_parse("end signal 9 silence 1 10 x", &e));
	assert_false(bf_supervisor_end_parse("end nowhere 9 silence 1 10", &e));
	assert_false(bf_supervisor_end_parse("end exit 9 nobody 1 10", &e));
	assert_false(bf_supervisor_end_parse("progress 1 2", &e));
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		WITH(an_exit_status_is_told),
		WITH(exit_0_is_told),
		WITH(a_signal_is_told),
		WITH(a_program_that_is_not_there_is_told),
		WITH(a_name_that_is_not_in_path_is_told),
		WITH(a_folder_that_is_not_there_is_told),
		WITH(a_file_without_an_interpreter_is_not_given_to_a_shell),
		WITH(the_environment_is_what_was_named),
		WITH(arguments_reach_the_program_as_they_are),
		WITH(secrets_are_not_in_the_list_of_processes),
		WITH(the_program_runs_in_the_folder_with_nothing_on_its_input),
		WITH(no_other_descriptor_is_inherited),
		WITH(signals_are_as_any_program_expects_them),
		WITH(what_it_reports_is_told_and_the_latest_wins),
		WITH(progress_is_told_while_it_runs),
		WITH(a_flood_of_progress_becomes_a_few_lines),
		WITH(a_printed_ratio_is_progress),
		WITH(a_printed_ratio_is_nothing_beside_reported_progress),
		WITH(a_checkpoint_that_is_too_long_is_not_told),
		WITH(a_hundred_megabytes_of_output_cost_no_memory),
		WITH(what_a_program_leaves_behind_is_killed_before_its_end_is_told),
		WITH(the_tree_ends_when_the_worker_is_gone),
		WITH(the_tree_ends_when_the_worker_is_silent_for_a_lease),
		WITH(heartbeats_keep_it_running),
		WITH(told_to_terminate_it_may_end_in_its_own_way),
		WITH(an_order_to_terminate_is_not_lost_while_it_starts),
		WITH(a_program_that_ignores_termination_is_killed_after_the_grace),
		WITH(a_stopped_program_obeys_too),
		WITH(a_program_that_keeps_forking_is_ended),
		WITH(signals_to_the_supervisor_do_not_end_it),
		WITH(the_program_dies_with_its_supervisor),
		WITH(a_worker_that_says_nothing_at_all_leaves_no_supervisor),
		WITH(a_broken_start_message_starts_nothing),
		cmocka_unit_test(an_end_line_is_read_exactly),
	};

	if (strcmp(argv[0], BF_SUPERVISOR_NAME) == 0)
		return bf_supervisor_main(argc, argv);
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
