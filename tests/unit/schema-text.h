/* Bytes that nobody has checked, held against a schema: what the tests of schemas share. */
#pragma once

#include "contract/schema.h"

/* False, with the errors of the JSON door too, when it could not be judged. */
static inline bool validate_text(const SyncdSchema *schema, SyncdBytes text,
                                 SyncdSchemaErrors *errors, bool *ret_valid, GError **error)
{
    return syncd_json_check(text.data, text.size, SYNCD_JSON_ANY, error) &&
           syncd_schema_validate(schema, syncd_json_root(text.data, text.size), errors, ret_valid,
                                 error);
}
