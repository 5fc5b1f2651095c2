/*
 * The psql-notation lexer. The input is a text, or a value, NUL and a text. The pieces cover the text in its order; without variables,
 * rendering gives the text back; with a value for each variable, the result is as many statements as before, for no quoted value
 * can add one.
 */
#include "core/sqltext.h"
#include "fuzz.h"

static const char *one_value(void *data, const char *name, size_t len)
{
	MUST(len > 0 && memchr(name, '\0', len) == NULL);
	return data;
}

/* As PQescapeLiteral and PQescapeIdentifier do. */
static int quote(void *data, struct bf_buf *out, const char *value, enum bf_sqltext_kind kind, struct bf_error *err)
{
	char mark = kind == BF_SQL_LITERAL ? '\'' : '"';
	bool escape = kind == BF_SQL_LITERAL && strchr(value, '\\');

	(void)data;
	(void)err;
	if (escape)
		bf_buf_addstr(out, " E");
	bf_buf_addch(out, mark);
	for (const char *p = value; *p; p++) {
		if (*p == mark || (escape && *p == '\\'))
			bf_buf_addch(out, *p);
		bf_buf_addch(out, *p);
	}
	return bf_buf_addch(out, mark);
}

/* How many bytes of byte order marks it begins with. */
static size_t marks(const char *text, size_t len)
{
	size_t n = 0;

	while (len - n >= 3 && memcmp(text + n, "\xef\xbb\xbf", 3) == 0)
		n += 3;
	return n;
}

/* Each piece begins where the one before ends, but for what marks a variable. Returns whether there are variables. */
static bool check_pieces(const struct bf_sqltext *t, const char *text, size_t len, bool *raw)
{
	const char *at = text + marks(text, len);
	bool variables = false;
	int line = 1;

	for (size_t i = 0; i < t->n_pieces; i++) {
		const struct bf_sqltext_piece *p = &t->pieces[i];
		MUST(p->start >= at && p->start + p->len <= text + len && p->len > 0 && p->line >= line);
		MUST(p->kind == BF_SQL_TEXT ? p->start - at <= 1 : p->start - at >= 1);
		if (p->kind != BF_SQL_TEXT)
			MUST(p->start[-1] == (p->kind == BF_SQL_RAW ? ':' : p->kind == BF_SQL_LITERAL ? '\'' : '"'));
		variables |= p->kind != BF_SQL_TEXT;
		*raw |= p->kind == BF_SQL_RAW;
		at = p->start + p->len;
		line = p->line;
	}
	MUST(text + len - at <= 1);
	return variables;
}

static void check_given_back(const struct bf_sqltext *t, const char *text, size_t len)
{
	struct bf_error err;
	struct bf_buf out;
	size_t mark = marks(text, len);

	bf_buf_init(&out, len + 8);
	MUST(bf_sqltext_render(t, one_value, quote, NULL, &out, &err) == 0);
	MUST(out.len == len - mark + (t->unended ? 3 : 1));
	MUST(len == mark || memcmp(out.data, text + mark, len - mark) == 0);
	bf_buf_release(&out);
}

static void check_no_statement_more(const struct bf_sqltext *t, const char *value)
{
	struct bf_error err;
	struct bf_sqltext again;
	struct bf_buf out;

	bf_buf_init(&out, (size_t)16 << 20);
	if (bf_sqltext_render(t, one_value, quote, (void *)(uintptr_t)value, &out, &err) == 0) {
		MUST(bf_sqltext_parse(out.data, out.len, &again, &err) == 0);
		MUST(again.n_statements == t->n_statements && !again.unended);
		for (size_t i = 0; i < again.n_pieces; i++)
			MUST(again.pieces[i].kind == BF_SQL_TEXT);
		bf_sqltext_release(&again);
	}
	bf_buf_release(&out);
}

/* They lie in the text, one behind the other, and begin with a token. */
static void check_statements(const struct bf_sqltext *t, const char *text, size_t len)
{
	const char *at = text;

	for (int i = 0; i < t->n_statements; i++) {
		const struct bf_sqltext_statement *s = &t->statements[i];

		MUST(s->start >= at && s->len <= (size_t)(text + len - s->start) && s->line >= 1);
		at = s->start + s->len;
	}
}

static void check(const char *value, const char *text, size_t len)
{
	struct bf_error err;
	struct bf_sqltext t;
	bool raw = false;
	int rc = bf_sqltext_parse(text, len, &t, &err);

	if (rc < 0) {
		must_be_an_error(rc, &err);
		return;
	}
	MUST(t.n_statements >= t.unended);
	check_statements(&t, text, len);
	if (!check_pieces(&t, text, len, &raw))
		check_given_back(&t, text, len);
	else if (!raw && bf_utf8_valid(value, strlen(value)))
		check_no_statement_more(&t, value);
	bf_sqltext_release(&t);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	char *text = fuzz_text(bytes, size);
	size_t first = strlen(text);

	if (first < size)
		check(text, text + first + 1, size - first - 1);
	else
		check("it's \\", text, size);
	free(text);
	return 0;
}
