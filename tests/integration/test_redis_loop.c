#include "helpers.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "io/redis_loop.h"

/* One connection and what was called back on it. */
struct seen {
	uv_loop_t loop;
	struct bf_redisc *conn;
	int ready, lost, answers, unknown, closed;
	struct bf_error why;      /* the last on_lost */
	struct bf_error last_err; /* of the last command that failed; code 0: none failed */
	int64_t last_int;
	size_t last_count, last_len;
	enum bf_redis_type last_type;
	char last_text[64];
	bool close_when_ready, close_when_lost, close_when_answered;
	bool in_order;
};

static void on_closed(void *data)
{
	struct seen *s = data;
	s->closed++;
}

static void on_ready(struct bf_redisc *c, void *data)
{
	struct seen *s = data;
	s->ready++;
	assert_true(bf_redisc_ready(c));
	if (s->close_when_ready)
		bf_redisc_close(c, on_closed, s);
}

static void on_lost(struct bf_redisc *c, const struct bf_error *err, void *data)
{
	struct seen *s = data;
	s->lost++;
	s->why = *err;
	assert_false(bf_redisc_ready(c));
	if (s->close_when_lost)
		bf_redisc_close(c, on_closed, s);
}

static void on_answer(struct bf_redisc *c, const struct bf_redis_reply *reply, const struct bf_error *err, void *data)
{
	struct seen *s = data;
	s->answers++;
	s->last_err.code = 0;
	if (err) {
		assert_null(reply);
		s->last_err = *err;
		s->unknown += err->code == BF_E_UNKNOWN_OUTCOME;
	} else {
		s->last_type = bf_redis_type(reply);
		s->last_int = bf_redis_int(reply);
		s->last_count = bf_redis_count(reply);
		s->last_len = bf_redis_len(reply);
		(void)snprintf(s->last_text, sizeof(s->last_text), "%s", bf_redis_text(reply));
	}
	if (s->close_when_answered)
		bf_redisc_close(c, on_closed, s);
}

static void start_at(struct seen *s, const char *url, int64_t timeout_ms)
{
	const struct bf_redisc_options o = {
		.url = url, .client_name = "a-test", .timeout_ms = timeout_ms, .on_ready = on_ready, .on_lost = on_lost, .data = s};
	struct bf_error err;
	memset(s, 0, sizeof(*s));
	assert_int_equal(uv_loop_init(&s->loop), 0);
	if (bf_redisc_open(&s->loop, &o, &s->conn, &err))
		fail_msg("%s", err.text);
}

static void start_ready(struct seen *s, const char *url, int64_t timeout_ms)
{
	start_at(s, url, timeout_ms);
	run_until(&s->loop, &s->ready, 1);
}

static void finish(struct seen *s)
{
	bf_redisc_close(s->conn, on_closed, s);
	run_until(&s->loop, &s->closed, 1);
	end_loop(&s->loop);
	assert_int_equal(s->closed, 1);
}

/* Words separated by single spaces. */
static int send_words(struct seen *s, const char *words, int64_t extra_ms)
{
	struct bf_redis_cmd cmd;
	bf_redis_cmd_init(&cmd);
	while (*words) {
		size_t len = strcspn(words, " ");
		bf_redis_arg_len(&cmd, words, len);
		words += len + (words[len] == ' ');
	}
	int rc = bf_redisc_exec(s->conn, &cmd, extra_ms, on_answer, s);
	bf_redis_cmd_release(&cmd);
	return rc;
}

static void ask(struct seen *s, const char *words)
{
	int before = s->answers;
	assert_int_equal(send_words(s, words, 0), 0);
	assert_int_equal(s->answers, before); /* never from within the starter */
	run_until(&s->loop, &s->answers, before + 1);
}

/* ---- with the shared server ---- */

static void a_new_connection_becomes_ready_and_answers(void **state)
{
	struct seen s;
	(void)state;
	start_ready(&s, NULL, 5000);
	ask(&s, "SET bf-test:loop hello");
	assert_int_equal(s.last_type, BF_REDIS_STATUS);
	ask(&s, "GET bf-test:loop");
	assert_string_equal(s.last_text, "hello");
	ask(&s, "CLIENT GETNAME");
	assert_string_equal(s.last_text, "a-test");
	ask(&s, "DEL bf-test:loop");
	assert_int_equal(s.last_int, 1);
	assert_int_equal(s.lost, 0);
	finish(&s);
}

