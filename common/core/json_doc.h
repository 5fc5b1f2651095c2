/*
 * JSON whose numbers stay what they were written as. jansson keeps a number as an int64 or a double: 19.99 comes out of it as
 * 19.989999999999998, and 2^64 not at all. A document is jansson's tree, and beside it the text of each number that is not an int64.
 *
 * bf_doc_load … bf_doc_number, bf_doc_write … bf_doc_release. The tree is the document's; others may take references to nodes.
 */
#ifndef BF_CORE_JSON_DOC_H
#define BF_CORE_JSON_DOC_H

#include <jansson.h>

#include "base/buf.h"

struct bf_json_doc {
	json_t *root;              /* NULL: empty. Of a number that no double can hold, the node has the nearest one */
	char *text;                /* as it was read */
	struct bf_json_kept *kept; /* by node */
	size_t n_kept;
};

/* `flags`: jansson's for decoding. `where`: jansson's own report, in terms of this text. 0, or -BF_E_INPUT. */
int bf_doc_load(const char *text, size_t len, size_t flags, struct bf_json_doc *out, json_error_t *where);
void bf_doc_release(struct bf_json_doc *d);

/* Appends the text of a number of this document; of one that was made later, jansson's. */
void bf_doc_number(const struct bf_json_doc *d, const json_t *number, struct bf_buf *out);

/* Appends the value without spaces, its members by name: the same value gives the same bytes. */
void bf_doc_write(const struct bf_json_doc *d, const json_t *value, struct bf_buf *out);

#endif
