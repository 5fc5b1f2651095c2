#include "io/pg.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "io/pg_internal.h"

#define PARAMS_BYTES_MAX ((size_t)64 << 20)

void bf_pg_params_init(struct bf_pg_params *p)
{
	memset(p, 0, sizeof(*p));
	bf_buf_init(&p->text, PARAMS_BYTES_MAX);
}

void bf_pg_params_release(struct bf_pg_params *p)
{
	bf_buf_release(&p->text);
	bf_pg_params_clear(p);
}

void bf_pg_params_clear(struct bf_pg_params *p)
{
	bf_buf_clear(&p->text);
	p->count = 0;
	p->array_open = 0;
}

/* A statement with more parameters than there is room for, or an array left open, is a mistake in this program. */
static void begin_value(struct bf_pg_params *p)
{
	if (p->count >= BF_PG_PARAMS_MAX || p->array_open)
		abort();
	p->offset[p->count] = p->text.len;
	p->is_null[p->count] = false;
}

static void end_value(struct bf_pg_params *p)
{
	bf_buf_addch(&p->text, '\0');
	p->count++;
}

void bf_pg_add_text(struct bf_pg_params *p, const char *s)
{
	begin_value(p);
	p->is_null[p->count] = s == NULL;
	bf_buf_addstr(&p->text, s ? s : "");
	end_value(p);
}

void bf_pg_add_int(struct bf_pg_params *p, int64_t n)
{
	begin_value(p);
	bf_buf_printf(&p->text, "%" PRId64, n);
	end_value(p);
}

void bf_pg_add_bool(struct bf_pg_params *p, bool b)
{
	bf_pg_add_text(p, b ? "t" : "f");
}

void bf_pg_array_begin(struct bf_pg_params *p)
{
	begin_value(p);
	bf_buf_addch(&p->text, '{');
	p->array_open = '{';
}

static void begin_item(struct bf_pg_params *p)
{
	if (!p->array_open)
		abort();
	if (p->array_open == ',')
		bf_buf_addch(&p->text, ',');
	p->array_open = ',';
}

void bf_pg_array_text(struct bf_pg_params *p, const char *s)
{
	if (!s) {
		bf_pg_array_null(p);
		return;
	}
	begin_item(p);
	bf_buf_addch(&p->text, '"');
	while (*s) {
		size_t plain = strcspn(s, "\"\\");
		bf_buf_add(&p->text, s, plain);
		s += plain;
		if (*s) {
			bf_buf_addch(&p->text, '\\');
			bf_buf_addch(&p->text, *s++);
		}
	}
	bf_buf_addch(&p->text, '"');
}

void bf_pg_array_int(struct bf_pg_params *p, int64_t n)
{
	begin_item(p);
	bf_buf_printf(&p->text, "%" PRId64, n);
}

void bf_pg_array_null(struct bf_pg_params *p)
{
	begin_item(p);
	bf_buf_addstr(&p->text, "NULL");
}

void bf_pg_array_end(struct bf_pg_params *p)
{
	if (!p->array_open)
		abort();
	p->array_open = 0;
	bf_buf_addch(&p->text, '}');
	end_value(p);
}

void bf_pg_param_values(const struct bf_pg_params *p, const char *values[static BF_PG_PARAMS_MAX])
{
	if (p && p->array_open)
		abort();
	for (int i = 0; p && i < p->count; i++)
		values[i] = p->is_null[i] ? NULL : p->text.data + p->offset[i];
}

bool bf_pg_prepared_has(const struct bf_pg_prepared *p, const char *name)
{
	for (size_t i = 0; i < p->count; i++)
		if (p->names[i] == name || strcmp(p->names[i], name) == 0)
			return true;
	return false;
}

void bf_pg_prepared_add(struct bf_pg_prepared *p, const char *name)
{
	p->names = bf_realloc_array(p->names, p->count + 1, sizeof(*p->names));
	p->names[p->count++] = name;
}

void bf_pg_prepared_clear(struct bf_pg_prepared *p)
{
	free(p->names);
	*p = (struct bf_pg_prepared){0};
}
