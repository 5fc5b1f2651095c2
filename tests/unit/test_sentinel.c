/* The search for a master (io/redis_sentinel.h), with the answers of sentinels and servers played here. */
#include "io/redis_sentinel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "io/redis_internal.h"

/* ---- a search, and what it is told ---- */

struct fixture {
	struct bf_redis_url url;
	struct bf_sentinel_search search;
	struct bf_error err;
};

static int setup(void **state)
{
	static struct fixture f;
	assert_int_equal(bf_redis_url_parse("sentinel://u:secret@10.0.0.1:1,10.0.0.2:2,[fe80::1]:3/bf?db=4", &f.url, NULL), 0);
	bf_sentinel_init(&f.search, &f.url);
	bf_sentinel_begin(&f.search);
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	bf_sentinel_release(&f->search);
	return 0;
}

/* As it comes over the wire; to be freed. */
static struct bf_redis_reply *reply(const char *wire)
{
	void *raw = NULL;
	redisReader *reader = redisReaderCreate();
	assert_int_equal(redisReaderFeed(reader, wire, strlen(wire)), REDIS_OK);
	assert_int_equal(redisReaderGetReply(reader, &raw), REDIS_OK);
	assert_non_null(raw);
	redisReaderFree(reader);
	return bf_redis_wrap(raw);
}

static int named(struct fixture *f, const char *wire)
{
	BF_AUTOREPLY struct bf_redis_reply *answer = reply(wire);
	return bf_sentinel_named(&f->search, answer, &f->err);
}

static int role(struct fixture *f, const char *wire)
{
	BF_AUTOREPLY struct bf_redis_reply *answer = reply(wire);
	return bf_sentinel_check_role(answer, &f->err);
}

#define NAMES(host, port) "*2\r\n" host port
#define HOST_A            "$8\r\n10.0.1.1\r\n"
#define HOST_B            "$8\r\n10.0.1.2\r\n"
#define PORT_6379         "$4\r\n6379\r\n"

static void assert_place(const struct fixture *f, const char *host, int port, bool at_master)
{
	assert_string_equal(f->search.place.host, host);
	assert_int_equal(f->search.place.port, port);
	assert_int_equal(f->search.at_master, at_master);
}

/* ---- the way through a search ---- */

static void the_first_sentinel_is_asked_for_the_masters_address(void **state)
{
	struct fixture *f = *state;
	struct bf_redis_cmd cmd;
	BF_AUTOBUF struct bf_buf wire;
	bf_buf_init(&wire, 1000);
	bf_redis_cmd_init(&cmd);
	bf_redis_arg(&cmd, "something else");
	bf_sentinel_question(&f->search, &cmd);
	bf_redis_cmd_encode(&cmd, &wire);
	assert_string_equal(wire.data, "*3\r\n$8\r\nSENTINEL\r\n$23\r\nGET-MASTER-ADDR-BY-NAME\r\n$2\r\nbf\r\n");
	bf_redis_cmd_release(&cmd);
	assert_place(f, "10.0.0.1", 1, false);
	assert_true(f->search.under_way);
}

static void a_named_server_that_says_it_is_a_master_is_the_end(void **state)
{
	struct fixture *f = *state;
	char shown[300];
	assert_int_equal(named(f, NAMES(HOST_A, PORT_6379)), 0);
	assert_place(f, "10.0.1.1", 6379, true);
	assert_int_equal(role(f, "*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n"), 0);
	bf_sentinel_show(&f->search, shown, sizeof(shown));
	assert_string_equal(shown, "redis://10.0.1.1:6379/4 (master bf)");
	bf_sentinel_found(&f->search);
	assert_false(f->search.under_way);
}

static void a_sentinel_that_fails_is_followed_by_the_next_one_until_none_is_left(void **state)
{
	struct fixture *f = *state;
	assert_true(bf_sentinel_failed(&f->search, "no answer"));
	assert_place(f, "10.0.0.2", 2, false);
	assert_true(bf_sentinel_failed(&f->search, "no answer"));
	assert_place(f, "fe80::1", 3, false);
	assert_false(bf_sentinel_failed(&f->search, "no answer"));
	assert_false(f->search.under_way);
}

static void a_server_that_fails_leads_to_the_next_sentinel_not_to_the_same(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(named(f, NAMES(HOST_A, PORT_6379)), 0);
	assert_true(bf_sentinel_failed(&f->search, "Connection refused"));
	assert_place(f, "10.0.0.2", 2, false);
	assert_int_equal(named(f, NAMES(HOST_B, PORT_6379)), 0);
	assert_place(f, "10.0.1.2", 6379, true);
}

static void the_sentinel_that_led_to_the_master_is_asked_first_the_next_time(void **state)
{
	struct fixture *f = *state;
	assert_true(bf_sentinel_failed(&f->search, "no answer"));
	assert_int_equal(named(f, NAMES(HOST_A, PORT_6379)), 0);
	bf_sentinel_found(&f->search);
	bf_sentinel_begin(&f->search);
	assert_place(f, "10.0.0.2", 2, false);
	assert_true(bf_sentinel_failed(&f->search, "no answer"));
	assert_place(f, "fe80::1", 3, false);
	assert_true(bf_sentinel_failed(&f->search, "no answer"));
	assert_place(f, "10.0.0.1", 1, false); /* all of them are asked */
	assert_false(bf_sentinel_failed(&f->search, "no answer"));
}

/* ---- what sentinels and servers may say ---- */

