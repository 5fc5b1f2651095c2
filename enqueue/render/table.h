/*
 * A table with aligned columns, laid out by libsmartcols.
 *
 * bf_table_new, for each row bf_table_row and one bf_table_cell for each column from the left, bf_table_print, bf_table_free.
 * On a terminal the columns of the highest `rank` are left out until the rest fits; rank 0 always stays, and the columns marked
 * `elastic` are cut last. Elsewhere everything is printed whole. Rows may come in portions: each bf_table_print prints
 * those since the one before, under one header, in columns at least as wide as those already printed.
 */
#ifndef BF_RENDER_TABLE_H
#define BF_RENDER_TABLE_H

#include <stdint.h>
#include <stdio.h>

#include "render/term.h"

struct bf_column {
	const char *title;
	bool right;   /* numbers */
	int rank;     /* 0: never left out */
	bool elastic; /* may be cut to fit */
};

struct bf_table;

struct bf_table *bf_table_new(const struct bf_term *t, const struct bf_column *columns, size_t n);
void bf_table_free(struct bf_table *table);
void bf_table_row(struct bf_table *table);
void bf_table_cell(struct bf_table *table, enum bf_tone tone, const char *text);
void bf_table_cellf(struct bf_table *table, enum bf_tone tone, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void bf_table_number(struct bf_table *table, enum bf_tone tone, int64_t n); /* grouped; 0 is dim */
void bf_table_indent(struct bf_table *table, int columns);                  /* spaces before each line */
void bf_table_print(struct bf_table *table, FILE *out);

#define BF_AUTOTABLE __attribute__((cleanup(bf_table_cleanup)))
void bf_table_cleanup(struct bf_table **table);

#endif
