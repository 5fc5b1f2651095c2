#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "core/pipeline_internal.h"
#include "core/sqltext.h"
#include "core/vars.h"

const char *const bf_builtin_variables[11] = {"run",          "step",       "chunk",       "since", "until", "key", "lookback_since",
											  "lookback_key", "started_at", "finished_at", NULL};

static bool has_parent_part(const char *path)
{
	for (const char *p = path; p; p = strchr(p, '/')) {
		p += *p == '/';
		if (strncmp(p, "..", 2) == 0 && (p[2] == '/' || p[2] == '\0'))
			return true;
	}
	return false;
}

bool bf_file_name_inside(const char *name)
{
	return name[0] != '\0' && name[0] != '/' && !has_parent_part(name);
}

/* The name, or NULL when it is no text or would leave the pipeline's folder. */
static const char *inside_name(struct bf_reader *r, const struct bf_at *at, json_t *name)
{
	const char *text = json_string_value(name);

	if (!text || !bf_file_name_inside(text)) {
		bf_problem_found(r, at, name, "the name of a file in the pipeline's folder, such as \"sql/daily.sql\"");
		return NULL;
	}
	return text;
}

/* ", for step X" where a place in the file is part of a step, else "". */
static const char *for_step(const struct bf_reader *r, const struct bf_at *at, char out[static BF_NAME_MAX + 16])
{
	const struct bf_at *element = at;
	while (element->up && element->up->up)
		element = element->up;
	bool in_step = element->up && element->up->field && strcmp(element->up->field, "steps") == 0;
	snprintf(out, BF_NAME_MAX + 16, "%s%.*s", in_step ? ", for step " : "", BF_NAME_MAX, in_step ? r->step_names[element->index] : "");
	return out;
}

char *bf_read_path(struct bf_reader *r, const struct bf_at *at, json_t *name)
{
	const char *text = inside_name(r, at, name);
	BF_AUTOFREE char *path = text ? bf_asprintf("%s/%s", r->p->dir, text) : NULL;
	char step[BF_NAME_MAX + 16];
	struct stat st;

	if (!path || r->pinned)
		return bf_steal(&path);
	if (stat(path, &st) < 0)
		bf_problem_found(r, at, name, "a file that exists%s (looked for %s)", for_step(r, at, step), path);
	else if (!S_ISREG(st.st_mode))
		bf_problem_found(r, at, name, "a regular file%s (%s is %s)", for_step(r, at, step), path, bf_file_kind(st.st_mode));
	else
		return bf_steal(&path);
	r->missing++;
	return NULL;
}

/* The text of a file from disk, which is put into r->files. Borrowed from there. */
static json_t *load_file(struct bf_reader *r, const struct bf_at *at, json_t *name)
{
	BF_AUTOFREE char *path = bf_read_path(r, at, name);
	BF_AUTOBUF struct bf_buf content;
	struct bf_error err;
	json_t *text;

	bf_buf_init(&content, BF_SQL_FILE_MAX);
	if (!path)
		return NULL;
	if (bf_buf_read_file(&content, path, &err) < 0) {
		bf_problem(r, at, "%s", err.text);
		return NULL;
	}
	text = json_stringn(content.data, content.len); /* refuses what is not UTF-8, but for a NUL */
	if (!text || memchr(content.data, '\0', content.len)) {
		json_decref(text);
		bf_problem_found(r, at, name, "a file of UTF-8 text without NUL");
		return NULL;
	}
	json_object_set_new(r->files, json_string_value(name), text);
	return text;
}

static json_t *text_of(struct bf_reader *r, const struct bf_at *at, json_t *name)
{
	const char *text = inside_name(r, at, name);
	json_t *content = text ? json_object_get(r->files, text) : NULL;

	if (!text || content)
		return json_is_string(content) ? content : NULL; /* of a pinned body: its loader reports it */
	if (!r->pinned)
		return load_file(r, at, name);
	bf_problem_found(r, at, name, "the name of one of \"files\"");
	return NULL;
}

static bool exists_here(const struct bf_reader *r, const char *variable, const struct bf_sql_use *use)
{
	if (use->range)
		return strcmp(variable, "since") == 0 || strcmp(variable, "until") == 0;
	if (strcmp(variable, "lookback_since") == 0)
		return use->lookback && !r->p->chunk.by_key;
	if (strcmp(variable, "lookback_key") == 0)
		return use->lookback && r->p->chunk.by_key;
	return use->undo || (strcmp(variable, "started_at") != 0 && strcmp(variable, "finished_at") != 0);
}

/* Which names the file at hand may use: those built in that exist here, then the parameters. */
static const char **known_variables(const struct bf_reader *r, const struct bf_sql_use *use)
{
	const char **names = bf_realloc_array(NULL, BF_COUNT_OF(bf_builtin_variables) + r->p->n_params, sizeof(*names));
	size_t n = 0;

	for (size_t i = 0; !use->keys && bf_builtin_variables[i]; i++)
		if (exists_here(r, bf_builtin_variables[i], use))
			names[n++] = bf_builtin_variables[i];
	for (size_t i = 0; i < r->p->n_params; i++)
		names[n++] = r->param_names[i];
	names[n] = NULL;
	return names;
}

