#include "helpers.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "io/redis.h"

/* ---- addresses ---- */

static void addresses_are_read(void **state)
{
	static const struct {
		const char *url, *host, *user, *password, *shown;
		int port, db;
	} cases[] = {
		{"redis://127.0.0.1:6379/0", "127.0.0.1", "", "", "redis://127.0.0.1:6379/0", 6379, 0},
		{"redis://h", "h", "", "", "redis://h:6379/0", 6379, 0},
		{"redis://h/", "h", "", "", "redis://h:6379/0", 6379, 0},
		{"redis://", "127.0.0.1", "", "", "redis://127.0.0.1:6379/0", 6379, 0},
		{"REDIS://h:7000/15", "h", "", "", "redis://h:7000/15", 7000, 15},
		{"redis://[::1]:7000/1", "::1", "", "", "redis://[::1]:7000/1", 7000, 1},
		{"redis://[::1]", "::1", "", "", "redis://[::1]:6379/0", 6379, 0},
		{"redis://:pw@h", "h", "", "pw", "redis://h:6379/0", 6379, 0},
		{"redis://me:p%40w%2F%3a@h:1/2", "h", "me", "p@w/:", "redis://h:1/2", 1, 2},
		{"redis://me:a/b@c@h:1/2", "h", "me", "a/b@c", "redis://h:1/2", 1, 2},
		{"unix:///run/redis/redis.sock", "/run/redis/redis.sock", "", "", "unix:///run/redis/redis.sock", 0, 0},
		{"unix:///a%20b/r.sock?db=4", "/a b/r.sock", "", "", "unix:///a b/r.sock?db=4", 0, 4},
		{"unix://me:pw@/r.sock", "/r.sock", "me", "pw", "unix:///r.sock", 0, 0},
	};
	(void)state;
	for (size_t i = 0; i < BF_COUNT_OF(cases); i++) {
		struct bf_redis_url url;
		struct bf_error err;
		if (bf_redis_url_parse(cases[i].url, &url, &err))
			fail_msg("%s: %s", cases[i].url, err.text);
		assert_string_equal(url.host, cases[i].host);
		assert_string_equal(url.user, cases[i].user);
		assert_string_equal(url.password, cases[i].password);
		assert_string_equal(url.shown, cases[i].shown);
		assert_int_equal(url.port, cases[i].port);
		assert_int_equal(url.db, cases[i].db);
	}
}

static void the_address_of_sentinels_is_read(void **state)
{
	struct bf_redis_url url;
	struct bf_error err;
	(void)state;
	assert_int_equal(bf_redis_url_parse("sentinel://me:p%40w@10.0.0.1,[::1]:7000,h:7001/my.master-1?db=3", &url, &err), 0);
	assert_int_equal(url.n_sentinels, 3);
	assert_string_equal(url.sentinels[0].host, "10.0.0.1");
	assert_int_equal(url.sentinels[0].port, 26379);
	assert_string_equal(url.sentinels[1].host, "::1");
	assert_int_equal(url.sentinels[1].port, 7000);
	assert_string_equal(url.sentinels[2].host, "h");
	assert_string_equal(url.user, "me");
	assert_string_equal(url.password, "p@w");
	assert_string_equal(url.master, "my.master-1");
	assert_int_equal(url.db, 3);
	assert_string_equal(url.shown, "sentinel://10.0.0.1:26379,[::1]:7000,h:7001/my.master-1?db=3");
}

