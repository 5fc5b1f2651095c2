#include "render/heat.h"

#include "base/mem.h"

#define LABEL      4  /* "Mon " */
#define WEEKS      54 /* the most that a year touches */
#define YEAR_GAP   3
#define WEEK_WIDTH (LABEL + WEEKS)
#define MONTHS     "Jan\0Feb\0Mar\0Apr\0May\0Jun\0Jul\0Aug\0Sep\0Oct\0Nov\0Dec"

static const struct {
	const char *utf8, *ascii, *name;
	enum bf_tone tone;
} looks[BF_DAYS] = {[BF_DAY_NONE] = {" ", " ", "", BF_PLAIN},       [BF_DAY_MISSING] = {"·", ".", "missing", BF_CARE},
					[BF_DAY_FAILED] = {"×", "x", "failed", BF_BAD}, [BF_DAY_RUNNING] = {"○", ">", "running", BF_BUSY},
					[BF_DAY_DONE] = {"■", "#", "done", BF_GOOD},    [BF_DAY_UNRECORDED] = {"□", "+", "not recorded", BF_GOOD},
					[BF_DAY_GONE] = {"!", "!", "gone", BF_BAD}};

const char *bf_day_name(enum bf_day day)
{
	return looks[day].name;
}

void bf_days_init(struct bf_days *d, bf_date since, bf_date until)
{
	*d = (struct bf_days){.since = since, .until = until, .state = bf_alloc((size_t)(until - since + 1))};
}

void bf_days_release(struct bf_days *d)
{
	free(d->state);
	d->state = NULL;
}

static bf_date later(bf_date a, bf_date b)
{
	return a > b ? a : b;
}

static bf_date earlier(bf_date a, bf_date b)
{
	return a < b ? a : b;
}

void bf_days_mark(struct bf_days *d, bf_date first, bf_date last, enum bf_day state)
{
	for (bf_date day = later(first, d->since); day <= earlier(last, d->until); day++)
		if (d->state[day - d->since] < (unsigned char)state)
			d->state[day - d->since] = (unsigned char)state;
}

enum bf_day bf_days_at(const struct bf_days *d, bf_date day)
{
	return day < d->since || day > d->until ? BF_DAY_NONE : (enum bf_day)d->state[day - d->since];
}

struct bf_day_counts bf_days_count(const struct bf_days *d, bf_date first, bf_date last)
{
	int64_t n[BF_DAYS] = {0};
	for (bf_date day = later(first, d->since); day <= earlier(last, d->until); day++)
		n[bf_days_at(d, day)]++;
	return (struct bf_day_counts){.asked = n[BF_DAY_MISSING] + n[BF_DAY_FAILED] + n[BF_DAY_RUNNING] + n[BF_DAY_DONE] +
										   n[BF_DAY_UNRECORDED] + n[BF_DAY_GONE],
								  .done = n[BF_DAY_DONE],
								  .running = n[BF_DAY_RUNNING],
								  .failed = n[BF_DAY_FAILED],
								  .missing = n[BF_DAY_MISSING],
								  .unrecorded = n[BF_DAY_UNRECORDED],
								  .gone = n[BF_DAY_GONE]};
}

static int year_of(bf_date day)
{
	int year, month, dom;
	bf_date_split(day, &year, &month, &dom);
	return year;
}

static const char *month_name(int month)
{
	return &MONTHS[(month - 1) * 4];
}

/* Colour changes only where the state does. */
struct pen {
	FILE *out;
	const struct bf_term *term;
	enum bf_day now;
};

static void lift(struct pen *p)
{
	fputs(bf_tone_off(p->term, looks[p->now].tone), p->out);
	p->now = BF_DAY_NONE;
}

static void draw(struct pen *p, enum bf_day day)
{
	if (day != p->now) {
		lift(p);
		fputs(bf_tone_on(p->term, looks[day].tone), p->out);
		p->now = day;
	}
	fputs(p->term->utf8 ? looks[day].utf8 : looks[day].ascii, p->out);
}

/* ---- one row a day of the week ---- */

/* The Monday on or before the first of January. */
static bf_date first_monday(int year)
{
	bf_date first = bf_date_make(year, 1, 1);
	return first - bf_date_weekday(first);
}

