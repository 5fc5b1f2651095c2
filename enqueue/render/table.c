#include "render/table.h"

#include <libsmartcols/libsmartcols.h>
#include <stdarg.h>

#include "base/mem.h"
#include "base/text.h"
#include "render/bar.h"

#define GAP      2          /* spaces between columns */
#define CELL_MAX (1u << 16) /* bytes of a cell */

struct cell {
	char *text;
	enum bf_tone tone;
};

struct bf_table {
	const struct bf_term *term;
	const struct bf_column *columns;
	size_t n_columns, n_cells, cap;
	struct cell *cells; /* row by row */
	int *widths;        /* of what has been printed, or is about to be */
	bool *shown;
	bool begun;
	int indent;
};

struct bf_table *bf_table_new(const struct bf_term *t, const struct bf_column *columns, size_t n)
{
	struct bf_table *table = bf_alloc(sizeof(*table));
	*table = (struct bf_table){.term = t, .columns = columns, .n_columns = n};
	table->widths = bf_alloc(n * sizeof(*table->widths));
	table->shown = bf_alloc(n * sizeof(*table->shown));
	return table;
}

static void drop_rows(struct bf_table *table)
{
	for (size_t i = 0; i < table->n_cells; i++)
		free(table->cells[i].text);
	table->n_cells = 0;
}

void bf_table_free(struct bf_table *table)
{
	if (!table)
		return;
	drop_rows(table);
	free(table->cells);
	free(table->widths);
	free(table->shown);
	free(table);
}

void bf_table_cleanup(struct bf_table **table)
{
	bf_table_free(*table);
	*table = NULL;
}

void bf_table_indent(struct bf_table *table, int columns)
{
	table->indent = columns;
}

void bf_table_row(struct bf_table *table)
{
	while (table->n_cells % table->n_columns)
		bf_table_cell(table, BF_PLAIN, "");
}

void bf_table_cell(struct bf_table *table, enum bf_tone tone, const char *text)
{
	if (table->n_cells == table->cap) {
		table->cap = table->cap ? table->cap * 2 : 64;
		table->cells = bf_realloc_array(table->cells, table->cap, sizeof(*table->cells));
	}
	struct bf_buf clean;
	bf_buf_init(&clean, CELL_MAX);
	bf_buf_addstr(&clean, "");
	bf_term_one_line(&clean, text);
	table->cells[table->n_cells++] = (struct cell){.text = bf_buf_detach(&clean), .tone = tone};
}

void bf_table_cellf(struct bf_table *table, enum bf_tone tone, const char *fmt, ...)
{
	char text[1024];
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	bf_table_cell(table, tone, text);
}

void bf_table_number(struct bf_table *table, enum bf_tone tone, int64_t n)
{
	char text[28];
	bf_table_cell(table, n == 0 ? BF_DIM : tone, bf_text_group(n, text));
}

/* ---- layout ---- */

static void measure(struct bf_table *table)
{
	for (size_t c = 0; c < table->n_columns; c++) {
		int title = bf_term_columns(table->columns[c].title);
		if (title > table->widths[c])
			table->widths[c] = title;
	}
	for (size_t i = 0; i < table->n_cells; i++) {
		int w = bf_term_columns(table->cells[i].text);
		if (w > table->widths[i % table->n_columns])
			table->widths[i % table->n_columns] = w;
	}
}

static int total_width(const struct bf_table *table)
{
	int total = table->indent - GAP;
	for (size_t c = 0; c < table->n_columns; c++)
		if (table->shown[c])
			total += table->widths[c] + GAP;
	return total;
}

/* The elastic columns give way together: the widest first. */
static void squeeze(struct bf_table *table, int excess)
{
	const int least = 8;
	while (excess > 0) {
		size_t widest = table->n_columns;
		for (size_t c = 0; c < table->n_columns; c++)
			if (table->shown[c] && table->columns[c].elastic && table->widths[c] > least &&
				(widest == table->n_columns || table->widths[c] > table->widths[widest]))
				widest = c;
		if (widest == table->n_columns)
			return;
		table->widths[widest]--;
		excess--;
	}
}