static void junk_addresses_are_named_and_passwords_are_not(void **state)
{
	static const struct {
		const char *url, *said;
	} cases[] = {
		{"rediss://me:s3cret@h:1", "stunnel"},
		{"sentinel://me:s3cret@h:1,h:2", "the name of a master"},
		{"sentinel://me:s3cret@h:1,/main", "host:port"},
		{"sentinel://me:s3cret@h:1,h:x/main", "found \"x\""},
		{"sentinel://me:s3cret@h/ma in", "the name of a master"},
		{"sentinel://me:s3cret@h/main?x=1", "found \"?x=1\""},
		{"sentinel://a,b,c,d,e,f,g,h,i,j/main", "at most nine"},
		{"http://me:s3cret@h", "unknown scheme \"http\""},
		{"127.0.0.1:6379", "no scheme in \"127.0.0.1:6379\""},
		{"me:s3cret@h:6379", "no scheme in \"h:6379\""},
		{"redis://:s3cret@h:abc", "found \"abc\""},
		{"redis://:s3cret@h:0", "found \"0\""},
		{"redis://:s3cret@h:65536", "found \"65536\""},
		{"redis://:s3cret@h:1/x", "found \"x\""},
		{"redis://:s3cret@h:1/-1", "found \"-1\""},
		{"redis://h:1?db=2", "found \"?db=2\""},
		{"redis://s3cret@h", "user:password@ or :password@"},
		{"redis://:s3cret%@h", "the password is not followed by two hexadecimal digits"},
		{"redis://:s3cret%00@h", "hexadecimal"},
		{"redis://[::1", "[IPv6 address]:port"},
		{"unix://run/redis.sock", "whole path"},
		{"unix:///", "whole path"},
		{"unix:///r.sock?x=1", "found \"?x=1\""},
		{"unix:///r.sock?db=", "found \"\""},
	};
	(void)state;
	for (size_t i = 0; i < BF_COUNT_OF(cases); i++) {
		struct bf_redis_url url;
		struct bf_error err;
		assert_int_equal(bf_redis_url_parse(cases[i].url, &url, &err), -BF_E_INPUT);
		if (!strstr(err.text, cases[i].said))
			fail_msg("%s: said: %s", cases[i].url, err.text);
		assert_null(strstr(err.text, "s3cret"));
	}
}

static void an_address_that_is_too_long_is_refused(void **state)
{
	char url[2048];
	struct bf_redis_url parsed;
	struct bf_error err;
	(void)state;
	(void)snprintf(url, sizeof(url), "redis://%01000d", 1);
	assert_int_equal(bf_redis_url_parse(url, &parsed, &err), -BF_E_INPUT);
	(void)snprintf(url, sizeof(url), "redis://:%01000d@h", 1);
	assert_int_equal(bf_redis_url_parse(url, &parsed, &err), -BF_E_INPUT);
	(void)snprintf(url, sizeof(url), "unix:///%0120d", 1);
	assert_int_equal(bf_redis_url_parse(url, &parsed, &err), -BF_E_INPUT);
	assert_non_null(strstr(err.text, "107"));
}

static void the_environment_decides_when_no_address_is_given(void **state)
{
	char *before = bf_strdup(getenv("BF_REDIS_URL"));
	struct bf_redis_url url;
	(void)state;
	setenv("BF_REDIS_URL", "redis://elsewhere:1/2", 1);
	assert_int_equal(bf_redis_url_parse(NULL, &url, NULL), 0);
	assert_string_equal(url.shown, "redis://elsewhere:1/2");
	unsetenv("BF_REDIS_URL");
	assert_int_equal(bf_redis_url_parse(NULL, &url, NULL), 0);
	assert_string_equal(url.shown, "redis://127.0.0.1:6379/0");
	setenv("BF_REDIS_URL", before, 1);
	free(before);
}

/* ---- commands ---- */

static void a_command_is_encoded_byte_for_byte(void **state)
{
	struct bf_redis_cmd cmd;
	struct bf_buf out;
	(void)state;
	bf_redis_cmd_init(&cmd);
	bf_buf_init(&out, 4096);
	bf_redis_arg(&cmd, "SET");
	bf_redis_arg_len(&cmd, "a\0b\r\n", 5);
	bf_redis_arg_int(&cmd, INT64_MIN);
	bf_redis_argf(&cmd, "%s-%d", "x", 7);
	bf_redis_arg(&cmd, "");
	bf_redis_cmd_encode(&cmd, &out);
	const char expected[] = "*5\r\n$3\r\nSET\r\n$5\r\na\0b\r\n\r\n$20\r\n-9223372036854775808\r\n$3\r\nx-7\r\n$0\r\n\r\n";
	assert_int_equal(out.len, sizeof(expected) - 1);
	assert_memory_equal(out.data, expected, out.len);
	bf_redis_cmd_clear(&cmd);
	bf_redis_argf(&cmd, "%01000d", 5);
	bf_redis_cmd_encode(&cmd, &out);
	assert_memory_equal(out.data, "*1\r\n$1000\r\n0000", 15);
	bf_redis_cmd_release(&cmd);
	bf_buf_release(&out);
}

