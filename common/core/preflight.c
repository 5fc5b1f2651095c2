#include "core/preflight.h"

#include <ctype.h>

#include "base/mem.h"
#include "core/pipeline_query.h"
#include "core/sqltext.h"
#include "core/vars.h"

#define NAME_TEXT 256 /* of a name in SQL, with its NUL */
#define SHOWN_MAX 50  /* missing things that are named; after that it is not looked for more */

/* ---- the SQL of a step ---- */

typedef void (*file_fn)(void *data, const struct bf_step *s, const struct bf_sql_file *f);

static void give(file_fn fn, void *data, const struct bf_step *s, const struct bf_sql_file *f)
{
	if (f->name)
		fn(data, s, f);
}

static void each_file(const struct bf_step *s, file_fn fn, void *data)
{
	give(fn, data, s, &s->expected);
	give(fn, data, s, &s->present);
	give(fn, data, s, &s->sql);
	for (size_t i = 0; i < s->n_checks; i++) {
		give(fn, data, s, &s->checks[i].query);
		give(fn, data, s, &s->checks[i].expected);
		give(fn, data, s, &s->checks[i].present);
		give(fn, data, s, &s->checks[i].count);
	}
}

/* What undoes it is asked when it has run. */
static void each_rollback(const struct bf_step *s, file_fn fn, void *data)
{
	give(fn, data, s, &s->rollback.file);
	give(fn, data, s, &s->rollback.changed);
	give(fn, data, s, &s->rollback.verify);
}

/* ---- what a statement may make ---- */

static bool word_at(const char *text, size_t len, size_t at, const char *word)
{
	size_t n = strlen(word);
	bool begins = at == 0 || !(isalnum((unsigned char)text[at - 1]) || text[at - 1] == '_');
	bool ends = at + n == len || (at + n < len && !(isalnum((unsigned char)text[at + n]) || text[at + n] == '_'));
	return begins && ends && strncasecmp(text + at, word, n) == 0;
}

static bool mentions(const struct bf_sqltext_statement *st, const char *word)
{
	size_t n = strlen(word);
	for (size_t at = 0; at + n <= st->len; at++)
		if (word_at(st->start, st->len, at, word))
			return true;
	return false;
}

static bool begins_with(const struct bf_sqltext_statement *st, const char *word)
{
	return st->len >= strlen(word) && word_at(st->start, st->len, 0, word);
}

/* Of a DO or a CALL nobody can say what it makes, nor of a function of the user's that may write; with another search path or role, names
 * mean something else. functions: names of such functions. */
static bool is_opaque(const struct bf_sqltext_statement *st, const struct bf_pg_result *functions)
{
	bool calls = false;
	for (int i = 0; !calls && i < bf_pg_rows(functions); i++)
		calls = mentions(st, bf_pg_text(functions, i, 0));
	return calls || begins_with(st, "do") || begins_with(st, "call") || begins_with(st, "execute") || mentions(st, "search_path") ||
		   (begins_with(st, "set") && (mentions(st, "role") || mentions(st, "authorization")));
}

struct naming {
	const char *name;
	bool made;
};

static void look_for_maker(void *data, const struct bf_step *s, const struct bf_sql_file *f)
{
	struct naming *n = data;
	struct bf_sqltext t;
	(void)s;
	if (n->made || !f->text || bf_sqltext_parse(f->text, strlen(f->text), &t, NULL) < 0)
		return;
	for (int i = 0; i < t.n_statements; i++) {
		const struct bf_sqltext_statement *st = &t.statements[i];
		bool makes = !st->plain || (begins_with(st, "select") && mentions(st, "into"));
		n->made = n->made || (makes && (mentions(st, n->name) || memchr(st->start, ':', st->len))); /* a variable may hold the name */
	}
	bf_sqltext_release(&t);
}

/* Does some statement of the pipeline make what has this name? */
static bool is_made(const struct bf_pipeline *p, const char *name)
{
	struct naming n = {.name = name};
	for (int i = 0; i < p->n_steps; i++)
		each_file(&p->steps[i], look_for_maker, &n);
	return n.made;
}