static void nothing_is_accepted_before_it_is_ready(void **state)
{
	struct seen s;
	(void)state;
	start_at(&s, NULL, 5000);
	assert_int_equal(send_words(&s, "PING", 0), -BF_E_UNAVAILABLE);
	run_until(&s.loop, &s.ready, 1);
	finish(&s);
	assert_int_equal(s.answers, 0);
}

static void an_error_reply_belongs_to_its_command_only(void **state)
{
	struct seen s;
	(void)state;
	start_ready(&s, NULL, 5000);
	ask(&s, "SET bf-test:text x");
	ask(&s, "LPUSH bf-test:text y");
	assert_int_equal(s.last_err.code, BF_E_REDIS);
	assert_non_null(strstr(s.last_err.text, "WRONGTYPE"));
	ask(&s, "DEL bf-test:text");
	assert_int_equal(s.last_err.code, 0);
	assert_int_equal(s.lost, 0);
	finish(&s);
}

static void on_ordered(struct bf_redisc *c, const struct bf_redis_reply *reply, const struct bf_error *err, void *data)
{
	struct seen *s = data;
	(void)c;
	assert_null(err);
	s->in_order = s->in_order && bf_redis_int(reply) == s->answers;
	s->answers++;
}

static void many_commands_at_once_are_answered_in_order(void **state)
{
	struct seen s;
	(void)state;
	start_ready(&s, NULL, 5000);
	s.in_order = true;
	struct bf_redis_cmd cmd;
	bf_redis_cmd_init(&cmd);
	for (int i = 0; i < 20000; i++) {
		bf_redis_cmd_clear(&cmd);
		bf_redis_arg(&cmd, "ECHO");
		bf_redis_arg_int(&cmd, i);
		assert_int_equal(bf_redisc_exec(s.conn, &cmd, 0, on_ordered, &s), 0);
	}
	bf_redis_cmd_release(&cmd);
	run_until(&s.loop, &s.answers, 20000);
	assert_true(s.in_order);
	finish(&s);
}

static void a_reply_of_a_hundred_thousand_elements_arrives_whole(void **state)
{
	struct seen s;
	struct bf_redis_cmd cmd;
	(void)state;
	start_ready(&s, NULL, 5000);
	ask(&s, "DEL bf-test:list");
	bf_redis_cmd_init(&cmd);
	bf_redis_arg(&cmd, "RPUSH");
	bf_redis_arg(&cmd, "bf-test:list");
	for (int i = 0; i < 100000; i++)
		bf_redis_argf(&cmd, "weather.k3v9qa/daily/2012-01-01#%d", i);
	assert_int_equal(bf_redisc_exec(s.conn, &cmd, 0, on_answer, &s), 0);
	bf_redis_cmd_release(&cmd);
	run_until(&s.loop, &s.answers, 2);
	assert_int_equal(s.last_int, 100000);
	ask(&s, "LRANGE bf-test:list 0 9999");
	assert_int_equal(s.last_count, 10000);
	ask(&s, "LRANGE bf-test:list 0 -1");
	assert_int_equal(s.last_count, 100000);
	ask(&s, "DEL bf-test:list");
	finish(&s);
}

static void a_command_larger_than_the_socket_takes_is_sent_in_portions(void **state)
{
	const size_t size = (size_t)12 << 20;
	struct seen s;
	struct bf_redis_cmd cmd;
	(void)state;
	start_ready(&s, NULL, 20000);
	char *large = bf_alloc(size);
	memset(large, 'x', size);
	for (int i = 0; i < 3; i++) {
		bf_redis_cmd_init(&cmd);
		bf_redis_arg(&cmd, "SET");
		bf_redis_arg(&cmd, "bf-test:large");
		bf_redis_arg_len(&cmd, large, size);
		assert_int_equal(bf_redisc_exec(s.conn, &cmd, 0, on_answer, &s), 0);
		bf_redis_cmd_release(&cmd);
	}
	free(large);
	assert_int_equal(send_words(&s, "STRLEN bf-test:large", 0), 0);
	run_until(&s.loop, &s.answers, 4);
	assert_int_equal(s.last_int, size);
	ask(&s, "GET bf-test:large");
	assert_int_equal(s.last_len, size);
	ask(&s, "DEL bf-test:large");
	finish(&s);
}

