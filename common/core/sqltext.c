#include "core/sqltext.h"

#include "base/mem.h"
#include "base/text.h"

/*
 * The rules are those of psql's psqlscan.l with standard_conforming_strings on. Only what decides where a quote, a variable or a
 * statement ends is looked at; the rest is the server's.
 */

#define WORDS     4  /* of a statement's beginning, as many as CREATE OR REPLACE FUNCTION needs */
#define WORD_MAX  16 /* longer than any word that is compared */
#define SHOWN_MAX 40 /* bytes of a word in a message */

struct lexer {
	const char *p, *end;
	int line;
	struct bf_sqltext *out;
	size_t cap;
	const char *piece; /* where the text begins that is in no piece yet */
	int piece_line;
	struct bf_error *err;

	/* of the statement at hand */
	bool open;                   /* it has a token, */
	const char *start;           /* the first of which is here, */
	int start_line;              /* in this line */
	bool beginning;              /* it had nothing but words so far */
	const char *first;           /* where the first of them is */
	char words[WORDS][WORD_MAX]; /* its first words, in lower case; ":" stands for a variable */
	int n_words;
	char last[WORD_MAX]; /* the token before, if it was a word */
	int parens, parens_line;
	int blocks, blocks_line;                                    /* depth of BEGIN ATOMIC and of the CASEs in it, for both end with END */
	enum call { NO_CALL, SCHEMA, DOT, NAME } call, call_before; /* how much of bf.name was seen; before the present token */
	const char *call_start;
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_word_start(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (unsigned char)c >= 0x80;
}

static bool is_variable_char(char c)
{
	return is_word_start(c) || is_digit(c);
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

static char at(const struct lexer *l, size_t ahead)
{
	return (size_t)(l->end - l->p) > ahead ? l->p[ahead] : '\0';
}

static void go_to(struct lexer *l, const char *to)
{
	for (; l->p < to; l->p++)
		l->line += *l->p == '\n';
}

static void add_piece(struct lexer *l, enum bf_sqltext_kind kind, const char *start, size_t len, int line)
{
	struct bf_sqltext *t = l->out;

	if (len == 0)
		return;
	if (t->n_pieces == l->cap) {
		l->cap = l->cap ? l->cap * 2 : 16;
		t->pieces = bf_realloc_array(t->pieces, l->cap, sizeof(*t->pieces));
	}
	t->pieces[t->n_pieces++] = (struct bf_sqltext_piece){.kind = kind, .start = start, .len = len, .line = line};
}

/* Shows the source from `start` to where the lexer is. */
static int refuse(struct lexer *l, const char *start, const char *expected)
{
	BF_AUTOBUF struct bf_buf shown;

	bf_buf_init(&shown, 256);
	bf_text_quote(&shown, start, (size_t)(l->p - start), SHOWN_MAX);
	return bf_fail(l->err, BF_E_INPUT, "line %d: found %s, expected %s", l->line, shown.data, expected);
}

static bool is_plain(const char *word)
{
	static const char *const words[] = {"insert", "update", "delete", "merge", "select", "with", "values", "table", "truncate", "lock"};

	for (size_t i = 0; i < BF_COUNT_OF(words); i++)
		if (strcmp(word, words[i]) == 0)
			return true;
	return false;
}

static void begin_statement(struct lexer *l)
{
	l->open = false;
	l->beginning = true;
	l->n_words = 0;
	l->last[0] = '\0';
	l->parens = l->blocks = 0;
}

/* A token begins at `start`. */
static void open_statement(struct lexer *l, const char *start)
{
	if (l->open)
		return;
	l->open = true;
	l->start = start;
	l->start_line = l->line;
}

static void end_statement(struct lexer *l, const char *end)
{
	struct bf_sqltext *t = l->out;
	bool plain = l->n_words > 0 && is_plain(l->words[0]);

	if (!l->open)
		return;
	t->statements = bf_realloc_array(t->statements, (size_t)t->n_statements + 1, sizeof(*t->statements));
	t->statements[t->n_statements++] =
		(struct bf_sqltext_statement){.start = l->start, .len = (size_t)(end - l->start), .line = l->start_line, .plain = plain};
}

/* Any token that is no word. */
static void token(struct lexer *l)
{
	open_statement(l, l->p);
	l->beginning = false;
	l->last[0] = '\0';
	l->call_before = l->call;
	l->call = NO_CALL;
}

/*
 * A call into schema bf is the ledger's own business: a step that settles its job itself would say that it is done before it is.
 * What is called by way of a function is not seen here; bf.settle notices it. INSERT INTO bf.x (…) is no call.
 */
static void track_schema(struct lexer *l, const char *start, bool is_ledger, enum call before)
{
	if (before == DOT) {
		l->call = NAME;
	} else if (is_ledger && strcmp(l->last, "into") != 0) {
		l->call = SCHEMA;
		l->call_start = start;
	} else {
		l->call = NO_CALL;
	}
}

static bool word_is(const struct lexer *l, int i, const char *word)
{
	return i < l->n_words && strcmp(l->words[i], word) == 0;
}

static bool controls_transaction(const struct lexer *l)
{
	static const char *const alone[] = {"begin", "commit", "end", "rollback", "abort", "savepoint", "release"};

	if (l->n_words == 1) {
		for (size_t i = 0; i < BF_COUNT_OF(alone); i++)
			if (word_is(l, 0, alone[i]))
				return true;
	}
	if (l->n_words == 2 && word_is(l, 1, "transaction"))
		return word_is(l, 0, "start") || word_is(l, 0, "prepare") || word_is(l, 0, "set");
	if (l->n_words == 3 && word_is(l, 2, "transaction"))
		return word_is(l, 0, "set") && (word_is(l, 1, "local") || word_is(l, 1, "session"));
	return false;
}

/* A variable's value could be one of the words that are refused. */
static bool hides_behind_variable(const struct lexer *l)
{
	if (word_is(l, 0, ":"))
		return true;
	return l->n_words == 2 && word_is(l, 1, ":") && (word_is(l, 0, "start") || word_is(l, 0, "prepare"));
}

static int check_beginning(struct lexer *l)
{
	if (controls_transaction(l))
		return refuse(l, l->first, "no transaction control: the transaction is the worker's, and it commits when all statements are done");
	if (hides_behind_variable(l))
		return refuse(l, l->first, "a statement's first word to be written out, not to come from a variable");
	return 0;
}

static int check_copy(struct lexer *l, const char *start, const char *word)
{
	bool from = strcmp(l->last, "from") == 0, to = strcmp(l->last, "to") == 0;

	if (!word_is(l, 0, "copy") || l->parens > 0)
		return 0;
	if ((from && strcmp(word, "stdin") == 0) || (to && strcmp(word, "stdout") == 0) || ((from || to) && strcmp(word, ":") == 0))
		return refuse(l, start, "COPY with a file of the server: a job has no standard input or output");
	return 0;
}

static bool creates_function(const struct lexer *l)
{
	int i = word_is(l, 1, "or") && word_is(l, 2, "replace") ? 3 : 1;

	return word_is(l, 0, "create") && (word_is(l, i, "function") || word_is(l, i, "procedure"));
}

/* The semicolons in CREATE FUNCTION … BEGIN ATOMIC …; …; END end no statement. */
static void track_blocks(struct lexer *l, const char *word)
{
	if (l->parens > 0 || !creates_function(l))
		return;
	if (l->blocks == 0 && strcmp(word, "atomic") == 0 && strcmp(l->last, "begin") == 0) {
		l->blocks = 1;
		l->blocks_line = l->line;
	} else if (l->blocks > 0 && strcmp(word, "case") == 0) {
		l->blocks++;
	} else if (l->blocks > 0 && strcmp(word, "end") == 0) {
		l->blocks--;
	}
}

/* `start` to l->p is the word; it is a variable's, or has one glued to its end, when `variable`. */
static int see_word(struct lexer *l, const char *start, bool variable)
{
	char word[WORD_MAX] = ":";
	size_t len = (size_t)(l->p - start);
	int rc;

	if (!variable) {
		if (len > WORD_MAX - 1)
			len = WORD_MAX - 1;
		for (size_t i = 0; i < len; i++)
			word[i] = start[i] >= 'A' && start[i] <= 'Z' ? (char)(start[i] - 'A' + 'a') : start[i];
		word[len] = '\0';
	}
	open_statement(l, start);
	if (l->beginning && l->n_words < WORDS) {
		if (l->n_words == 0)
			l->first = start;
		memcpy(l->words[l->n_words++], word, sizeof(word));
		if (l->n_words == 1 && !is_plain(word))
			l->out->plain = false;
		rc = check_beginning(l);
		if (rc < 0)
			return rc;
	}
	rc = check_copy(l, start, word);
	track_blocks(l, word);
	track_schema(l, start, strcmp(word, "bf") == 0, l->call);
	memcpy(l->last, word, sizeof(word));
	return rc;
}

static int unended(struct lexer *l, int line, const char *what)
{
	return bf_fail(l->err, BF_E_INPUT, "line %d: found %s that is never closed", line, what);
}

static void skip_line_comment(struct lexer *l)
{
	while (l->p < l->end && *l->p != '\n' && *l->p != '\r')
		l->p++;
}

static int skip_comment(struct lexer *l)
{
	int line = l->line, depth = 0;

	do {
		if (l->p >= l->end)
			return unended(l, line, "a comment /*");
		if (at(l, 0) == '/' && at(l, 1) == '*') {
			depth++;
			l->p += 2;
		} else if (at(l, 0) == '*' && at(l, 1) == '/') {
			depth--;
			l->p += 2;
		} else {
			go_to(l, l->p + 1);
		}
	} while (depth > 0);
	return 0;
}

/* To after the closing quote; it is at the opening one. A doubled quote is two quotes in a row, which comes to the same. */
static int skip_quoted(struct lexer *l, char quote, bool backslashes, const char *what)
{
	int line = l->line;

	l->p++;
	while (l->p < l->end && *l->p != quote) {
		if (backslashes && *l->p == '\\' && l->p + 1 < l->end)
			l->p++;
		go_to(l, l->p + 1);
	}
	if (l->p >= l->end)
		return unended(l, line, what);
	l->p++;
	return 0;
}

/* Where a string goes on after its closing quote: at a quote behind space that has a newline in it, or at once. NULL: it doesn't. */
static const char *continuation(const struct lexer *l)
{
	bool newline = false;
	const char *p = l->p;

	if (p < l->end && *p == '\'')
		return p;
	while (p < l->end) {
		if (is_space(*p)) {
			newline |= *p == '\n' || *p == '\r';
			p++;
		} else if (*p == '-' && l->end - p > 1 && p[1] == '-') {
			while (p < l->end && *p != '\n' && *p != '\r')
				p++;
		} else {
			break;
		}
	}
	return newline && p < l->end && *p == '\'' ? p : NULL;
}

/* E'…' keeps its backslashes in the parts that continue it. */
static int skip_escape_string(struct lexer *l)
{
	const char *next;
	int rc;

	do {
		rc = skip_quoted(l, '\'', true, "a quote E'");
		next = rc < 0 ? NULL : continuation(l);
		if (next)
			go_to(l, next);
	} while (next);
	return rc;
}

static int lex_word(struct lexer *l)
{
	const char *start = l->p;
	bool glued;

	while (l->p < l->end && (is_variable_char(*l->p) || *l->p == '$'))
		l->p++;
	if (l->p - start == 1 && (*start == 'e' || *start == 'E') && at(l, 0) == '\'') {
		token(l);
		return skip_escape_string(l);
	}
	glued = at(l, 0) == ':' && is_word_start(at(l, 1));
	return see_word(l, start, glued);
}

static int lex_dollar(struct lexer *l)
{
	const char *tag = l->p, *p = l->p + 1;
	int line = l->line;
	size_t len;

	token(l);
	if (p < l->end && is_word_start(*p)) {
		while (p < l->end && is_variable_char(*p))
			p++;
	}
	if (p >= l->end || *p != '$') { /* $1, or a stray $ */
		l->p++;
		return 0;
	}
	len = (size_t)(p + 1 - tag);
	p = memmem(p + 1, (size_t)(l->end - p - 1), tag, len);
	if (!p) {
		BF_AUTOBUF struct bf_buf shown;

		bf_buf_init(&shown, 256);
		bf_text_quote(&shown, tag, len, SHOWN_MAX);
		return bf_fail(l->err, BF_E_INPUT, "line %d: found a dollar quote %s that is never closed", line, shown.data);
	}
	go_to(l, p + len);
	return 0;
}

static int lex_variable(struct lexer *l, enum bf_sqltext_kind kind, size_t before, size_t len, size_t after)
{
	const char *start = l->p;

	add_piece(l, BF_SQL_TEXT, l->piece, (size_t)(start - l->piece), l->piece_line);
	add_piece(l, kind, start + before, len, l->line);
	l->p = l->piece = start + before + len + after;
	l->piece_line = l->line;
	if (kind == BF_SQL_RAW)
		return see_word(l, start, true);
	token(l);
	/* A value with a backslash is written as E'…', and would lend the quote behind it its rules. */
	if (kind == BF_SQL_LITERAL && continuation(l))
		return refuse(l, start, "an operator, such as ||, between the variable and the quote that goes on with it");
	return 0;
}

static size_t variable_length(const struct lexer *l, size_t from)
{
	size_t n = 0;

	if (!is_word_start(at(l, from))) /* psql knows names that begin with a digit; an array slice [1:2] is likelier meant */
		return 0;
	while (is_variable_char(at(l, from + n)))
		n++;
	return n;
}

static int lex_colon(struct lexer *l)
{
	char next = at(l, 1);
	size_t len;

	if (next == ':' || next == '=') {
		token(l);
		l->p += 2;
		return 0;
	}
	len = variable_length(l, 1);
	if (len > 0)
		return lex_variable(l, BF_SQL_RAW, 1, len, 0);
	len = next == '\'' || next == '"' ? variable_length(l, 2) : 0;
	if (len > 0 && at(l, 2 + len) == next)
		return lex_variable(l, next == '"' ? BF_SQL_IDENT : BF_SQL_LITERAL, 2, len, 1);
	len = next == '{' && at(l, 2) == '?' ? variable_length(l, 3) : 0;
	if (len > 0 && at(l, 3 + len) == '}') {
		const char *start = l->p;

		l->p += 3 + len + 1;
		return refuse(l, start, ":name, :'name' or :\"name\": a job's variables always exist");
	}
	token(l);
	l->p++;
	return 0;
}

static void lex_semicolon(struct lexer *l)
{
	if (l->parens > 0 || l->blocks > 0) {
		token(l);
		l->p++;
		return;
	}
	end_statement(l, l->p++);
	begin_statement(l);
}

static int lex_paren(struct lexer *l)
{
	token(l);
	if (*l->p == '(' && l->call_before == NAME)
		return refuse(l, l->call_start, "no call into schema bf: a job's record is kept by the worker alone");
	if (*l->p == '(') {
		if (l->parens++ == 0)
			l->parens_line = l->line;
	} else if (l->parens > 0) {
		l->parens--;
	}
	l->p++;
	return 0;
}

/* "name" */
static int lex_name(struct lexer *l)
{
	const char *start = l->p;
	char last[WORD_MAX];

	memcpy(last, l->last, sizeof(last));
	token(l);
	int rc = skip_quoted(l, '"', false, "a quoted name \"");
	memcpy(l->last, last, sizeof(last));
	track_schema(l, start, l->p - start == 4 && memcmp(start, "\"bf\"", 4) == 0, l->call_before);
	l->last[0] = '\0';
	return rc;
}

static int lex_backslash(struct lexer *l)
{
	const char *start = l->p;

	while (l->p < l->end && !is_space(*l->p))
		l->p++;
	return refuse(l, start, "SQL only: psql's backslash commands do not exist here");
}

static int lex_next(struct lexer *l)
{
	char c = *l->p;

	if (is_space(c)) {
		go_to(l, l->p + 1);
		return 0;
	}
	if (c == '-' && at(l, 1) == '-') {
		skip_line_comment(l);
		return 0;
	}
	if (c == '/' && at(l, 1) == '*')
		return skip_comment(l);
	if (is_word_start(c))
		return lex_word(l);
	if (c == ':')
		return lex_colon(l);
	if (c == '$')
		return lex_dollar(l);
	if (c == '"')
		return lex_name(l);
	if (c == '\'') {
		token(l);
		return skip_quoted(l, c, false, "a quote '");
	}
	if (c == ';') {
		lex_semicolon(l);
	} else if (c == '(' || c == ')') {
		return lex_paren(l);
	} else if (c == '\\') {
		return lex_backslash(l);
	} else {
		token(l);
		if (c == '.' && l->call_before == SCHEMA)
			l->call = DOT;
		l->p++;
	}
	return 0;
}

static int lex_end(struct lexer *l)
{
	if (l->parens > 0)
		return unended(l, l->parens_line, "a parenthesis (");
	if (l->blocks > 0)
		return unended(l, l->blocks_line, "a block BEGIN ATOMIC");
	end_statement(l, l->end);
	l->out->unended = l->open;
	add_piece(l, BF_SQL_TEXT, l->piece, (size_t)(l->end - l->piece), l->piece_line);
	return 0;
}

static int check_bytes(const char *text, size_t len, struct bf_error *err)
{
	const char *line = text, *end = text + len;

	if (bf_utf8_valid(text, len))
		return 0;
	for (int n = 1;; n++) {
		const char *newline = memchr(line, '\n', (size_t)(end - line)), *stop = newline ? newline : end;

		if (!newline || !bf_utf8_valid(line, (size_t)(stop - line)))
			return bf_fail(err, BF_E_INPUT, "line %d: found bytes that are not UTF-8 text, expected UTF-8 without NUL", n);
		line = newline + 1;
	}
}

int bf_sqltext_parse(const char *text, size_t len, struct bf_sqltext *out, struct bf_error *err)
{
	struct lexer l = {.line = 1, .piece_line = 1, .out = out, .err = err};
	int rc = check_bytes(text, len, err);

	*out = (struct bf_sqltext){.plain = true};
	if (rc < 0)
		return rc;
	/* psql skips a byte order mark, too. Here all at the beginning are, for what is rendered must not begin with one. */
	while (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		text += 3;
		len -= 3;
	}
	l.p = l.piece = text;
	l.end = text + len;
	begin_statement(&l);
	while (rc == 0 && l.p < l.end)
		rc = lex_next(&l);
	if (rc == 0)
		rc = lex_end(&l);
	if (rc < 0)
		bf_sqltext_release(out);
	return rc;
}

void bf_sqltext_release(struct bf_sqltext *t)
{
	free(t->pieces);
	free(t->statements);
	*t = (struct bf_sqltext){0};
}

/* A number, a date or a plain word. Nothing in it may begin a comment, whatever stands around it. */
static bool plain(const char *value)
{
	size_t len = strlen(value);

	if (len == 0 || strstr(value, "--") || value[len - 1] == '-' || (value[0] == '-' && !is_digit(value[1])))
		return false;
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)value[i] >= 0x80 || (!is_variable_char(value[i]) && value[i] != '-' && value[i] != '.'))
			return false;
	return true;
}

