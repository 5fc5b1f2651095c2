/*
 * Composes each log line, with what the thread is working on, and writes it whole; and the one live line of a
 * terminal, which every other line is written above.
 */
#include "base/log.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/show.h"
#include "base/text.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define MESSAGE_MAX    4096
#define LINE_MAX_BYTES ((size_t)64 * 1024)
#define GATHERED_MAX   ((size_t)32 * 1024)

/* Written by bf_log_init, before there are threads; only read after that. */
static struct {
	const char *program;
	enum bf_log_level level;
	bool json;
	bool colour;
} logger = {.level = BF_LOG_INFO};

static _Thread_local const struct bf_log_ctx *context;
static _Thread_local struct {
	bool on;
	size_t len;
	char text[GATHERED_MAX];
} gathered;

static const struct {
	const char *name;
	const char *colour;
} levels[] = {
	[BF_LOG_DEBUG] = {"debug", "\x1b[2m"},
	[BF_LOG_INFO] = {"info", "\x1b[32m"},
	[BF_LOG_WARN] = {"warn", "\x1b[33m"},
	[BF_LOG_ERROR] = {"error", "\x1b[31m"},
};

static const char *env_or(const char *name, const char *otherwise)
{
	const char *value = getenv(name);
	return value && *value ? value : otherwise;
}

static int refuse(const char *name, const char *value, const char *expected, struct bf_error *err)
{
	BF_AUTOBUF struct bf_buf found;
	bf_buf_init(&found, 512);
	bf_text_quote(&found, value, strlen(value), 60);
	return bf_fail(err, BF_E_INPUT, "%s: found %s, expected %s", name, found.data, expected);
}

int bf_log_init(const char *program, struct bf_error *err)
{
	const char *form = env_or("BF_LOG", "text");
	bool json = strcmp(form, "json") == 0;
	if (!json && strcmp(form, "text") != 0)
		return refuse("BF_LOG", form, "text or json", err);

	const char *name = env_or("BF_LOG_LEVEL", "info");
	size_t level = 0;
	while (level < BF_COUNT_OF(levels) && strcmp(name, levels[level].name) != 0)
		level++;
	if (level == BF_COUNT_OF(levels))
		return refuse("BF_LOG_LEVEL", name, "debug, info, warn or error", err);

	logger.program = program;
	logger.level = (enum bf_log_level)level;
	logger.json = json;
	logger.colour = !json && !*env_or("NO_COLOR", "") && isatty(STDERR_FILENO);
	return 0;
}

bool bf_log_on(enum bf_log_level level)
{
	return level >= logger.level;
}

const struct bf_log_ctx *bf_log_push(const struct bf_log_ctx *ctx)
{
	const struct bf_log_ctx *before = context;
	context = ctx;
	return before;
}

void bf_log_pop(const struct bf_log_ctx *before)
{
	context = before;
}

static void json_char(struct bf_buf *line, const char *s, size_t n)
{
	if (n == 0)
		(void)bf_buf_addstr(line, "\\ufffd");
	else if (*s == '"' || *s == '\\')
		(void)bf_buf_printf(line, "\\%c", *s);
	else if (*s == '\n')
		(void)bf_buf_addstr(line, "\\n");
	else if (n == 1 && bf_show_hides(s, n))
		(void)bf_buf_printf(line, "\\u%04x", (unsigned)(unsigned char)*s);
	else
		bf_show_json(line, s, n);
}

static void json_field(struct bf_buf *line, const char *name, const char *value)
{
	if (!value)
		return;
	(void)bf_buf_printf(line, "%c\"%s\":\"", line->len ? ',' : '{', name);
	size_t len = strlen(value);
	for (size_t i = 0; i < len;) {
		size_t n = bf_utf8_char(value + i, len - i);
		json_char(line, value + i, n);
		i += n ? n : 1;
	}
	(void)bf_buf_addch(line, '"');
}

static void json_line(struct bf_buf *line, const char *time, enum bf_log_level level, const char *message)
{
	json_field(line, "time", time);
	json_field(line, "level", levels[level].name);
	json_field(line, "program", logger.program);
	json_field(line, "message", message);
	if (context) {
		json_field(line, "run", context->run);
		json_field(line, "step", context->step);
		json_field(line, "chunk", context->chunk);
		if (context->epoch)
			(void)bf_buf_printf(line, ",\"epoch\":%" PRId64, context->epoch);
	}
	(void)bf_buf_addstr(line, "}\n");
}

/* A message may quote what others sent: it is on one line, and what is not seen is shown. */
static void text_message(struct bf_buf *line, const char *s)
{
	size_t len = strlen(s);
	for (size_t i = 0; i < len;) {
		size_t n = bf_utf8_char(s + i, len - i);
		bf_show_char(line, s + i, n);
		i += n ? n : 1;
	}
}

/* Bare where it is one word, else quoted: a chunk may be any key. */
static void text_field(struct bf_buf *line, const char *name, const char *value)
{
	if (!value)
		return;
	(void)bf_buf_printf(line, " %s=", name);
	bool word = *value != '\0';
	for (const char *c = value; *c; c++)
		word = word && *c > ' ' && *c < 0x7F && *c != '"' && *c != '\\' && *c != '=';
	if (word)
		(void)bf_buf_addstr(line, value);
	else
		bf_text_quote(line, value, strlen(value), BF_CHUNK_MAX);
}

