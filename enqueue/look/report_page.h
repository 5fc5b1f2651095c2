/*
 * What the pages of a report are made of: tables in Markdown, and text of others, of which nothing
 * is Markdown, HTML, or anything that is not seen.
 */
#ifndef BF_LOOK_REPORT_PAGE_H
#define BF_LOOK_REPORT_PAGE_H

#include "base/clock.h"
#include "look/report.h"

void bf_page_text(FILE *out, const char *text); /* of others, on one line */
void bf_page_code(FILE *out, const char *text); /* as code, which is shown as it is; '|' is escaped, for tables */

/* BF_PAGE_HEADER(out, "a", "b"), then for each row bf_page_row, its cells, bf_page_row_end. */
void bf_page_header(FILE *out, const char *const *titles, size_t n);
#define BF_PAGE_HEADER(out, ...)                            \
	do {                                                    \
		static const char *const titles_[] = {__VA_ARGS__}; \
		bf_page_header(out, titles_, BF_COUNT_OF(titles_)); \
	} while (0)
void bf_page_row(FILE *out);
void bf_page_row_end(FILE *out);
void bf_page_cell(FILE *out, const char *text);         /* of others */
void bf_page_own_cell(FILE *out, const char *markdown); /* of the program's own making */
void bf_page_command(FILE *out, const char *command);   /* to be copied */
void bf_page_number(FILE *out, int64_t n);

const char *bf_page_time(int64_t ms, char out[static BF_TIME_TEXT]); /* "2024-05-01 10:00:00"; 0: "" */

#endif
