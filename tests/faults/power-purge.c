#include "power-purge.h"

#include "../unit/purge-fixture.h"

#define OBJECT "object:secret"
#define MARKER "what-no-power-cut-brings-back"

static void put(Fixture *f, const char *scope, const char *key, size_t size)
{
    g_autofree char *content = g_strnfill(size, 'x');
    memcpy(content + size - strlen(MARKER), MARKER, strlen(MARKER));
    SyncdReceipt receipt = fixture_append_to(f, scope, OBJECT, key, content, size);
    syncd_receipt_clear(&receipt);
}

/* In the row, on pages of its own, in a file, and in the index. */
void power_put_secret(SyncdStore *store, const char *scope)
{
    Fixture f = {.store = store};
    g_autoptr(GError) error = NULL;
    put(&f, scope, NULL, 100);
    put(&f, scope, "key-" MARKER, 9000);
    put(&f, scope, NULL, SYNCD_STORE_INLINE_MAX + 1);
    fixture_delete(&f, scope, OBJECT, &error);
    g_assert_no_error(error);
}

void power_purge_secret(SyncdStore *store, const char *scope, SyncdPurgeable **ret_purgeable)
{
    Fixture f = {.store = store};
    g_autoptr(GError) error = NULL;
    fixture_purge(&f, scope, OBJECT, ret_purgeable, &error);
    g_assert_no_error(error);
}

bool power_holds_secret(const char *state)
{
    return files_hold(state, SYNCD_BYTES_TEXT(MARKER));
}
