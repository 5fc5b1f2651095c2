/*
 * One figure out of a JSON text, found by a JSON pointer (RFC 6901): of an HTTP answer, or of a file.
 */
#ifndef BF_CORE_JSON_FIGURE_H
#define BF_CORE_JSON_FIGURE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/error.h"

/* "", or '/' and a name, as often as wanted; in a name "~0" is '~' and "~1" is '/'. */
bool bf_json_pointer_valid(const char *pointer);

/* Appends the figure as a decimal (base/decimal.h): a number as it is written; so a text that is one by JSON's grammar (as ClickHouse
 * and BigQuery write 64-bit numbers); true as 1, false as 0; of an array or object how many it holds. -BF_E_INPUT: the text is no
 * JSON, has nothing there, or something else. */
int bf_json_figure(const char *text, size_t len, const char *pointer, struct bf_buf *out, struct bf_error *err);

#endif