static void look_for_any_maker(void *data, const struct bf_step *s, const struct bf_sql_file *f)
{
	struct bf_sqltext t;
	(void)s;
	if (!f->text || bf_sqltext_parse(f->text, strlen(f->text), &t, NULL) < 0)
		return;
	*(bool *)data = *(bool *)data || !t.plain;
	bf_sqltext_release(&t);
}

struct opaque {
	const struct bf_pg_result *functions;
	bool found;
};

static void look_for_opaque(void *data, const struct bf_step *s, const struct bf_sql_file *f)
{
	struct opaque *o = data;
	struct bf_sqltext t;
	(void)s;
	if (!f->text || bf_sqltext_parse(f->text, strlen(f->text), &t, NULL) < 0)
		return;
	for (int i = 0; !o->found && i < t.n_statements; i++)
		o->found = is_opaque(&t.statements[i], o->functions);
	bf_sqltext_release(&t);
}

static bool is_opaque_step(const struct bf_step *s, const struct bf_pg_result *functions)
{
	struct opaque o = {.functions = functions, .found = s->kind == BF_KIND_EXEC || s->kind == BF_KIND_HTTP};
	give(look_for_opaque, &o, s, &s->sql);
	return o.found;
}

/* Does it come after something that may make anything? Steps that are left out have run before, or not at all. */
static bool comes_after_opaque(const struct bf_plan_ask *ask, const struct bf_step *s, const struct bf_pg_result *functions, bool *seen)
{
	for (size_t i = 0; i < s->n_needs; i++) {
		const struct bf_step *need = &ask->pipeline->steps[s->needs[i]];
		if (seen[need->ordinal])
			continue;
		seen[need->ordinal] = true;
		if ((!ask->left_out[need->ordinal] && is_opaque_step(need, functions)) || comes_after_opaque(ask, need, functions, seen))
			return true;
	}
	return false;
}

/* ---- what is missing ---- */

struct look {
	struct bf_pg *pg;
	const struct bf_plan_ask *ask;
	struct bf_buf *lines;
	const char **param_names;
	struct bf_pg_result *closed;    /* the schemas that this user may not use */
	struct bf_pg_result *functions; /* those of the user's that may write */
	int n_missing;
	bool makes_something; /* some statement of the pipeline may make a table anew, with other columns */
	struct bf_error *err;
	int rc;
};

/* The last part of the name that begins here: of a."B".c it is c. Lower case where it is not quoted. "" for what is no name. */
static void name_at(const char *at, char out[static NAME_TEXT])
{
	size_t n = 0;
	for (;;) {
		bool quoted = *at == '"';
		at += quoted;
		n = 0;
		while (*at && (quoted ? *at != '"' : isalnum((unsigned char)*at) || *at == '_' || *at == '$' || (unsigned char)*at >= 0x80)) {
			if (n + 1 < NAME_TEXT)
				out[n++] = quoted ? *at : (char)tolower((unsigned char)*at);
			at++;
		}
		at += quoted && *at == '"';
		if (*at != '.')
			break;
		at++;
	}
	out[n] = '\0';
}

static const char *character(const char *text, int64_t position)
{
	for (; *text && position > 1; text++)
		if (((unsigned char)text[1] & 0xC0) != 0x80)
			position--;
	return text;
}

/* Is there something of this name in any schema? Then it may only be out of this user's sight. */
static int exists_somewhere(struct look *l, const char *name, bool *out, struct bf_error *err)
{
	BF_AUTORESULT struct bf_pg_result *r = NULL;
	BF_AUTOBUF struct bf_buf sql;
	bf_buf_init(&sql, 4096);
	bf_buf_addstr(&sql, "select ");
	int rc = bf_pg_quote_literal(l->pg, &sql, name, err);
	if (rc < 0)
		return rc;
	bf_buf_addstr(&sql, "::name in (select relname from pg_catalog.pg_class union all select proname from pg_catalog.pg_proc)");
	rc = bf_pg_script(l->pg, sql.data, &r, err);
	if (rc == 0)
		*out = bf_pg_bool(r, 0, 0);
	return rc;
}

