#include "reader/look.h"

#include "reader/file-system.h"
#include "reader/open.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/vfs.h>
#include <unistd.h>

#define ATTEMPTS 3

static void look_at_symlink(SyncdLook *look, int folder, const char *name, SyncdWireMessage *found)
{
    SyncdOpened link = syncd_open_in(folder, name, O_PATH);
    found->error = link.fd >= 0 ? syncd_stat_of(link.fd, &found->stat) : link.error;
    if (found->error == 0 && found->stat.kind == SYNCD_FILE_SYMLINK) {
        ssize_t size = readlinkat(link.fd, "", look->target, sizeof look->target);
        if (size < 0)
            found->error = (guint32)errno;
        else if ((size_t)size > SYNCD_WIRE_TARGET_MAX)
            found->error = ENAMETOOLONG;
        else
            found->target = SYNCD_BYTES(look->target, (size_t)size);
    }
    syncd_opened_close(&link);
}

void syncd_look_begin(SyncdLook *look, int root, const SyncdFileStat *stat,
                      const SyncdFileStat *hidden)
{
    struct statfs fs;
    look->device = stat->device;
    look->hidden = *hidden;
    bool known = root >= 0 && fstatfs(root, &fs) == 0;
    look->forgetful = known && syncd_file_system_is_forgetful((long)fs.f_type);
    look->pseudo = known && syncd_file_system_is_pseudo((long)fs.f_type);
}

bool syncd_look_is_hidden(const SyncdLook *look, const SyncdFileStat *stat)
{
    return look->hidden.kind == SYNCD_FILE_FOLDER && stat->kind == SYNCD_FILE_FOLDER &&
           stat->device == look->hidden.device && stat->inode == look->hidden.inode;
}

void syncd_look_name_device(const SyncdLook *look, SyncdFileStat *stat)
{
    if (stat->device == look->device)
        stat->device = 0;
    if (look->forgetful)
        stat->born = 0;
}

/* By its name, without opening it. */
static void look_at_name(SyncdLook *look, int folder, const char *name, SyncdWireMessage *found)
{
    bool mounted = false;
    found->error = syncd_stat_in(folder, name, &found->stat, &mounted);
    if (found->error != 0)
        return;
    bool other_device = found->stat.kind == SYNCD_FILE_FOLDER && found->stat.device != look->device;
    if (mounted || other_device || syncd_look_is_hidden(look, &found->stat))
        found->error = EXDEV;
    else if (found->stat.kind == SYNCD_FILE_SYMLINK)
        look_at_symlink(look, folder, name, found);
}

/* False: it is no regular file. An error that is not of its content is told with its name's stat.
 */
static bool look_into(SyncdLook *look, int folder, const char *name, const SyncdLookFor *what,
                      SyncdWireMessage *found)
{
    SyncdOpened file = syncd_open_in(folder, name, O_RDONLY);
    found->error = file.error;
    if (file.fd < 0)
        return false;
    found->error = syncd_stat_of(file.fd, &found->stat);
    bool kept = what->keep != NULL && found->stat.size <= what->max;
    bool regular = found->error == 0 && found->stat.kind == SYNCD_FILE_REGULAR;
    if (regular && found->stat.size > SYNCD_CONTENT_MAX)
        found->error = EFBIG;
    else if (regular)
        found->error = syncd_content_hash(look->content, file.fd, &found->stat,
                                          kept ? what->keep : NULL, &found->hash);
    syncd_opened_close(&file);
    if (regular && found->error == 0)
        found->flags = SYNCD_WIRE_HASHED | (kept ? SYNCD_WIRE_KEPT : 0u);
    return regular;
}

static void look_once(SyncdLook *look, int folder, const char *name, guint8 type,
                      const SyncdLookFor *what, SyncdWireMessage *found)
{
    *found = (SyncdWireMessage){
        .type = SYNCD_WIRE_FOUND, .request = found->request, .name = found->name};
    if (!what->hash || type != DT_REG) {
        look_at_name(look, folder, name, found);
        if (!what->hash || found->error != 0 || found->stat.kind != SYNCD_FILE_REGULAR)
            return;
    }
    if (look_into(look, folder, name, what, found))
        return;
    /* It cannot be opened, or is another thing than it was. */
    guint32 problem = found->error;
    found->stat = (SyncdFileStat){0};
    look_at_name(look, folder, name, found);
    if (found->error == 0 && found->stat.kind == SYNCD_FILE_REGULAR)
        found->error = problem != 0 ? problem : EAGAIN;
}

void syncd_look(SyncdLook *look, int folder, const char *name, guint8 type,
                const SyncdLookFor *what, SyncdWireMessage *found)
{
    for (int i = 0; i < ATTEMPTS && (i == 0 || found->error == EAGAIN); i++)
        look_once(look, folder, name, type, what, found);
    syncd_look_name_device(look, &found->stat);
}