static void what_cannot_be_held_is_refused_and_not_called_back(void **state)
{
	const size_t size = (size_t)40 << 20;
	struct seen s;
	struct bf_redis_cmd cmd;
	(void)state;
	start_ready(&s, NULL, 5000);
	char *large = bf_alloc(size);
	memset(large, 'x', size);
	bf_redis_cmd_init(&cmd);
	bf_redis_arg(&cmd, "ECHO");
	bf_redis_arg_len(&cmd, large, size);
	bf_redis_arg_len(&cmd, large, size);
	free(large);
	assert_int_equal(bf_redisc_exec(s.conn, &cmd, 0, on_answer, &s), -BF_E_LIMIT);
	bf_redis_cmd_release(&cmd);
	ask(&s, "PING");
	assert_int_equal(s.answers, 1);
	finish(&s);
}

static void a_blocking_pop_may_take_longer_than_the_timeout(void **state)
{
	struct seen s;
	(void)state;
	start_ready(&s, NULL, 500);
	assert_int_equal(send_words(&s, "BLPOP bf-test:never 0.8", 60000), 0);
	run_until(&s.loop, &s.answers, 1);
	assert_int_equal(s.last_err.code, 0);
	assert_int_equal(s.last_type, BF_REDIS_NIL);
	assert_int_equal(s.lost, 0);
	finish(&s);
}

/* ---- closing ---- */

static void closing_calls_back_what_is_pending_and_then_closed(void **state)
{
	struct seen s;
	(void)state;
	start_ready(&s, NULL, 5000);
	for (int i = 0; i < 5; i++)
		assert_int_equal(send_words(&s, "BLPOP bf-test:never 0", 60000), 0);
	bf_redisc_close(s.conn, on_closed, &s);
	bf_redisc_close(s.conn, on_closed, &s); /* once is enough, twice does no harm */
	assert_int_equal(s.answers, 0);
	assert_int_equal(send_words(&s, "PING", 0), -BF_E_UNAVAILABLE);
	run_until(&s.loop, &s.closed, 1);
	assert_int_equal(s.unknown, 5);
	end_loop(&s.loop);
	assert_int_equal(s.lost, 0);
	assert_int_equal(s.closed, 1);
}

/* From just opened over connecting and greeting to ready: closed after each number of turns of the loop. */
static void closing_is_safe_at_each_moment_of_connecting(void **state)
{
	static const char *const urls[] = {NULL, "redis://localhost:1", "redis://127.0.0.1:1", "redis://no-such-host.invalid:1",
									   "unix:///nowhere/redis.sock"};
	(void)state;
	for (size_t u = 0; u < BF_COUNT_OF(urls); u++) {
		for (int turns = 0; turns < 8; turns++) {
			struct seen s;
			start_at(&s, urls[u], 5000);
			for (int i = 0; i < turns; i++)
				uv_run(&s.loop, UV_RUN_NOWAIT);
			finish(&s);
		}
	}
}

static void closing_is_safe_in_every_callback(void **state)
{
	struct seen s;
	(void)state;
	start_at(&s, NULL, 5000);
	s.close_when_ready = true;
	run_until(&s.loop, &s.closed, 1);
	end_loop(&s.loop);

	start_at(&s, "unix:///nowhere/redis.sock", 5000);
	s.close_when_lost = true;
	run_until(&s.loop, &s.closed, 1);
	end_loop(&s.loop);

	start_ready(&s, NULL, 5000);
	s.close_when_answered = true;
	for (int i = 0; i < 10; i++)
		assert_int_equal(send_words(&s, "PING", 0), 0);
	run_until(&s.loop, &s.closed, 1);
	end_loop(&s.loop);
	assert_int_equal(s.answers, 10);
}

/* ---- with a server of one's own ---- */

