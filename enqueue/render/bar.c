/* Shares a bar's cells out among its parts, paints them, and words percentages. */
#include "render/bar.h"

#include "base/mem.h"

enum part { DONE, FAILED, RUNNING, REST, SKIPPED, PARTS };

static const struct {
	const char *utf8, *ascii;
	enum bf_tone tone;
} looks[PARTS] = {[DONE] = {"█", "#", BF_GOOD},
				  [FAILED] = {"▚", "x", BF_BAD},
				  [RUNNING] = {"▒", ">", BF_BUSY},
				  [REST] = {"░", ".", BF_DIM},
				  [SKIPPED] = {"─", "-", BF_DIM}};

/* Cells for each part: rounded down, at least one for what is there; what is over goes to the rest, or to the largest part. */
static void share(const struct bf_bar *bar, int width, int cells[PARTS])
{
	int64_t amount[PARTS] = {[DONE] = bar->done, [FAILED] = bar->failed, [RUNNING] = bar->running, [SKIPPED] = bar->skipped};
	int64_t settled = bar->done + bar->failed + bar->running + bar->skipped;
	int64_t whole = bar->planned > settled ? bar->planned : settled;
	amount[REST] = whole - settled;
	int used = 0, largest = REST;
	for (int p = 0; p < PARTS; p++) {
		cells[p] = whole > 0 ? (int)(amount[p] * width / whole) : 0;
		if (amount[p] > 0 && cells[p] == 0)
			cells[p] = 1;
		used += cells[p];
		if (amount[p] > amount[largest])
			largest = p;
	}
	int takes = amount[REST] > 0 ? REST : largest;
	if (used > width && cells[takes] + width - used < 1)
		takes = largest;
	cells[takes] += width - used;
	if (cells[takes] < 0)
		cells[takes] = 0;
}

void bf_bar_text(struct bf_buf *out, const struct bf_term *t, const struct bf_bar *bar, int width)
{
	int cells[PARTS];
	share(bar, width, cells);
	for (int p = 0; p < PARTS; p++)
		for (int i = 0; i < cells[p]; i++)
			bf_buf_addstr(out, t->utf8 ? looks[p].utf8 : looks[p].ascii);
}

static int part_at(const char *s)
{
	for (int p = 0; p < PARTS; p++)
		if (strncmp(s, looks[p].utf8, strlen(looks[p].utf8)) == 0)
			return p;
	return PARTS;
}

void bf_bar_paint(struct bf_buf *out, const struct bf_term *t, const char *line)
{
	int now = PARTS;
	bf_buf_addstr(out, "");
	if (!t->colour || !t->utf8) {
		bf_buf_addstr(out, line);
		return;
	}
	while (*line) {
		int p = part_at(line);
		if (p != now && now != PARTS)
			bf_buf_addstr(out, bf_tone_off(t, looks[now].tone));
		if (p != now && p != PARTS)
			bf_buf_addstr(out, bf_tone_on(t, looks[p].tone));
		now = p;
		size_t n = p == PARTS ? 1 : strlen(looks[p].utf8);
		bf_buf_add(out, line, n);
		line += n;
	}
	if (now != PARTS)
		bf_buf_addstr(out, bf_tone_off(t, looks[now].tone));
}

void bf_percent_text(struct bf_buf *out, int64_t part, int64_t whole)
{
	if (whole <= 0 || part >= whole) {
		bf_buf_addstr(out, whole > 0 ? "100 %" : "-");
		return;
	}
	double percent = 100.0 * (double)part / (double)whole;
	if (percent >= 99 || (percent > 0 && percent < 1)) { /* never rounded to all, or to none */
		int64_t tenths = part * 1000 / whole;
		bf_buf_printf(out, "%d.%d %%", (int)(tenths / 10), (int)(tenths % 10));
	} else {
		bf_buf_printf(out, "%d %%", (int)(percent + 0.5));
	}
}
