/*
 * What can be found by its words, and which words those are.
 *
 * A text is cut into words at everything that is neither letter nor digit; capitals, accents and
 * other marks count for nothing, and writing without spaces (Han, Kana, Thai …) is cut into its
 * letters. The text of a query goes the same way, so that nothing in it is ever syntax.
 *
 * What may be in the index at all is said by facts that the log holds, so that an index made anew
 * has the same: nothing of the lanes that are not searchable, nothing of a vault, and nothing whose
 * record says that it is secret. What local policy says of the action index comes on top, when
 * somebody asks.
 */
#pragma once

#include "base/bytes.h"
#include "base/json.h"

#include <glib.h>
#include <stdbool.h>

#define SYNCD_SEARCH_WORD_MAX 40u /* bytes of a word; what is longer is found by its beginning */
#define SYNCD_SEARCH_QUERY_WORDS_MAX 16u /* of a query */
#define SYNCD_SEARCH_RECORD_MAX 2048u    /* bytes of the words of a record */

/* Appends the words, each followed by a space. Bytes that are no UTF-8 part words. */
void syncd_search_words(SyncdBytes text, GString *words);
/* Of a record: the texts it consists of, but for times, keys and digests. */
void syncd_search_record_words(SyncdJson record, GString *words);
/* The words of a query; each may be the beginning of one that is found. NULL, InvalidArgs: none, or
 * too many. */
GPtrArray *syncd_search_query(const char *text, GError **error);

/* `data_class` NULL: not said. */
bool syncd_search_may(SyncdBytes lane, const char *scope_class, const char *data_class);
