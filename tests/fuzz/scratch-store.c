#include "scratch-store.h"

#include "crypto/seal.h"
#include "fuzz.h"
#include "scratch.h"

SyncdStore *scratch_store(void)
{
    g_autoptr(GError) error = NULL;
    SyncdStoreOptions options = {
        .directory = scratch_directory(),
        .mode = SYNCD_STORE_CREATE,
        .sources = scratch_sources(),
        .machine = "machine-a",
    };
    LAW(syncd_crypto_init(&error));
    SyncdStore *store = syncd_store_open(&options, &error);
    LAW(store != NULL);
    return store;
}