/* The error of a statement that could not be prepared: does it say that something is missing, and for certain? */
static int judge(struct look *l, const char *sql, struct bf_error *e, bool *missing)
{
	bool column = strcmp(e->sqlstate, "42703") == 0, other = strcmp(e->sqlstate, "42P01") == 0 || strcmp(e->sqlstate, "42883") == 0;
	char name[NAME_TEXT] = "";
	struct bf_error failure;
	bool somewhere = false;
	int rc = 0;
	*missing = false;
	if (!(column || other) || e->sql_position == 0 || (column && l->makes_something))
		return 0;
	name_at(character(sql, e->sql_position), name);
	if (!*name || is_made(l->ask->pipeline, name))
		return 0;
	if (other)
		rc = exists_somewhere(l, name, &somewhere, &failure);
	*missing = rc == 0 && !somewhere;
	if (rc < 0)
		*e = failure;
	return rc;
}

static int line_of(const char *sql, int64_t position)
{
	int line = 1;
	for (const char *at = sql, *end = character(sql, position); at < end; at++)
		line += *at == '\n';
	return line;
}

static bool names_a_closed_schema(const struct look *l, const struct bf_sqltext_statement *st)
{
	for (int i = 0; i < bf_pg_rows(l->closed); i++)
		if (mentions(st, bf_pg_text(l->closed, i, 0)))
			return true;
	return false;
}

/* Newlines before it make the server's lines those of the file. */
static void prepare(struct look *l, const struct bf_step *s, const struct bf_sql_file *f, const struct bf_sqltext_statement *st)
{
	BF_AUTOBUF struct bf_buf sql;
	struct bf_error e;
	bool missing = false;
	bf_buf_init(&sql, (size_t)64 << 20);
	bf_buf_addstr(&sql, "PREPARE bf_preflight AS ");
	for (int line = 1; line < st->line; line++)
		bf_buf_addch(&sql, '\n');
	bf_buf_add(&sql, st->start, st->len);
	int rc = bf_pg_step_begin(l->pg, &e);
	if (rc == 0)
		rc = bf_pg_script(l->pg, sql.data, NULL, &e);
	bool made = rc == 0;
	if (made)
		rc = bf_pg_script(l->pg, "DEALLOCATE bf_preflight", NULL, &e);
	bf_pg_rollback(l->pg);
	if (!made && rc == -BF_E_SQL)
		rc = judge(l, sql.data, &e, &missing);
	if (missing && ++l->n_missing <= SHOWN_MAX)
		bf_buf_printf(l->lines, "%s%s%s: %s: line %d: %.*s", l->lines->len ? "\n" : "", s ? "step " : "", s ? s->name : "throttle", f->name,
					  line_of(sql.data, e.sql_position), (int)strcspn(e.text, "\n"), e.text);
	if (rc < 0 && rc != -BF_E_SQL) {
		*l->err = e;
		l->rc = rc;
	}
}

static void look_at_file(void *data, const struct bf_step *s, const struct bf_sql_file *f)
{
	struct look *l = data;
	const struct bf_plan_ask *ask = l->ask;
	char since[BF_DATE_TEXT] = "", until[BF_DATE_TEXT] = "";
	const char *key = ask->keys && ask->keys->count ? bf_keys_at(ask->keys, 0) : "";
	BF_AUTOBUF struct bf_buf sql = {0};
	struct bf_sqltext t;
	struct bf_error ignored;
	if (l->rc < 0 || !f->text)
		return;
	if (!ask->keys) {
		bf_date_format(ask->since, since);
		bf_date_format(ask->until, until);
	}
	const struct bf_vars v = {.run = "preflight",
							  .step = s ? s->name : "",
							  .chunk = ask->keys ? key : since,
							  .since = since,
							  .until = until,
							  .lookback_since = since,
							  .key = key,
							  .lookback_key = key,
							  .started_at = since,
							  .finished_at = since,
							  .param_names = l->param_names,
							  .param_values = ask->param_values,
							  .n_params = ask->pipeline->n_params};
	bf_buf_init(&sql, (size_t)64 << 20);
	if (bf_query_render(l->pg, f->text, &v, false, &sql, &ignored) < 0 || bf_sqltext_parse(sql.data, sql.len, &t, &ignored) < 0)
		return; /* with the values of another chunk it may be fine */
	for (int i = 0; l->rc == 0 && l->n_missing <= SHOWN_MAX && i < t.n_statements && !is_opaque(&t.statements[i], l->functions); i++)
		if (t.statements[i].plain && !names_a_closed_schema(l, &t.statements[i]))
			prepare(l, s, f, &t.statements[i]);
	bf_sqltext_release(&t);
}