/* Which columns are shown, and how wide: decided with the first portion of rows. */
static void decide(struct bf_table *table)
{
	measure(table);
	int rank = 0;
	for (size_t c = 0; !table->begun && c < table->n_columns; c++) {
		table->shown[c] = true;
		rank = table->columns[c].rank > rank ? table->columns[c].rank : rank;
	}
	int width = table->term->width;
	for (; !table->begun && width > 0 && rank > 0 && total_width(table) > width; rank--)
		for (size_t c = 0; c < table->n_columns; c++)
			if (table->columns[c].rank == rank)
				table->shown[c] = false;
	if (width > 0)
		squeeze(table, total_width(table) - width);
}

/* A cell's text, cut to the column's width; the first row is padded to it, so that libsmartcols keeps it for all portions. */
static char *cell_text(const struct bf_table *table, size_t c, const char *text, bool pad, bool last)
{
	BF_AUTOBUF struct bf_buf out;
	bf_buf_init(&out, 1u << 20);
	bf_buf_addstr(&out, "");
	bool cut = table->term->width > 0 && table->columns[c].elastic;
	int missing = pad && !last ? table->widths[c] - bf_term_columns(text) : 0;
	for (int i = 0; table->columns[c].right && i < missing; i++)
		bf_buf_addch(&out, ' ');
	bf_term_cut(&out, table->term, text, cut ? table->widths[c] : 0);
	for (int i = 0; !table->columns[c].right && i < missing; i++)
		bf_buf_addch(&out, ' ');
	return bf_buf_detach(&out);
}

static void fill(struct bf_table *table, struct libscols_table *tb)
{
	size_t last = 0;
	for (size_t c = 0; c < table->n_columns; c++)
		if (table->shown[c])
			last = c;
	for (size_t c = 0; c < table->n_columns; c++) {
		if (!table->shown[c])
			continue;
		struct libscols_column *column =
			scols_table_new_column(tb, table->columns[c].title, 0, table->columns[c].right ? SCOLS_FL_RIGHT : 0);
		scols_cell_set_color(scols_column_get_header(column), bf_tone_on(table->term, BF_DIM));
	}
	for (size_t i = 0; i < table->n_cells; i += table->n_columns) {
		struct libscols_line *line = scols_table_new_line(tb, NULL);
		for (size_t c = 0, at = 0; c < table->n_columns; c++) {
			if (!table->shown[c])
				continue;
			const struct cell *cell = &table->cells[i + c];
			scols_line_refer_data(line, at, cell_text(table, c, cell->text, i == 0, c == last));
			if (cell->tone != BF_PLAIN)
				scols_cell_set_color(scols_line_get_cell(line, at), bf_tone_on(table->term, cell->tone));
			at++;
		}
	}
}

/* Line by line: indented, without spaces at the end, bars painted. */
static void print_lines(const struct bf_table *table, char *text, FILE *out)
{
	char *rest = text;
	for (char *line; (line = strsep(&rest, "\n"));) {
		size_t len = strlen(line);
		while (len > 0 && line[len - 1] == ' ')
			line[--len] = '\0';
		if (!rest && len == 0)
			break;
		BF_AUTOBUF struct bf_buf painted;
		bf_buf_init(&painted, 1u << 20);
		bf_bar_paint(&painted, table->term, line);
		fprintf(out, "%*s%s\n", table->indent, "", painted.data ? painted.data : "");
	}
}

void bf_table_print(struct bf_table *table, FILE *out)
{
	bf_table_row(table);
	if (table->n_cells == 0 && table->begun)
		return;
	decide(table);
	struct libscols_table *tb = scols_new_table();
	scols_table_enable_noheadings(tb, table->begun);
	scols_table_enable_colors(tb, table->term->colour);
	scols_table_enable_ascii(tb, !table->term->utf8);
	scols_table_enable_nowrap(tb, 1);
	scols_table_enable_noencoding(tb, 1);
	scols_table_set_column_separator(tb, "  ");
	scols_table_set_termforce(tb, SCOLS_TERMFORCE_NEVER); /* the columns were made to fit above */
	fill(table, tb);
	char *text = NULL;
	if (table->n_cells > 0 && scols_print_table_to_string(tb, &text) == 0 && text)
		print_lines(table, text, out);
	free(text);
	scols_unref_table(tb);
	drop_rows(table);
	table->begun = true;
}
