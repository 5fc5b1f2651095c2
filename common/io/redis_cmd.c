#include "io/redis.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "io/redis_internal.h"

void bf_redis_cmd_init(struct bf_redis_cmd *c)
{
	bf_buf_init(&c->bytes, BF_REDIS_CMD_MAX);
	c->argc = 0;
}

void bf_redis_cmd_release(struct bf_redis_cmd *c)
{
	bf_buf_release(&c->bytes);
	c->argc = 0;
}

void bf_redis_cmd_clear(struct bf_redis_cmd *c)
{
	bf_buf_clear(&c->bytes);
	c->argc = 0;
}

void bf_redis_arg_len(struct bf_redis_cmd *c, const char *s, size_t len)
{
	char head[32];
	int n = snprintf(head, sizeof(head), "$%zu\r\n", len);
	bf_buf_add(&c->bytes, head, (size_t)n);
	bf_buf_add(&c->bytes, s, len);
	bf_buf_add(&c->bytes, "\r\n", 2);
	c->argc++;
}

void bf_redis_arg(struct bf_redis_cmd *c, const char *s)
{
	bf_redis_arg_len(c, s, strlen(s));
}

void bf_redis_arg_int(struct bf_redis_cmd *c, int64_t n)
{
	char text[24];
	int len = snprintf(text, sizeof(text), "%" PRId64, n);
	bf_redis_arg_len(c, text, (size_t)len);
}

void bf_redis_argf(struct bf_redis_cmd *c, const char *fmt, ...)
{
	char text[512];
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n >= 0 && (size_t)n < sizeof(text)) {
		bf_redis_arg_len(c, text, (size_t)n);
		return;
	}
	size_t len = n < 0 ? 0 : (size_t)n;
	BF_AUTOFREE char *large = bf_alloc(len + 1);
	va_start(ap, fmt);
	(void)vsnprintf(large, len + 1, fmt, ap);
	va_end(ap);
	bf_redis_arg_len(c, large, len);
}

void bf_redis_cmd_append(struct bf_redis_cmd *c, const struct bf_redis_cmd *more)
{
	bf_buf_add(&c->bytes, more->bytes.data, more->bytes.len);
	c->argc += more->argc;
}

void bf_redis_cmd_encode(const struct bf_redis_cmd *c, struct bf_buf *out)
{
	char head[32];
	int n = snprintf(head, sizeof(head), "*%zu\r\n", c->argc);
	bf_buf_clear(out);
	bf_buf_add(out, head, (size_t)n);
	bf_buf_add(out, c->bytes.data, c->bytes.len);
	if (c->bytes.overflow)
		out->overflow = true;
}

/* ---- how large a reply may be ---- */

#if HIREDIS_MAJOR >= 1
typedef size_t n_elements;
#else
typedef int n_elements;
#endif

static redisReplyObjectFunctions bounded, usual;
static pthread_once_t bounded_once = PTHREAD_ONCE_INIT;

static void *create_array(const redisReadTask *task, n_elements n)
{
	return n > BF_REDIS_ELEMENTS_MAX ? NULL : usual.createArray(task, n);
}

static void make_bounded(void) /* hiredis gives away its own functions only with a reader */
{
	redisReader *reader = redisReaderCreate();
	if (!reader)
		abort();
	bounded = usual = *reader->fn;
	bounded.createArray = create_array;
	redisReaderFree(reader);
}

void bf_redis_bound(redisReader *reader)
{
	(void)pthread_once(&bounded_once, make_bounded);
	reader->fn = &bounded;
}

/* ---- replies ---- */

static const redisReply *raw_reply(const struct bf_redis_reply *r)
{
	return (const redisReply *)(const void *)r;
}

struct bf_redis_reply *bf_redis_wrap(void *raw)
{
	return raw;
}

void bf_redis_reply_free(struct bf_redis_reply *r)
{
	if (r)
		freeReplyObject(r);
}

void bf_redis_reply_cleanup(struct bf_redis_reply **r)
{
	bf_redis_reply_free(*r);
}

enum bf_redis_type bf_redis_type(const struct bf_redis_reply *r)
{
	switch (raw_reply(r)->type) {
	case REDIS_REPLY_STRING:
		return BF_REDIS_TEXT;
	case REDIS_REPLY_STATUS:
		return BF_REDIS_STATUS;
	case REDIS_REPLY_INTEGER:
		return BF_REDIS_INT;
	case REDIS_REPLY_ARRAY:
		return BF_REDIS_ARRAY;
	case REDIS_REPLY_ERROR:
		return BF_REDIS_ERROR;
	default:
		return BF_REDIS_NIL;
	}
}

static bool has_text(const redisReply *raw)
{
	return raw->type == REDIS_REPLY_STRING || raw->type == REDIS_REPLY_STATUS || raw->type == REDIS_REPLY_ERROR;
}

const char *bf_redis_text(const struct bf_redis_reply *r)
{
	const redisReply *raw = raw_reply(r);
	return has_text(raw) && raw->str ? raw->str : "";
}

size_t bf_redis_len(const struct bf_redis_reply *r)
{
	const redisReply *raw = raw_reply(r);
	return has_text(raw) ? raw->len : 0;
}

int64_t bf_redis_int(const struct bf_redis_reply *r)
{
	const redisReply *raw = raw_reply(r);
	int64_t n = 0;
	if (raw->type == REDIS_REPLY_INTEGER)
		return raw->integer;
	if (has_text(raw))
		(void)bf_text_int(bf_redis_text(r), INT64_MIN, INT64_MAX, &n);
	return n;
}

size_t bf_redis_count(const struct bf_redis_reply *r)
{
	const redisReply *raw = raw_reply(r);
	return raw->type == REDIS_REPLY_ARRAY ? raw->elements : 0;
}

const struct bf_redis_reply *bf_redis_at(const struct bf_redis_reply *r, size_t i)
{
	static const redisReply nil = {.type = REDIS_REPLY_NIL};
	if (i >= bf_redis_count(r))
		return (const struct bf_redis_reply *)(const void *)&nil;
	return bf_redis_wrap(raw_reply(r)->element[i]);
}

int bf_redis_fail_reply(const struct bf_redis_reply *reply, struct bf_error *err)
{
	return bf_fail(err, BF_E_REDIS, "%s", bf_redis_text(reply));
}

bool bf_redis_is_of_replica(const char *error)
{
	return strncmp(error, "READONLY ", 9) == 0 || strncmp(error, "MASTERDOWN ", 11) == 0;
}