static void a_killed_server_leaves_the_outcome_unknown_and_is_found_again(void **state)
{
	struct own_redis server = {.pid = 0};
	struct seen s;
	(void)state;
	own_redis_start(&server);
	start_ready(&s, server.url, 5000);
	own_redis_signal(&server, SIGSTOP);
	for (int i = 0; i < 100; i++)
		assert_int_equal(send_words(&s, "INCR bf-test:n", 0), 0);
	own_redis_kill(&server);
	run_until(&s.loop, &s.lost, 1);
	assert_int_equal(s.unknown, 100);
	assert_int_equal(s.answers, 100);
	assert_int_equal(s.why.code, BF_E_UNAVAILABLE);
	own_redis_start(&server);
	run_until(&s.loop, &s.ready, 2);
	ask(&s, "PING");
	assert_string_equal(s.last_text, "PONG");
	finish(&s);
	own_redis_remove(&server);
}

static void a_stopped_server_is_noticed_by_its_silence(void **state)
{
	struct own_redis server = {.pid = 0};
	struct seen s;
	(void)state;
	own_redis_start(&server);
	start_ready(&s, server.url, 1000);
	own_redis_signal(&server, SIGSTOP);
	assert_int_equal(send_words(&s, "PING", 0), 0);
	assert_int_equal(send_words(&s, "PING", 0), 0);
	run_until(&s.loop, &s.lost, 1);
	assert_int_equal(s.unknown, 2);
	assert_non_null(strstr(s.why.text, "no answer for 1000 ms"));
	run_until(&s.loop, &s.lost, 2); /* a try to connect gets no greeting either, and that is another reason */
	assert_non_null(strstr(s.why.text, "cannot be reached"));
	own_redis_signal(&server, SIGCONT);
	run_until(&s.loop, &s.ready, 2);
	ask(&s, "PING");
	finish(&s);
	own_redis_remove(&server);
}

static void an_absent_server_is_told_once_and_found_when_it_comes(void **state)
{
	struct own_redis server = {.pid = 0};
	struct seen s;
	(void)state;
	own_redis_prepare(&server);
	start_at(&s, server.url, 5000);
	run_until(&s.loop, &s.lost, 1);
	assert_int_equal(s.why.code, BF_E_UNAVAILABLE);
	assert_non_null(strstr(s.why.text, server.url));
	assert_non_null(strstr(s.why.text, "(No such file or directory)"));
	assert_non_null(strstr(s.why.text, "deploy/local up"));
	own_redis_start(&server);
	run_until(&s.loop, &s.ready, 1);
	assert_int_equal(s.lost, 1);
	finish(&s);
	own_redis_remove(&server);
}

static void a_name_is_resolved_and_a_refusing_port_is_told(void **state)
{
	struct own_redis server = {.port = free_port()};
	struct seen s;
	char url[64];
	(void)state;
	own_redis_start(&server);
	(void)snprintf(url, sizeof(url), "redis://localhost:%d/3", server.port);
	start_ready(&s, url, 5000);
	ask(&s, "CLIENT INFO");
	assert_string_equal(bf_redisc_where(s.conn), url);
	own_redis_kill(&server);
	run_until(&s.loop, &s.lost, 2);
	assert_non_null(strstr(s.why.text, "Connection refused"));
	finish(&s);
	own_redis_remove(&server);
}

static void a_name_that_does_not_exist_is_told(void **state)
{
	struct seen s;
	(void)state;
	start_at(&s, "redis://no-such-host.invalid:6379", 20000);
	run_until(&s.loop, &s.lost, 1);
	assert_non_null(strstr(s.why.text, "redis://no-such-host.invalid:6379/0"));
	finish(&s);
}

static void a_password_is_used_and_never_shown(void **state)
{
	struct own_redis server = {.password = "s3cret"};
	struct seen s;
	char url[128];
	(void)state;
	own_redis_start(&server);
	start_ready(&s, server.url, 5000);
	assert_null(strstr(bf_redisc_where(s.conn), "s3cret"));
	finish(&s);

	(void)snprintf(url, sizeof(url), "unix://:wr0ng@%s/redis.sock", server.dir);
	start_at(&s, url, 5000);
	run_until(&s.loop, &s.lost, 1);
	assert_non_null(strstr(s.why.text, "refuses AUTH: WRONGPASS"));
	assert_null(strstr(s.why.text, "wr0ng"));
	finish(&s);

	(void)snprintf(url, sizeof(url), "unix://%s/redis.sock", server.dir);
	start_at(&s, url, 5000);
	run_until(&s.loop, &s.lost, 1);
	assert_non_null(strstr(s.why.text, "wants a password"));
	assert_int_equal(s.ready, 0);
	finish(&s);
	own_redis_remove(&server);
}

