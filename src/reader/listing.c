#include "reader/listing.h"

#include "reader/wire.h"

#include <dirent.h>
#include <errno.h>
#include <unistd.h>

#define BUFFER_SIZE (64u * 1024u)

struct SyncdListing {
    GByteArray *bytes; /* SyncdListedName, one after the other */
    GPtrArray *names;  /* … sorted; filled once `bytes` has all of them and stays where it is */
    bool is_short;
    char *buffer;
};

SyncdListing *syncd_listing_new(void)
{
    SyncdListing *listing = g_new0(SyncdListing, 1);
    listing->bytes = g_byte_array_new();
    listing->names = g_ptr_array_new();
    listing->buffer = g_malloc(BUFFER_SIZE);
    return listing;
}

void syncd_listing_free(SyncdListing *listing)
{
    if (listing == NULL)
        return;
    g_byte_array_unref(listing->bytes);
    g_ptr_array_unref(listing->names);
    g_free(listing->buffer);
    g_free(listing);
}

static void add(SyncdListing *listing, const struct dirent64 *entry)
{
    size_t size = strlen(entry->d_name);
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
        return;
    if (size > SYNCD_WIRE_NAME_MAX) {
        listing->is_short = true;
        return;
    }
    const guint8 head[] = {entry->d_type, (guint8)size};
    g_byte_array_append(listing->bytes, head, sizeof head);
    g_byte_array_append(listing->bytes, (const guint8 *)entry->d_name, (guint)size + 1);
}

static int compare(gconstpointer one, gconstpointer other)
{
    const SyncdListedName *left = *(const SyncdListedName *const *)one;
    const SyncdListedName *right = *(const SyncdListedName *const *)other;
    return strcmp(left->text, right->text);
}

/* A name that was made anew while the folder was read can be in it twice. */
static void drop_doubles(GPtrArray *names)
{
    guint kept = 0;
    for (guint i = 0; i < names->len; i++)
        if (kept == 0 || compare(&names->pdata[kept - 1], &names->pdata[i]) != 0)
            names->pdata[kept++] = names->pdata[i];
    g_ptr_array_set_size(names, (gint)kept);
}

static void sort(SyncdListing *listing)
{
    for (guint at = 0; at < listing->bytes->len;) {
        SyncdListedName *name = (SyncdListedName *)(listing->bytes->data + at);
        g_ptr_array_add(listing->names, name);
        at += (guint)sizeof *name + name->size + 1;
    }
    g_ptr_array_sort(listing->names, compare);
    drop_doubles(listing->names);
}

static void add_all(SyncdListing *listing, size_t size)
{
    for (size_t at = 0; at < size;) {
        const struct dirent64 *entry = (const struct dirent64 *)(void *)(listing->buffer + at);
        add(listing, entry);
        at += entry->d_reclen;
    }
}

bool syncd_listing_read(SyncdListing *listing, int folder, SyncdPauseFunc pause, void *data,
                        guint32 *ret_error)
{
    guint32 problem = 0;
    bool more = true;
    g_byte_array_set_size(listing->bytes, 0);
    g_ptr_array_set_size(listing->names, 0);
    while (more && listing->bytes->len < SYNCD_WIRE_RUN_MAX) {
        ssize_t size = TEMP_FAILURE_RETRY(getdents64(folder, listing->buffer, BUFFER_SIZE));
        more = size > 0;
        if (size < 0)
            problem = (guint32)errno;
        else
            add_all(listing, (size_t)size);
        if (more && !pause(data)) {
            problem = ECANCELED;
            more = false;
        }
    }
    *ret_error = problem;
    sort(listing);
    return more;
}

guint syncd_listing_size(const SyncdListing *listing)
{
    return listing->names->len;
}

const SyncdListedName *syncd_listing_name(const SyncdListing *listing, guint index)
{
    return listing->names->pdata[index];
}

bool syncd_listing_is_short(const SyncdListing *listing)
{
    return listing->is_short;
}