static int render_raw(const struct bf_sqltext_piece *piece, const char *value, struct bf_buf *out, struct bf_error *err)
{
	if (!plain(value)) {
		BF_AUTOBUF struct bf_buf shown;

		bf_buf_init(&shown, 512);
		bf_text_quote(&shown, value, strlen(value), SHOWN_MAX);
		return bf_fail(err, BF_E_INPUT,
					   "line %d: found %s as the value of :%.*s, expected a number, a date or a word, for it is not quoted (:'%.*s' is)",
					   piece->line, shown.data, (int)piece->len, piece->start, (int)piece->len, piece->start);
	}
	if (value[0] == '-' && out->len > 0 && out->data[out->len - 1] == '-')
		bf_buf_addch(out, ' '); /* 5 -:x with -1 is no comment */
	bf_buf_addstr(out, value);
	return 0;
}

int bf_sqltext_render(const struct bf_sqltext *t, bf_sqltext_lookup lookup, bf_sqltext_quote quote, void *data, struct bf_buf *out,
					  struct bf_error *err)
{
	for (size_t i = 0; i < t->n_pieces; i++) {
		const struct bf_sqltext_piece *piece = &t->pieces[i];
		const char *value;
		int rc;

		if (piece->kind == BF_SQL_TEXT) {
			bf_buf_add(out, piece->start, piece->len);
			continue;
		}
		value = lookup(data, piece->start, piece->len);
		if (!value)
			return bf_fail(err, BF_E_INPUT, "line %d: there is no variable \"%.*s\"", piece->line, (int)piece->len, piece->start);
		rc = piece->kind == BF_SQL_RAW ? render_raw(piece, value, out, err) : quote(data, out, value, piece->kind, err);
		if (rc < 0)
			return rc;
	}
	bf_buf_addstr(out, t->unended ? "\n;\n" : "\n"); /* a line comment may be last */
	if (out->overflow)
		return bf_fail(err, BF_E_LIMIT, "the SQL with its variables replaced is longer than %zu bytes", out->max);
	return 0;
}

size_t bf_sqltext_query_len(const char *sql)
{
	size_t len = strlen(sql);

	for (size_t n = len; n > 0; n--) {
		struct bf_sqltext before;
		bool here = sql[n - 1] == ';' && bf_sqltext_parse(sql, n - 1, &before, NULL) == 0;

		if (!here)
			continue;
		here = before.n_statements == 1 && before.unended;
		bf_sqltext_release(&before);
		if (here)
			return n - 1;
	}
	return len;
}