static void a_server_that_was_tried_in_this_search_is_not_tried_again(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(named(f, NAMES(HOST_A, PORT_6379)), 0);
	assert_true(bf_sentinel_failed(&f->search, "Connection refused"));
	assert_true(named(f, NAMES(HOST_A, PORT_6379)) < 0);
	assert_string_equal(f->err.text, "names 10.0.1.1:6379, too");
	assert_place(f, "10.0.0.2", 2, false);
	bf_sentinel_begin(&f->search);
	assert_int_equal(named(f, NAMES(HOST_A, PORT_6379)), 0); /* in another search it is */
}

static void a_replica_is_not_used(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(role(f, "*5\r\n$5\r\nslave\r\n$8\r\n10.0.1.1\r\n:6379\r\n$9\r\nconnected\r\n:5\r\n"), -BF_E_UNAVAILABLE);
	assert_string_equal(f->err.text, "its ROLE is \"slave\", not \"master\"");
	assert_int_equal(role(f, "*1\r\n$8\r\nsentinel\r\n"), -BF_E_UNAVAILABLE);
	assert_int_equal(role(f, "+OK\r\n"), -BF_E_UNAVAILABLE);
}

static void a_sentinel_that_does_not_know_the_master_says_so(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(named(f, "*-1\r\n"), -BF_E_NOT_FOUND);
	assert_string_equal(f->err.text, "knows no master bf");
}

static void an_answer_that_is_no_address_is_refused(void **state)
{
	static const char *const wires[] = {"*0\r\n",
										"+OK\r\n",
										"*1\r\n" HOST_A,
										NAMES(HOST_A, "$1\r\n0\r\n"),
										NAMES(HOST_A, "$5\r\n65536\r\n"),
										NAMES(HOST_A, "$1\r\nx\r\n"),
										NAMES("$0\r\n\r\n", PORT_6379)};
	struct fixture *f = *state;
	for (size_t i = 0; i < sizeof(wires) / sizeof(wires[0]); i++) {
		assert_int_equal(named(f, wires[i]), -BF_E_UNAVAILABLE);
		assert_string_equal(f->err.text, "gives no address");
	}
	assert_place(f, "10.0.0.1", 1, false);
}

static void a_name_that_is_too_long_is_refused(void **state)
{
	struct fixture *f = *state;
	char wire[400], host[257];
	memset(host, 'a', 256);
	host[256] = '\0';
	(void)snprintf(wire, sizeof(wire), "*2\r\n$256\r\n%s\r\n" PORT_6379, host);
	assert_int_equal(named(f, wire), -BF_E_UNAVAILABLE);
	(void)snprintf(wire, sizeof(wire), "*2\r\n$255\r\n%s\r\n" PORT_6379, host + 1);
	assert_int_equal(named(f, wire), 0);
}

static void a_password_is_given_once_and_only_to_a_sentinel_that_wants_one(void **state)
{
	struct fixture *f = *state;
	assert_false(bf_sentinel_wants_password(&f->search, "ERR unknown command"));
	assert_true(bf_sentinel_wants_password(&f->search, "NOAUTH Authentication required."));
	assert_false(bf_sentinel_wants_password(&f->search, "NOAUTH Authentication required."));
	assert_true(bf_sentinel_failed(&f->search, "NOAUTH"));
	assert_true(bf_sentinel_wants_password(&f->search, "NOAUTH Authentication required.")); /* the next one */
	*f->url.password = '\0';
	assert_true(bf_sentinel_failed(&f->search, "NOAUTH"));
	assert_false(bf_sentinel_wants_password(&f->search, "NOAUTH Authentication required."));
}

static void the_message_says_who_was_asked_and_what_each_said_and_no_password(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(named(f, NAMES(HOST_A, PORT_6379)), 0);
	assert_true(bf_sentinel_failed(&f->search, "Connection refused"));
	assert_true(bf_sentinel_failed(&f->search, "no answer for 500 ms"));
	assert_false(bf_sentinel_failed(&f->search, "knows no master bf"));
	assert_int_equal(bf_sentinel_fail(&f->search, &f->err), -BF_E_UNAVAILABLE);
	assert_string_equal(f->err.text, "Redis cannot be reached through sentinel://10.0.0.1:1,10.0.0.2:2,[fe80::1]:3/bf?db=4 (BF_REDIS_URL). "
									 "The sentinels: 10.0.0.1:1 names 10.0.1.1:6379: Connection refused; 10.0.0.2:2: no answer for 500 ms; "
									 "[fe80::1]:3: knows no master bf.");
}

int main(void)
{
#define IN_A_SEARCH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		IN_A_SEARCH(the_first_sentinel_is_asked_for_the_masters_address),
		IN_A_SEARCH(a_named_server_that_says_it_is_a_master_is_the_end),
		IN_A_SEARCH(a_sentinel_that_fails_is_followed_by_the_next_one_until_none_is_left),
		IN_A_SEARCH(a_server_that_fails_leads_to_the_next_sentinel_not_to_the_same),
		IN_A_SEARCH(the_sentinel_that_led_to_the_master_is_asked_first_the_next_time),
		IN_A_SEARCH(a_server_that_was_tried_in_this_search_is_not_tried_again),
		IN_A_SEARCH(a_replica_is_not_used),
		IN_A_SEARCH(a_sentinel_that_does_not_know_the_master_says_so),
		IN_A_SEARCH(an_answer_that_is_no_address_is_refused),
		IN_A_SEARCH(a_name_that_is_too_long_is_refused),
		IN_A_SEARCH(a_password_is_given_once_and_only_to_a_sentinel_that_wants_one),
		IN_A_SEARCH(the_message_says_who_was_asked_and_what_each_said_and_no_password),
	};
	return cmocka_run_group_tests_name("sentinel", tests, NULL, NULL);
}
