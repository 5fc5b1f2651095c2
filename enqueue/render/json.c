#include "render/json.h"

#include <inttypes.h>
#include <jansson.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/show.h"
#include "base/text.h"

#define TEXT_MAX (64u << 20)

/* JSON of jansson's or PostgreSQL's may hold C1 and such as they are. */
static void write_json(FILE *out, const char *json)
{
	BF_AUTOBUF struct bf_buf shown;
	bf_buf_init(&shown, TEXT_MAX);
	bf_show_json(&shown, json, strlen(json));
	fwrite(shown.data, 1, shown.len, out);
}

static void write_text(FILE *out, const char *s)
{
	BF_AUTOBUF struct bf_buf clean;
	bf_buf_init(&clean, TEXT_MAX);
	bf_buf_addstr(&clean, "");
	bf_utf8_clean(&clean, s, strlen(s));
	json_t *text = json_string(clean.data);
	BF_AUTOFREE char *json = json_dumps(text, JSON_ENCODE_ANY);
	write_json(out, json ? json : "\"\"");
	json_decref(text);
}

static void new_line(struct bf_json *j)
{
	if (j->compact)
		return;
	fputc('\n', j->out);
	for (int i = 0; i < j->depth; i++)
		fputs("  ", j->out);
}

/* Everything that comes before a value. */
static void lead(struct bf_json *j, const char *key)
{
	if (j->filled[j->depth - 1])
		fputs(j->compact ? ", " : ",", j->out);
	j->filled[j->depth - 1] = true;
	new_line(j);
	if (key) {
		write_text(j->out, key);
		fputs(": ", j->out);
	}
}

static void push(struct bf_json *j, bool array)
{
	if (j->depth == BF_JSON_DEPTH)
		abort(); /* the shapes are fixed: a mistake of the program */
	fputc(array ? '[' : '{', j->out);
	j->filled[j->depth] = false;
	j->array[j->depth] = array;
	j->depth++;
}

void bf_json_begin(struct bf_json *j, FILE *out)
{
	*j = (struct bf_json){.out = out};
	push(j, false);
}

void bf_json_begin_line(struct bf_json *j, FILE *out)
{
	*j = (struct bf_json){.out = out, .compact = true};
	push(j, false);
}

void bf_json_close(struct bf_json *j)
{
	j->depth--;
	if (j->filled[j->depth])
		new_line(j);
	fputc(j->array[j->depth] ? ']' : '}', j->out);
}

void bf_json_end(struct bf_json *j)
{
	bf_json_close(j);
	fputc('\n', j->out);
}

void bf_json_object(struct bf_json *j, const char *key)
{
	lead(j, key);
	push(j, false);
}

void bf_json_array(struct bf_json *j, const char *key)
{
	lead(j, key);
	push(j, true);
}

void bf_json_text(struct bf_json *j, const char *key, const char *value)
{
	if (!value) {
		bf_json_null(j, key);
		return;
	}
	lead(j, key);
	write_text(j->out, value);
}

void bf_json_text_or_null(struct bf_json *j, const char *key, const char *value)
{
	bf_json_text(j, key, value && *value ? value : NULL);
}

void bf_json_int(struct bf_json *j, const char *key, int64_t value)
{
	lead(j, key);
	fprintf(j->out, "%" PRId64, value);
}

void bf_json_number(struct bf_json *j, const char *key, double value)
{
	lead(j, key);
	int64_t tenths = (int64_t)(value * 10 + (value < 0 ? -0.5 : 0.5));
	fprintf(j->out, "%s%" PRId64 ".%d", tenths < 0 && tenths > -10 ? "-" : "", tenths / 10, (int)(tenths < 0 ? -tenths % 10 : tenths % 10));
}

void bf_json_bool(struct bf_json *j, const char *key, bool value)
{
	lead(j, key);
	fputs(value ? "true" : "false", j->out);
}

void bf_json_null(struct bf_json *j, const char *key)
{
	lead(j, key);
	fputs("null", j->out);
}

void bf_json_time(struct bf_json *j, const char *key, int64_t ms)
{
	char text[BF_TIME_TEXT];
	bf_json_text(j, key, ms > 0 ? bf_time_format(ms, text) : NULL);
}

void bf_json_raw(struct bf_json *j, const char *key, const char *json)
{
	lead(j, key);
	write_json(j->out, *json ? json : "null");
}