/* ---- something that is no Redis ---- */

static void accept_and_say_http(uv_stream_t *listener, int status);
static void free_handle(uv_handle_t *h)
{
	free(h);
}

static void accept_and_say_http(uv_stream_t *listener, int status)
{
	char text[] = "HTTP/1.1 400 Bad Request\r\n\r\n";
	uv_buf_t buf = uv_buf_init(text, sizeof(text) - 1);
	assert_int_equal(status, 0);
	uv_pipe_t *peer = bf_alloc(sizeof(*peer));
	uv_pipe_init(listener->loop, peer, 0);
	assert_int_equal(uv_accept(listener, (uv_stream_t *)peer), 0);
	(void)uv_try_write((uv_stream_t *)peer, &buf, 1);
	uv_close((uv_handle_t *)peer, free_handle);
}

static void a_server_that_is_no_redis_is_told(void **state)
{
	struct own_redis place = {.pid = 0};
	struct seen s;
	char path[96];
	uv_pipe_t listener;
	(void)state;
	own_redis_prepare(&place);
	(void)snprintf(path, sizeof(path), "%s/redis.sock", place.dir);
	start_at(&s, place.url, 5000);
	uv_pipe_init(&s.loop, &listener, 0);
	assert_int_equal(uv_pipe_bind(&listener, path), 0);
	assert_int_equal(uv_listen((uv_stream_t *)&listener, 8, accept_and_say_http), 0);
	run_until(&s.loop, &s.lost, 1);
	assert_int_equal(s.ready, 0);
	assert_non_null(strstr(s.why.text, "cannot be reached"));
	uv_close((uv_handle_t *)&listener, NULL);
	finish(&s);
	own_redis_remove(&place);
}

static void an_impossible_address_is_refused_at_once(void **state)
{
	const struct bf_redisc_options o = {.url = "rediss://h:1", .timeout_ms = 1};
	struct bf_redisc *c;
	struct bf_error err;
	uv_loop_t loop;
	(void)state;
	uv_loop_init(&loop);
	assert_int_equal(bf_redisc_open(&loop, &o, &c, &err), -BF_E_INPUT);
	end_loop(&loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_connection_becomes_ready_and_answers),
		cmocka_unit_test(nothing_is_accepted_before_it_is_ready),
		cmocka_unit_test(an_error_reply_belongs_to_its_command_only),
		cmocka_unit_test(many_commands_at_once_are_answered_in_order),
		cmocka_unit_test(a_reply_of_a_hundred_thousand_elements_arrives_whole),
		cmocka_unit_test(a_command_larger_than_the_socket_takes_is_sent_in_portions),
		cmocka_unit_test(what_cannot_be_held_is_refused_and_not_called_back),
		cmocka_unit_test(a_blocking_pop_may_take_longer_than_the_timeout),
		cmocka_unit_test(closing_calls_back_what_is_pending_and_then_closed),
		cmocka_unit_test(closing_is_safe_at_each_moment_of_connecting),
		cmocka_unit_test(closing_is_safe_in_every_callback),
		cmocka_unit_test(a_killed_server_leaves_the_outcome_unknown_and_is_found_again),
		cmocka_unit_test(a_stopped_server_is_noticed_by_its_silence),
		cmocka_unit_test(an_absent_server_is_told_once_and_found_when_it_comes),
		cmocka_unit_test(a_name_is_resolved_and_a_refusing_port_is_told),
		cmocka_unit_test(a_name_that_does_not_exist_is_told),
		cmocka_unit_test(a_password_is_used_and_never_shown),
		cmocka_unit_test(a_server_that_is_no_redis_is_told),
		cmocka_unit_test(an_impossible_address_is_refused_at_once),
	};
	need_env("BF_REDIS_URL");
	start_watchdog(120);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