/* ---- with a server ---- */

static struct bf_redis *open_at(const char *url)
{
	struct bf_redis *r;
	struct bf_error err;
	if (bf_redis_open(url, &r, &err))
		fail_msg("%s", err.text);
	return r;
}

/* Words separated by single spaces. */
static int run(struct bf_redis *r, const char *words, struct bf_redis_reply **out, struct bf_error *err)
{
	struct bf_redis_cmd cmd;
	bf_redis_cmd_init(&cmd);
	while (*words) {
		size_t len = strcspn(words, " ");
		bf_redis_arg_len(&cmd, words, len);
		words += len + (words[len] == ' ');
	}
	int rc = bf_redis_exec(r, &cmd, out, err);
	bf_redis_cmd_release(&cmd);
	return rc;
}

static void every_type_of_reply_is_read(void **state)
{
	BF_AUTOREPLY struct bf_redis_reply *reply = NULL;
	struct bf_redis *r = open_at(NULL);
	struct bf_redis_cmd cmd;
	(void)state;
	bf_redis_cmd_init(&cmd);
	bf_redis_arg(&cmd, "EVAL");
	bf_redis_arg(&cmd, "return {1, 'two', false, {'33', redis.status_reply('OK')}}");
	bf_redis_arg_int(&cmd, 0);
	assert_int_equal(bf_redis_exec(r, &cmd, &reply, NULL), 0);
	bf_redis_cmd_release(&cmd);
	assert_int_equal(bf_redis_type(reply), BF_REDIS_ARRAY);
	assert_int_equal(bf_redis_count(reply), 4);
	assert_int_equal(bf_redis_int(bf_redis_at(reply, 0)), 1);
	assert_string_equal(bf_redis_text(bf_redis_at(reply, 1)), "two");
	assert_int_equal(bf_redis_len(bf_redis_at(reply, 1)), 3);
	assert_int_equal(bf_redis_int(bf_redis_at(reply, 1)), 0);
	assert_int_equal(bf_redis_type(bf_redis_at(reply, 2)), BF_REDIS_NIL);
	assert_int_equal(bf_redis_int(bf_redis_at(bf_redis_at(reply, 3), 0)), 33);
	assert_int_equal(bf_redis_type(bf_redis_at(bf_redis_at(reply, 3), 1)), BF_REDIS_STATUS);
	assert_int_equal(bf_redis_type(bf_redis_at(reply, 4)), BF_REDIS_NIL);
	assert_int_equal(bf_redis_count(bf_redis_at(bf_redis_at(reply, 9), 9)), 0);
	assert_string_equal(bf_redis_text(reply), "");
	bf_redis_close(r);
}

static void an_error_reply_leaves_the_connection_usable(void **state)
{
	struct bf_redis *r = open_at(NULL);
	struct bf_redis_reply *reply;
	struct bf_error err;
	(void)state;
	assert_int_equal(run(r, "NOSUCHCOMMAND", &reply, &err), -BF_E_REDIS);
	assert_null(reply);
	assert_non_null(strstr(err.text, "unknown command"));
	assert_true(bf_redis_alive(r));
	assert_int_equal(run(r, "PING", NULL, &err), 0);
	bf_redis_close(r);
}

static void a_server_that_goes_away_leaves_the_outcome_unknown_once(void **state)
{
	struct own_redis server = {.pid = 0};
	struct bf_error err;
	(void)state;
	own_redis_start(&server);
	struct bf_redis *r = open_at(server.url);
	own_redis_kill(&server);
	assert_int_equal(run(r, "INCR x", NULL, &err), -BF_E_UNKNOWN_OUTCOME);
	assert_non_null(strstr(err.text, server.url));
	assert_false(bf_redis_alive(r));
	assert_int_equal(run(r, "INCR x", NULL, &err), -BF_E_UNAVAILABLE);
	bf_redis_close(r);
	own_redis_remove(&server);
}

