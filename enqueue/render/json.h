/*
 * JSON, written as it comes: a million jobs need no memory. Members are indented by two spaces a level; texts are made valid UTF-8.
 *
 * bf_json_begin opens the outermost object, bf_json_end closes it. Within an object every value has a key, within an array none (NULL).
 */
#ifndef BF_RENDER_JSON_H
#define BF_RENDER_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define BF_JSON_DEPTH 8

struct bf_json {
	FILE *out;
	int depth;
	bool filled[BF_JSON_DEPTH]; /* something stands before: a comma is due */
	bool array[BF_JSON_DEPTH];
	bool compact; /* one line */
};

void bf_json_begin(struct bf_json *j, FILE *out);
void bf_json_begin_line(struct bf_json *j, FILE *out); /* the same on one line */
void bf_json_end(struct bf_json *j);                   /* and a newline */

void bf_json_object(struct bf_json *j, const char *key);
void bf_json_array(struct bf_json *j, const char *key);
void bf_json_close(struct bf_json *j); /* the innermost object or array */

void bf_json_text(struct bf_json *j, const char *key, const char *value);         /* NULL is null */
void bf_json_text_or_null(struct bf_json *j, const char *key, const char *value); /* "" is null, too */
void bf_json_int(struct bf_json *j, const char *key, int64_t value);
void bf_json_number(struct bf_json *j, const char *key, double value); /* one decimal is kept: a rate, a percentage */
void bf_json_bool(struct bf_json *j, const char *key, bool value);
void bf_json_null(struct bf_json *j, const char *key);
void bf_json_time(struct bf_json *j, const char *key, int64_t ms);      /* "2024-01-15T10:30:00.123Z"; 0 is null */
void bf_json_raw(struct bf_json *j, const char *key, const char *json); /* text that is JSON already */

#endif
