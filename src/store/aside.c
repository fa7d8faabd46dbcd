#include "store/aside.h"

#include "store/examine.h"
#include "store/repair-store.h"
#include "store/store-private.h"

#define MODE ".mode"
#define MODE_SIZE 16u

static char *mode_name(const char *kept)
{
    return g_strconcat(kept, MODE, NULL);
}

bool syncd_aside_is_mode(const char *file)
{
    return g_str_has_suffix(file, MODE);
}

void syncd_aside_add(GPtrArray *names, char *kept)
{
    g_ptr_array_add(names, kept);
    g_ptr_array_add(names, mode_name(kept));
}

/* ---- modes ---- */

typedef struct {
    bool found;
    guint32 mode;
} Mode;

static bool take_mode(void *data, const SyncdStateFile *file)
{
    *(Mode *)data = (Mode){!file->folder, file->mode};
    return false;
}

/* What was noted before a crash is what was there: it may be private by now, and not moved yet. */
bool syncd_store_note_mode(SyncdStore *self, const char *name, const char *kept, GError **error)
{
    Mode was = {.found = false};
    g_autofree char *note = mode_name(kept);
    if (!syncd_store_look_at_state(self, name, take_mode, &was, error))
        return false;
    if (!was.found || was.mode == SYNCD_STATE_MODE_FILE || syncd_store_has_repair(self, note))
        return true;
    g_autofree char *text = g_strdup_printf("%o\n", was.mode);
    return syncd_store_put_repair(self, note, SYNCD_BYTES_TEXT(text), error);
}

bool syncd_store_put_mode_back(SyncdStore *self, const char *kept, const char *name, GError **error)
{
    size_t size;
    char *end = NULL;
    g_autofree char *note = mode_name(kept);
    if (!syncd_store_has_repair(self, note))
        return true;
    g_autofree char *text = syncd_store_get_repair(self, note, MODE_SIZE, &size, error);
    if (text == NULL)
        return false;
    guint64 mode = g_ascii_strtoull(text, &end, 8);
    if (end == text || *end != '\n' || mode > 07777) {
        syncd_set_error(error, SYNCD_ERROR_FAILED, "What was kept for a repair is damaged");
        return false;
    }
    return syncd_store_set_state_mode(self, name, (guint32)mode, error) &&
           syncd_store_sync_state(self, error);
}

bool syncd_store_forget_mode(SyncdStore *self, const char *kept, GError **error)
{
    g_autofree char *note = mode_name(kept);
    return !syncd_store_has_repair(self, note) || syncd_store_remove_repair(self, note, error);
}

/* ---- files ---- */

static bool move(SyncdStore *self, const char *name, const char *kept, bool back, GError **error)
{
    g_autofree char *aside = g_build_filename("repair", kept, NULL);
    return syncd_directory_move(self->directory, back ? aside : name, back ? name : aside, error);
}

bool syncd_store_set_aside(SyncdStore *self, const char *name, const char *kept, GError **error)
{
    return syncd_state_require_within(name, error) && syncd_state_require_within(kept, error) &&
           syncd_store_note_mode(self, name, kept, error) && move(self, name, kept, false, error);
}

bool syncd_store_put_back(SyncdStore *self, const char *kept, const char *name, GError **error)
{
    return syncd_state_require_within(name, error) && syncd_state_require_within(kept, error) &&
           move(self, name, kept, true, error) &&
           syncd_store_put_mode_back(self, kept, name, error) &&
           syncd_store_forget_mode(self, kept, error);
}