static void text_line(struct bf_buf *line, const char *time, enum bf_log_level level, const char *message)
{
	const char *on = logger.colour ? levels[level].colour : "", *off = logger.colour ? "\x1b[0m" : "";
	(void)bf_buf_printf(line, "%s %s%-5s%s ", time, on, levels[level].name, off);
	text_message(line, message);
	if (context) {
		text_field(line, "run", context->run);
		text_field(line, "step", context->step);
		text_field(line, "chunk", context->chunk);
		if (context->epoch)
			(void)bf_buf_printf(line, " epoch=%" PRId64, context->epoch);
	}
	(void)bf_buf_addch(line, '\n');
}

/* ---- the live line ---- */

#define LIVE_MAX   1024
#define LIVE_ERASE "\r\x1b[K"
#define LIVE_BEGIN "\x1b[?7l\x1b[2m" /* dim, and what is too long does not begin another line */
#define LIVE_END   "\x1b[0m\x1b[?7h"
#define WIDTH_ODD  80

static struct {
	pthread_mutex_t lock;
	bool shown;
	char text[LIVE_MAX];
} live = {.lock = PTHREAD_MUTEX_INITIALIZER};

bool bf_log_live_wanted(void)
{
	const char *term = getenv("TERM");
	return !logger.json && logger.level == BF_LOG_INFO && term && *term && strcmp(term, "dumb") != 0 && isatty(STDERR_FILENO) == 1 &&
		   tcgetpgrp(STDERR_FILENO) == getpgrp();
}

static void emit(const char *text, size_t len);

/* Columns are not known of characters beyond ASCII: each is taken for two. */
static size_t fitting(const char *s, size_t len, size_t columns)
{
	size_t at = 0, used = 0;
	while (at < len) {
		size_t n = bf_utf8_char(s + at, len - at);
		n = n ? n : 1;
		used += n > 1 ? 2 : 1;
		if (used > columns)
			break;
		at += n;
	}
	return at;
}

static size_t terminal_columns(void)
{
	struct winsize size = {0};
	bool known = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
	return known ? size.ws_col : WIDTH_ODD;
}

void bf_log_live(const char *text)
{
	BF_AUTOBUF struct bf_buf line;
	bf_buf_init(&line, LINE_MAX_BYTES);
	text_message(&line, text ? text : "");
	const char *shown = line.data ? line.data : "";
	size_t len = fitting(shown, line.len, terminal_columns() - 1);
	(void)pthread_mutex_lock(&live.lock);
	bool same = text && live.shown && strlen(live.text) == len && memcmp(live.text, shown, len) == 0;
	bool erase = live.shown && !text;
	live.shown = text != NULL;
	(void)snprintf(live.text, sizeof(live.text), "%.*s", (int)len, shown);
	(void)pthread_mutex_unlock(&live.lock);
	if (erase)
		emit(LIVE_ERASE, sizeof(LIVE_ERASE) - 1);
	else if (text && !same)
		emit("", 0);
}

bool bf_log_each_job(enum bf_log_level level)
{
	(void)pthread_mutex_lock(&live.lock);
	bool shown = live.shown;
	(void)pthread_mutex_unlock(&live.lock);
	return level > BF_LOG_INFO || !shown;
}

/* ---- writing ---- */

/* Whole lines in one write, so that those of threads and processes do not mix. A log that cannot be written is not worth dying for. */
static void write_all(const char *text, size_t len)
{
	size_t done = 0;
	while (done < len) {
		ssize_t n = write(STDERR_FILENO, text + done, len - done);
		if (n < 0 && errno != EINTR)
			return;
		done += n > 0 ? (size_t)n : 0;
	}
}

/* Log lines take the place of the live line, which is drawn again below them. */
static void emit(const char *text, size_t len)
{
	(void)pthread_mutex_lock(&live.lock);
	if (live.shown) {
		BF_AUTOBUF struct bf_buf out;
		bf_buf_init(&out, LINE_MAX_BYTES + GATHERED_MAX);
		(void)bf_buf_addstr(&out, LIVE_ERASE);
		(void)bf_buf_add(&out, text, len);
		(void)bf_buf_printf(&out, LIVE_BEGIN "%s" LIVE_END, live.text);
		write_all(out.data, out.len);
	} else {
		write_all(text, len);
	}
	(void)pthread_mutex_unlock(&live.lock);
}

void bf_log_flush(void)
{
	if (gathered.len == 0)
		return;
	emit(gathered.text, gathered.len);
	gathered.len = 0;
}

void bf_log_gather(bool on)
{
	bf_log_flush();
	gathered.on = on;
}

static void gather(const struct bf_buf *line)
{
	if (line->len > sizeof(gathered.text) - gathered.len)
		bf_log_flush();
	if (line->len > sizeof(gathered.text)) {
		emit(line->data, line->len);
		return;
	}
	memcpy(gathered.text + gathered.len, line->data, line->len);
	gathered.len += line->len;
}

void bf_log_write(enum bf_log_level level, const char *fmt, ...)
{
	if (!bf_log_on(level))
		return;
	int saved_errno = errno;
	char message[MESSAGE_MAX], time[BF_TIME_TEXT];
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	if (n < 0)
		message[0] = '\0';
	else if ((size_t)n >= sizeof(message)) {
		size_t at = sizeof(message) - sizeof("…");
		while (at > 0 && ((unsigned char)message[at] & 0xC0) == 0x80)
			at--;
		memcpy(message + at, "…", sizeof("…"));
	}

	BF_AUTOBUF struct bf_buf line;
	bf_buf_init(&line, LINE_MAX_BYTES);
	(logger.json ? json_line : text_line)(&line, bf_time_format(bf_wall_ms(), time), level, message);
	if (gathered.on)
		gather(&line);
	else
		emit(line.data, line.len);
	if (gathered.on && level >= BF_LOG_WARN)
		bf_log_flush();
	errno = saved_errno;
}