static bool among(const char *const *names, const char *name)
{
	while (*names && strcmp(*names, name) != 0)
		names++;
	return *names;
}

/* Each unknown name once. */
static void check_variables(struct bf_reader *r, const struct bf_at *at, const struct bf_sqltext *sql, const char *file,
							const struct bf_sql_use *use)
{
	BF_AUTOFREE const char **known = known_variables(r, use);
	json_t *seen = json_object();

	for (size_t i = 0; i < sql->n_pieces; i++) {
		const struct bf_sqltext_piece *piece = &sql->pieces[i];
		BF_AUTOFREE char *name = piece->kind == BF_SQL_TEXT ? NULL : bf_strndup(piece->start, piece->len);
		BF_AUTOBUF struct bf_buf text;

		bf_buf_init(&text, BF_ERROR_TEXT_MAX);
		if (!name || among(known, name) || json_object_get(seen, name))
			continue;
		json_object_set_new(seen, name, json_true());
		if (!use->keys && !use->range && strcmp(name, r->p->chunk.by_key ? "lookback_key" : "lookback_since") == 0)
			bf_buf_printf(&text, "found \"%s\", expected \"lookback\": {\"%s\": N} on this step", name,
						  r->p->chunk.by_key ? "keys" : "days");
		else
			bf_word_text(&text, name, *known ? "a variable that exists here" : "no variable: this pipeline has no parameters", known);
		bf_problem(r, at, "%s: line %d: %s", file, piece->line, text.data);
	}
	json_decref(seen);
}

static void check_sql(struct bf_reader *r, const struct bf_at *at, const char *file, const char *text, size_t len,
					  const struct bf_sql_use *use)
{
	struct bf_sqltext sql;
	struct bf_error err;

	if (bf_sqltext_parse(text, len, &sql, &err) < 0) {
		bf_problem(r, at, "%s: %s", file, err.text);
		return;
	}
	check_variables(r, at, &sql, file, use);
	if (sql.n_statements == 0)
		bf_problem(r, at, "%s: found no statement, expected one", file);
	else if (use->single && sql.n_statements > 1)
		bf_problem(r, at, "%s: found %d statements, expected one, whose result is used", file, sql.n_statements);
	bf_sqltext_release(&sql);
}

void bf_read_sql(struct bf_reader *r, const struct bf_at *at, json_t *name, const struct bf_sql_use *use, struct bf_sql_file *out)
{
	json_t *text = text_of(r, at, name);

	if (!text)
		return;
	out->name = bf_strdup(json_string_value(name));
	out->text = bf_strdup(json_string_value(text));
	check_sql(r, at, out->name, out->text, json_string_length(text), use);
}

static bool executable(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

static bool in_path(const char *program)
{
	const char *path = getenv("PATH");

	for (const char *p = path ? path : "/usr/local/bin:/usr/bin:/bin"; p; p = strchr(p, ':')) {
		size_t len;

		p += *p == ':';
		len = strcspn(p, ":");
		BF_AUTOFREE char *candidate = bf_asprintf("%.*s/%s", len ? (int)len : 1, len ? p : ".", program);
		if (executable(candidate))
			return true;
	}
	return false;
}

/* argv[0]: a path in the pipeline's folder, an absolute one, or a program in PATH, which stays as it is for execvp. */
char *bf_read_program(struct bf_reader *r, const struct bf_at *at, json_t *name)
{
	const char *text = json_string_value(name);
	BF_AUTOFREE char *path = NULL;
	struct stat st;
	char step[BF_NAME_MAX + 16];

	if (!text || text[0] == '\0' || strstr(text, "{{")) {
		bf_problem_found(r, at, name, "a program: \"bin/export\" of the pipeline's folder, \"/usr/bin/python3\", or \"python3\" of PATH");
		return NULL;
	}
	path = strchr(text, '/') && text[0] != '/' ? bf_asprintf("%s/%s", r->p->dir, text) : bf_strdup(text);
	if (r->pinned)
		return bf_steal(&path);
	r->missing += strchr(text, '/') ? !executable(path) : !in_path(text);
	if (strchr(text, '/') && stat(path, &st) < 0)
		bf_problem_found(r, at, name, "a program that exists%s (looked for %s)", for_step(r, at, step), path);
	else if (strchr(text, '/') && !S_ISREG(st.st_mode))
		bf_problem_found(r, at, name, "a program%s (%s is %s)", for_step(r, at, step), path, bf_file_kind(st.st_mode));
	else if (strchr(text, '/') && !executable(path))
		bf_problem_found(r, at, name, "a file that may be executed%s (%s is not: chmod +x)", for_step(r, at, step), path);
	else if (!strchr(text, '/') && !in_path(text))
		bf_problem_found(r, at, name, "a program that is in PATH%s, or with a '/' one in the pipeline's folder", for_step(r, at, step));
	return bf_steal(&path);
}
