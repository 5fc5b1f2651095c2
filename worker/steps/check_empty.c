/* Checks on nothing: how it is known, and what it is. */
#include "steps/check_empty.h"

#include "base/decimal.h"
#include "base/duration.h"
#include "core/sqltext.h"
#include "steps/check_question.h"

#define AHEAD_MS 60000.0 /* of two clocks; a time further ahead has not come yet */

#define NOTHING_TO_TRY 2 /* BF_ANSWER_ROWS of a success rate without any job */

void bf_check_ask_count(const struct bf_check *c, struct bf_buf *sql)
{
	BF_AUTOBUF struct bf_buf question;

	bf_buf_init(&question, sql->max);
	if (!c->count.text)
		return;
	bf_buf_add(&question, sql->data, sql->len);
	bf_buf_clear(sql);
	bf_buf_addstr(sql, "select answered.*, (select min(looked_at::text) from (");
	bf_buf_add(sql, c->count.text, bf_sqltext_query_len(c->count.text));
	bf_buf_addstr(sql, "\n) as counted (looked_at)) from (");
	bf_buf_add(sql, question.data, question.len);
	bf_buf_addstr(sql, ") as answered");
}

static double number_at(const struct bf_pg_result *r, int col)
{
	return strtod(bf_pg_text(r, 0, col), NULL);
}

static bool counted_none(const struct bf_check *c, const struct bf_pg_result *r)
{
	return c->count.text && number_at(r, bf_pg_cols(r) - 1) <= 0;
}

static bool is_ahead(const struct bf_check *c, const struct bf_pg_result *r, struct bf_buf *why)
{
	char text[BF_DURATION_TEXT];
	double age = number_at(r, BF_ANSWER_FIGURE);

	if (c->type != BF_CHECK_FRESHNESS || age >= -AHEAD_MS)
		return false;
	bf_buf_printf(why, "the time is %s ahead of now", bf_duration_human((int64_t)-age, text));
	return true;
}

static bool is_zero(const struct bf_pg_result *r, int col)
{
	const char *text = bf_pg_text(r, 0, col);

	return bf_decimal_valid(text) && bf_decimal_cmp(text, "0") == 0;
}

/* Zero of zero, where the zero that is expected was counted, too: a number in the file means what it says. */
static bool is_zero_of_zero(const struct bf_check *c, const struct bf_pg_result *r)
{
	return c->type == BF_CHECK_EQUALS && !c->expected_number && is_zero(r, BF_ANSWER_FIGURE) && is_zero(r, BF_ANSWER_EXPECTED);
}

bool bf_check_is_empty(const struct bf_check *c, const struct bf_pg_result *answer, struct bf_buf *why)
{
	if (is_ahead(c, answer, why))
		return true;
	if (counted_none(c, answer))
		bf_buf_printf(why, "nothing was looked at, according to %s", c->count.name);
	else if (is_zero_of_zero(c, answer))
		bf_buf_addstr(why, "nothing was found where nothing is expected");
	else if (c->type == BF_CHECK_COVERAGE && bf_pg_int(answer, 0, BF_ANSWER_EXPECTED) == 0)
		bf_buf_addstr(why, "nothing is expected");
	else
		return false;
	return true;
}

enum bf_judgement bf_check_judge_empty(const struct bf_check *c, enum bf_judgement usual)
{
	enum bf_judgement empty = c->on_empty == BF_EMPTY_PASS ? BF_PASS : c->on_empty == BF_EMPTY_FAIL ? BF_FAIL : BF_WARN;

	return empty > usual ? empty : usual;
}

bool bf_check_allows_null(const struct bf_check *c, const struct bf_pg_result *answer)
{
	bool one_number =
		c->type == BF_CHECK_METRIC || c->type == BF_CHECK_RANGE || c->type == BF_CHECK_EQUALS || c->type == BF_CHECK_FRESHNESS;
	int64_t rows = bf_pg_int(answer, 0, BF_ANSWER_ROWS);

	return c->on_empty != BF_EMPTY_USUAL && one_number && (rows == 0 || (rows == 1 && bf_pg_null(answer, 0, BF_ANSWER_FIGURE)));
}

bool bf_check_had_nothing_to_try(const struct bf_check *c, const struct bf_pg_result *answer)
{
	return c->type == BF_CHECK_SUCCESS_RATE && bf_pg_int(answer, 0, BF_ANSWER_ROWS) == NOTHING_TO_TRY;
}
