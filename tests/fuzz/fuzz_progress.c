/* What a child tells: the lines are the same however the bytes arrive, none is longer than fits, and what is read of one is in it. */
#include "fuzz.h"
#include "steps/progress_line.h"

struct seen {
	uint64_t hash;
	size_t n;
};

static void check_line(const char *line, size_t len)
{
	struct bf_progress_line p;
	int64_t done = -1, total = -1;

	if (bf_progress_line_parse(line, len, &p)) {
		switch (p.kind) {
		case BF_PROGRESS_DONE:
			MUST(p.done >= 0 && p.total >= -1);
			break;
		case BF_PROGRESS_ROWS:
			MUST(p.rows >= 0);
			break;
		case BF_PROGRESS_CHECKPOINT:
		case BF_PROGRESS_NOTE:
			MUST(p.text_len > 0 && p.text > line && p.text + p.text_len <= line + len);
			break;
		case BF_PROGRESS_NONE:
			abort(); /* told, and of no kind */
		}
	} else {
		MUST(p.kind == BF_PROGRESS_NONE);
	}
	if (bf_ratio_parse(line, len, &done, &total))
		MUST(done >= 0 && done <= total && total > 0);
}

static void on_line(void *data, const char *line, size_t len, bool cut)
{
	struct seen *s = data;

	MUST(len > 0 && len <= BF_LINE_MAX && (!cut || len == BF_LINE_MAX));
	MUST(!memchr(line, '\n', len));
	for (size_t i = 0; i < len; i++)
		s->hash = (s->hash ^ (unsigned char)line[i]) * 1099511628211U;
	s->hash = (s->hash ^ 256U ^ cut) * 1099511628211U;
	s->n++;
	check_line(line, len);
}

static struct seen feed(const char *bytes, size_t size, bool returns, size_t portion)
{
	struct bf_lines l = {.returns = returns};
	struct seen s = {.hash = 14695981039346656037U};

	for (size_t at = 0; at < size; at += portion)
		bf_lines_feed(&l, bytes + at, size - at < portion ? size - at : portion, on_line, &s);
	return s;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	char *text = fuzz_text(bytes, size);

	for (int returns = 0; returns < 2; returns++) {
		struct seen whole = feed(text, size, returns, size + 1);
		for (size_t portion = 1; portion < 8; portion += 3) {
			struct seen parts = feed(text, size, returns, portion);
			MUST(parts.hash == whole.hash && parts.n == whole.n);
		}
	}
	check_line(text, size);
	free(text);
	return 0;
}