int bf_preflight_sql(struct bf_pg *reader, const struct bf_plan_ask *ask, struct bf_buf *lines, struct bf_error *err)
{
	const struct bf_pipeline *p = ask->pipeline;
	struct look l = {.pg = reader, .ask = ask, .lines = lines, .err = err};
	BF_AUTOFREE const char **names = bf_alloc((p->n_params + 1) * sizeof(*names));
	for (size_t i = 0; i < p->n_params; i++)
		names[i] = p->params[i].name;
	l.param_names = names;
	for (int i = 0; i < p->n_steps; i++)
		each_file(&p->steps[i], look_for_any_maker, &l.makes_something);
	l.rc = bf_pg_script(reader, "SET lock_timeout = '2s'", NULL, err); /* a table that is being changed is there */
	if (l.rc == 0)
		l.rc = bf_pg_script(reader, "select nspname from pg_catalog.pg_namespace where not has_schema_privilege(oid, 'usage')", &l.closed,
							err);
	if (l.rc == 0)
		l.rc = bf_pg_script(reader,
							"select distinct p.proname from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace"
							" where p.provolatile = 'v' and n.nspname not in ('pg_catalog', 'information_schema', 'bf')",
							&l.functions, err);
	if (l.rc == 0 && p->throttle.name)
		look_at_file(&l, NULL, &p->throttle);
	for (int i = 0; l.rc == 0 && i < p->n_steps; i++) {
		const struct bf_step *s = &p->steps[i];
		bool seen[BF_STEPS_MAX] = {false};
		if (ask->left_out[i] || comes_after_opaque(ask, s, l.functions, seen))
			continue;
		each_file(s, look_at_file, &l);
		if (!is_opaque_step(s, l.functions))
			each_rollback(s, look_at_file, &l);
	}
	if (l.n_missing > SHOWN_MAX)
		bf_buf_addstr(lines, "\n… and more");
	bf_pg_result_free(l.closed);
	bf_pg_result_free(l.functions);
	return l.rc < 0 ? l.rc : bf_pg_script(reader, "SET lock_timeout = 0", NULL, err);
}

/* ---- the environment ---- */

struct needed {
	char **names;
	size_t n;
};

static void add_env(const char *name, size_t len, bool has_default, void *data)
{
	struct needed *needed = data;
	for (size_t i = 0; i < needed->n; i++)
		has_default = has_default || (strlen(needed->names[i]) == len && memcmp(needed->names[i], name, len) == 0);
	if (has_default)
		return;
	needed->names = bf_realloc_array(needed->names, needed->n + 2, sizeof(*needed->names));
	needed->names[needed->n++] = bf_strndup(name, len);
	needed->names[needed->n] = NULL;
}

static void add_template(struct needed *needed, const char *text)
{
	if (text)
		bf_template_each_env(text, add_env, needed);
}

static void add_http(struct needed *needed, const struct bf_http_spec *http)
{
	add_template(needed, http->url);
	for (size_t i = 0; i < http->n_headers; i++)
		add_template(needed, http->headers[i].value);
	add_template(needed, http->body);
}

char **bf_preflight_env(const struct bf_plan_ask *ask)
{
	const struct bf_pipeline *p = ask->pipeline;
	struct needed needed = {.names = bf_alloc(sizeof(char *))};
	bool programs = false;
	for (int i = 0; i < p->n_steps; i++) {
		const struct bf_step *s = &p->steps[i];
		if (ask->left_out[i])
			continue;
		programs = programs || s->kind == BF_KIND_EXEC;
		for (char **arg = s->argv; arg && *arg; arg++)
			add_template(&needed, *arg);
		add_http(&needed, &s->http);
		for (size_t k = 0; k < s->n_checks; k++) {
			add_http(&needed, &s->checks[k].http);
			add_template(&needed, s->checks[k].json_file);
		}
	}
	for (size_t i = 0; programs && i < p->n_env_set; i++)
		add_template(&needed, p->env_set[i].value);
	return needed.names;
}
