#include "base/mem.h"
#include "core/plan_internal.h"

/* Cuts the next span, in the order's direction. */
static void cut_span(struct bf_cut *c)
{
	size_t at = c->order == BF_ORDER_DESC ? c->n_spans - 1 - c->span : c->span;
	struct bf_span span = c->spans[at];
	size_t room = 0;
	c->span++;
	c->n_chunks = c->chunk = 0;
	for (bf_date since = span.first;;) {
		bf_date until = bf_chunk_end(since, span.last, c->unit, c->size);
		if (c->n_chunks == room) {
			room = room ? 2 * room : 16;
			c->chunks = bf_realloc_array(c->chunks, room, sizeof(*c->chunks));
		}
		c->chunks[c->n_chunks++] = (struct bf_span){since, until};
		if (until >= span.last)
			break;
		since = until + 1;
	}
}

bool bf_cut_next(struct bf_cut *c, struct bf_span *out)
{
	if (c->limit && c->given >= c->limit)
		return false;
	if (c->chunk == c->n_chunks) {
		if (c->span == c->n_spans)
			return false;
		free(bf_steal(&c->chunks));
		cut_span(c);
	}
	*out = c->chunks[c->order == BF_ORDER_DESC ? c->n_chunks - 1 - c->chunk : c->chunk];
	c->chunk++;
	c->given++;
	return true;
}

void bf_cut_release(struct bf_cut *c)
{
	free(bf_steal(&c->chunks));
}