static void an_unreachable_server_is_told_with_where_and_what_to_do(void **state)
{
	char *before = bf_strdup(getenv("BF_REDIS_URL"));
	struct bf_redis *r;
	struct bf_error err;
	(void)state;
	setenv("BF_REDIS_URL", "unix:///nowhere/redis.sock", 1);
	assert_int_equal(bf_redis_open(NULL, &r, &err), -BF_E_UNAVAILABLE);
	assert_string_equal(err.text, "Redis cannot be reached at unix:///nowhere/redis.sock (No such file or directory). "
								  "It was looked for there because of BF_REDIS_URL; `deploy/local up` starts a private one.");
	setenv("BF_REDIS_URL", before, 1);
	free(before);
}

static void a_wrong_password_is_told_and_not_shown(void **state)
{
	struct own_redis server = {.password = "s3cret"};
	struct bf_redis *r;
	struct bf_error err;
	char url[128];
	(void)state;
	own_redis_start(&server);
	(void)snprintf(url, sizeof(url), "unix://:wr0ng@%s/redis.sock", server.dir);
	assert_int_equal(bf_redis_open(url, &r, &err), -BF_E_UNAVAILABLE);
	assert_non_null(strstr(err.text, "WRONGPASS"));
	assert_null(strstr(err.text, "wr0ng"));
	(void)snprintf(url, sizeof(url), "unix://default:s3cret@%s/redis.sock?db=3", server.dir);
	r = open_at(url);
	assert_int_equal(run(r, "SET here 1", NULL, NULL), 0);
	assert_null(strstr(bf_redis_where(r), "s3cret"));
	bf_redis_close(r);
	own_redis_remove(&server);
}

static void a_server_that_evicts_is_refused_and_one_without_aof_is_warned_about(void **state)
{
	struct own_redis server = {.pid = 0};
	struct bf_error err;
	char warning[400];
	(void)state;
	own_redis_start(&server);
	struct bf_redis *r = open_at(server.url);
	assert_int_equal(bf_redis_check_server(r, warning, sizeof(warning), &err), 0);
	assert_non_null(strstr(warning, "append-only"));
	assert_int_equal(bf_redis_check_server(r, NULL, 0, &err), 0);

	assert_int_equal(run(r, "CONFIG SET maxmemory-policy allkeys-lru", NULL, NULL), 0);
	assert_int_equal(bf_redis_check_server(r, NULL, 0, &err), -BF_E_UNAVAILABLE); /* also without a limit: it may come */
	assert_non_null(strstr(err.text, "allkeys-lru"));

	assert_int_equal(run(r, "CONFIG SET maxmemory-policy noeviction", NULL, NULL), 0);
	assert_int_equal(run(r, "CONFIG SET appendonly yes", NULL, NULL), 0);
	assert_int_equal(bf_redis_check_server(r, warning, sizeof(warning), &err), 0);
	assert_string_equal(warning, "");
	assert_int_equal(run(r, "CONFIG SET appendonly no", NULL, NULL), 0);
	bf_redis_close(r);
	own_redis_remove(&server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_are_read),
		cmocka_unit_test(the_address_of_sentinels_is_read),
		cmocka_unit_test(junk_addresses_are_named_and_passwords_are_not),
		cmocka_unit_test(an_address_that_is_too_long_is_refused),
		cmocka_unit_test(the_environment_decides_when_no_address_is_given),
		cmocka_unit_test(a_command_is_encoded_byte_for_byte),
		cmocka_unit_test(every_type_of_reply_is_read),
		cmocka_unit_test(an_error_reply_leaves_the_connection_usable),
		cmocka_unit_test(a_server_that_goes_away_leaves_the_outcome_unknown_once),
		cmocka_unit_test(an_unreachable_server_is_told_with_where_and_what_to_do),
		cmocka_unit_test(a_wrong_password_is_told_and_not_shown),
		cmocka_unit_test(a_server_that_evicts_is_refused_and_one_without_aof_is_warned_about),
	};
	need_env("BF_REDIS_URL");
	start_watchdog(120);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
