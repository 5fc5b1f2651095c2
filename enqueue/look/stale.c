/* What is done and stale, below what `coverage` shows. */
#include "look/stale.h"

#include "core/stat.h"

#define LABEL_WIDTH 8

int bf_stale_load(const struct bf_look *l, const char *pipeline, const char *step, struct bf_stale *out, struct bf_error *err)
{
	out->rows = NULL;
	return bf_stat_stale(l->pg, pipeline, step, &out->rows, err);
}

void bf_stale_release(struct bf_stale *s)
{
	bf_pg_result_free(s->rows);
	s->rows = NULL;
}

/* Days as a bf_date in the text of the statement, or nothing. */
static bool range_of(const struct bf_pg_result *r, int row, char out[static BF_RANGE_TEXT])
{
	bf_date first, last;
	if (bf_date_parse(bf_pg_text(r, row, BF_STALE_FIRST), &first, NULL) < 0 ||
		bf_date_parse(bf_pg_text(r, row, BF_STALE_LAST), &last, NULL) < 0)
		return false;
	bf_range_format(first, last, out);
	return true;
}

static void print_row(const struct bf_pg_result *r, int row)
{
	char within[BF_RANGE_TEXT];
	int64_t n = bf_pg_int(r, row, BF_STALE_COUNT);
	bool days = range_of(r, row, within);
	const char *identity = bf_pg_text(r, row, BF_STALE_IDENTITY);
	bool plain = strcmp(identity, "{}") == 0;
	printf("%*s%s%s%s: %lld %s%s%s%s\n", LABEL_WIDTH, "", bf_pg_text(r, row, BF_STALE_STEP), plain ? "" : " ", plain ? "" : identity,
		   (long long)n, days ? "day" : "key", n == 1 ? "" : "s", days ? ", " : "", days ? within : "");
}

/* The first and the last day of all of them, for the command. */
static void add_range(struct bf_buf *out, const struct bf_pg_result *r)
{
	const char *first = "", *last = "";
	for (int i = 0; i < bf_pg_rows(r); i++) {
		const char *since = bf_pg_text(r, i, BF_STALE_FIRST), *until = bf_pg_text(r, i, BF_STALE_LAST);
		first = *since && (!*first || strcmp(since, first) < 0) ? since : first;
		last = strcmp(until, last) > 0 ? until : last;
	}
	if (*first)
		bf_buf_printf(out, " --since=%s --until=%s", first, last);
}

void bf_stale_print(const struct bf_term *t, const char *pipeline, const struct bf_stale *s)
{
	BF_AUTOBUF struct bf_buf range;
	bf_buf_init(&range, 128);
	if (bf_pg_rows(s->rows) == 0)
		return;
	bf_buf_addstr(&range, "");
	add_range(&range, s->rows);
	printf("\n%sSTALE%s   done, before what it is made of was made anew\n", bf_tone_on(t, BF_CARE), bf_tone_off(t, BF_CARE));
	for (int i = 0; i < bf_pg_rows(s->rows); i++)
		print_row(s->rows, i);
	printf("\n%s%-*s%senqueue run %s%s --reprocess=stale\n", bf_tone_on(t, BF_DIM), LABEL_WIDTH, "NEXT", bf_tone_off(t, BF_DIM), pipeline,
		   range.data);
}

void bf_stale_json(struct bf_json *j, const struct bf_stale *s)
{
	bf_json_array(j, "stale");
	for (int i = 0; i < bf_pg_rows(s->rows); i++) {
		bf_json_object(j, NULL);
		bf_json_text(j, "step", bf_pg_text(s->rows, i, BF_STALE_STEP));
		bf_json_raw(j, "identity", bf_pg_text(s->rows, i, BF_STALE_IDENTITY));
		bf_json_text_or_null(j, "since", bf_pg_text(s->rows, i, BF_STALE_FIRST));
		bf_json_text_or_null(j, "until", bf_pg_text(s->rows, i, BF_STALE_LAST));
		bf_json_int(j, "count", bf_pg_int(s->rows, i, BF_STALE_COUNT));
		bf_json_close(j);
	}
	bf_json_close(j);
}
