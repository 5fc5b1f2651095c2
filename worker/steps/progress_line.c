#include "steps/progress_line.h"

static bool ends_line(const struct bf_lines *l, char c)
{
	return c == '\n' || (c == '\r' && l->returns);
}

static void keep(struct bf_lines *l, const char *bytes, size_t n)
{
	size_t room = sizeof(l->data) - l->len;

	if (n > room) {
		l->cut = true;
		n = room;
	}
	memcpy(l->data + l->len, bytes, n);
	l->len += n;
}

void bf_lines_feed(struct bf_lines *l, const char *bytes, size_t n, bf_line_fn fn, void *data)
{
	size_t from = 0;

	for (size_t i = 0; i < n; i++) {
		if (!ends_line(l, bytes[i]))
			continue;
		keep(l, bytes + from, i - from);
		if (l->len > 0)
			fn(data, l->data, l->len, l->cut);
		l->len = 0;
		l->cut = false;
		from = i + 1;
	}
	keep(l, bytes + from, n - from);
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* A number without sign at *at, which moves behind it. False where there is none, or none that fits. */
static bool take_number(const char **at, const char *end, int64_t *out)
{
	const char *p = *at;
	int64_t n = 0;

	if (p == end || !is_digit(*p))
		return false;
	for (; p < end && is_digit(*p); p++)
		if (__builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, *p - '0', &n))
			return false;
	*at = p;
	*out = n;
	return true;
}

static void skip_spaces(const char **at, const char *end)
{
	while (*at < end && (**at == ' ' || **at == '\t'))
		(*at)++;
}

/* The word at *at, and at least one space after it unless the line ends there. */
static bool take_word(const char **at, const char *end, const char *word)
{
	size_t n = strlen(word);

	if ((size_t)(end - *at) < n || memcmp(*at, word, n) != 0)
		return false;
	if (*at + n < end && (*at)[n] != ' ' && (*at)[n] != '\t')
		return false;
	*at += n;
	skip_spaces(at, end);
	return true;
}

static bool parse_done(const char *at, const char *end, struct bf_progress_line *out)
{
	if (!take_number(&at, end, &out->done))
		return false;
	out->total = -1;
	skip_spaces(&at, end);
	if (at < end && !take_number(&at, end, &out->total))
		return false;
	return at == end;
}

static bool parse_text(const char *at, const char *end, struct bf_progress_line *out)
{
	out->text = at;
	out->text_len = (size_t)(end - at);
	return at < end;
}

static enum bf_progress_kind parse(const char *at, const char *end, struct bf_progress_line *out)
{
	if (take_word(&at, end, "progress"))
		return parse_done(at, end, out) ? BF_PROGRESS_DONE : BF_PROGRESS_NONE;
	if (take_word(&at, end, "checkpoint"))
		return parse_text(at, end, out) ? BF_PROGRESS_CHECKPOINT : BF_PROGRESS_NONE;
	if (take_word(&at, end, "rows"))
		return take_number(&at, end, &out->rows) && at == end ? BF_PROGRESS_ROWS : BF_PROGRESS_NONE;
	if (take_word(&at, end, "note"))
		return parse_text(at, end, out) ? BF_PROGRESS_NOTE : BF_PROGRESS_NONE;
	return BF_PROGRESS_NONE;
}

bool bf_progress_line_parse(const char *line, size_t len, struct bf_progress_line *out)
{
	const char *end = line + len;

	while (end > line && (end[-1] == '\r' || end[-1] == ' ' || end[-1] == '\t'))
		end--;
	*out = (struct bf_progress_line){.kind = BF_PROGRESS_NONE};
	out->kind = parse(line, end, out);
	return out->kind != BF_PROGRESS_NONE;
}

/* May this byte stand right before or after N/M? Letters, digits and what joins them make something else of it. */
static bool stands_apart(char c)
{
	bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || is_digit(c) || (c & 0x80);

	return !letter && c != '/' && c != '.' && c != ',' && c != '-' && c != '_' && c != '+';
}

/* The end of a sentence or of its part is fine: "at 5/10." */
static bool ends_apart(const char *at, const char *end)
{
	if (at == end || stands_apart(*at))
		return true;
	return (*at == '.' || *at == ',') && (at + 1 == end || at[1] == ' ' || at[1] == '.');
}

bool bf_ratio_parse(const char *line, size_t len, int64_t *done, int64_t *total)
{
	const char *end = line + len, *slash = line;

	for (; (slash = memchr(slash, '/', (size_t)(end - slash))); slash++) {
		const char *from = slash, *at;
		int64_t n, m;

		while (from > line && is_digit(from[-1]))
			from--;
		if (from > line && !stands_apart(from[-1]))
			continue;
		at = from;
		if (!take_number(&at, end, &n) || at != slash)
			continue;
		at++;
		if (!take_number(&at, end, &m) || m == 0 || n > m || !ends_apart(at, end))
			continue;
		*done = n;
		*total = m;
		return true;
	}
	return false;
}