static void year_header(const struct bf_term *t, FILE *out, int year)
{
	char line[WEEK_WIDTH + 1];
	(void)snprintf(line, sizeof(line), "%-*s", WEEK_WIDTH, "");
	for (int month = 1; month <= 12; month++) {
		int week = (bf_date_make(year, month, 1) - first_monday(year)) / 7;
		memcpy(line + LABEL + week, month_name(month), 3);
	}
	fprintf(out, "%s%s%s", bf_tone_on(t, BF_DIM), line, bf_tone_off(t, BF_DIM));
}

static void year_row(const struct bf_term *t, FILE *out, const struct bf_days *d, int year, int weekday)
{
	static const char *const labels[] = {"Mon", "", "Wed", "", "Fri", "", "Sun"};
	struct pen pen = {.out = out, .term = t};
	fprintf(out, "%s%-*s%s", bf_tone_on(t, BF_DIM), LABEL, labels[weekday], bf_tone_off(t, BF_DIM));
	for (int week = 0; week < WEEKS; week++) {
		bf_date day = first_monday(year) + 7 * week + weekday;
		draw(&pen, year_of(day) == year ? bf_days_at(d, day) : BF_DAY_NONE);
	}
	lift(&pen);
}

/* Years `from` to `from + n - 1`, side by side. */
static void years(const struct bf_term *t, FILE *out, const struct bf_days *d, int from, int n)
{
	for (int i = 0; i < n; i++)
		fprintf(out, "%*s%s%-*d%s", i ? YEAR_GAP : 0, "", bf_tone_on(t, BF_STRONG), i + 1 < n ? WEEK_WIDTH : 0, from + i,
				bf_tone_off(t, BF_STRONG));
	fputc('\n', out);
	for (int i = 0; i < n; i++) {
		fprintf(out, "%*s", i ? YEAR_GAP : 0, "");
		year_header(t, out, from + i);
	}
	fputc('\n', out);
	for (int weekday = 0; weekday < 7; weekday++) {
		for (int i = 0; i < n; i++) {
			fprintf(out, "%*s", i ? YEAR_GAP : 0, "");
			year_row(t, out, d, from + i, weekday);
		}
		fputc('\n', out);
	}
}

/* ---- one row a month ---- */

static void month_row(const struct bf_term *t, FILE *out, const struct bf_days *d, bf_date first)
{
	int year, month, dom;
	struct pen pen = {.out = out, .term = t};
	bf_date_split(first, &year, &month, &dom);
	fprintf(out, "%s%04d-%02d%s  ", bf_tone_on(t, BF_DIM), year, month, bf_tone_off(t, BF_DIM));
	bf_date last = earlier(bf_date_month_end(first), d->until);
	while (last > first && bf_days_at(d, last) == BF_DAY_NONE)
		last--; /* no spaces at the end of a line */
	for (bf_date day = first; day <= last; day++)
		draw(&pen, bf_days_at(d, day));
	lift(&pen);
	fputc('\n', out);
}

static void months(const struct bf_term *t, FILE *out, const struct bf_days *d)
{
	int year, month, dom;
	bf_date_split(d->since, &year, &month, &dom);
	for (bf_date first = bf_date_make(year, month, 1); first <= d->until; first = bf_date_month_end(first) + 1)
		month_row(t, out, d, first);
}

void bf_heat_print(FILE *out, const struct bf_term *t, const struct bf_days *d)
{
	if (t->width < WEEK_WIDTH) {
		months(t, out, d);
		return;
	}
	int beside = (t->width + YEAR_GAP) / (WEEK_WIDTH + YEAR_GAP), last = year_of(d->until);
	for (int year = year_of(d->since); year <= last; year += beside) {
		if (year != year_of(d->since))
			fputc('\n', out);
		years(t, out, d, year, last - year + 1 < beside ? last - year + 1 : beside);
	}
}

void bf_heat_legend(FILE *out, const struct bf_term *t, bool data)
{
	for (int day = data ? BF_DAY_GONE : BF_DAY_DONE; day > BF_DAY_NONE; day--) {
		struct pen pen = {.out = out, .term = t};
		draw(&pen, (enum bf_day)day);
		lift(&pen);
		fprintf(out, " %s%s", looks[day].name, day > BF_DAY_MISSING ? "   " : "\n");
	}
}
