/*
 * The phases of a repair of a file of a workspace that the power is cut in: planned, approved,
 * applied, taken back or discarded, where the recorded bytes are restored, and where those that
 * were found are recorded. The disk has the state and the workspace, and both the daemon and the
 * reader of the workspace write to it.
 *
 * In an image all inodes and times of change are other ones than those that the index remembers.
 * Whoever looks at it is told before that what was that inode is this one, and whether it was
 * changed since, as far as the image knows: nothing else about it is another than after a real cut.
 */
#include "power-phases.h"

#include "power-check.h"
#include "reader-beside.h"
#include "repair-file-subjects.h"

#include <string.h>

#define TREE "tree"     /* beside the state */
#define TURNS_AFTER 20u /* of a daemon that goes on */

typedef struct {
    PowerRun *run;
    Rotten rotten;
    RepairSubject subject; /* as in the table, but for what is done on the way */
    char *written, *rot;
    guint64 entries; /* behind the last turn … */
    size_t begun;    /* … and the event then */
    size_t cut;      /* of the image that is judged … */
    char *unsound;   /* … and what is wrong with its log */
} FileRepair;

static FileRepair *repair_of(RepairLife *life)
{
    return (FileRepair *)(void *)((char *)life->data - offsetof(FileRepair, rotten));
}

static WorkspaceFixture *files_of(FileRepair *self)
{
    return &self->rotten.file.w;
}

/* ---- what there is before ---- */

static void repair_free(void *data)
{
    FileRepair *self = data;
    WorkspaceFixture *files = files_of(self);
    rotten_clear(&self->rotten);
    g_free(files->f.base.directory);
    g_free(files->directory);
    g_free(self->written);
    g_free(self->rot);
    g_free(self);
}

/* Of less than a sector, of some, of some chunks of the reader's. */
static size_t any_size(PowerRun *run)
{
    static const size_t sizes[] = {17, 3000, 70000, 300000};
    return sizes[power_below(&run->random, G_N_ELEMENTS(sizes))];
}

static void open_empty(FileRepair *self)
{
    WorkspaceFixture *files = files_of(self);
    PowerRun *run = self->run;
    *files = (WorkspaceFixture){.directory = g_build_filename(run->folder, TREE, NULL),
                                .place = &reader_beside};
    g_assert_cmpint(g_mkdir(files->directory, 0700), ==, 0);
    files->f = (ServiceFixture){
        .instance = SYNCD_INSTANCE_USER, .owner = geteuid(), .caller = {.uid = geteuid()}};
    fixture_init(&files->f.base, power_random(&run->random));
    fixture_remove(files->f.base.directory);
    g_free(files->f.base.directory);
    files->f.base.directory = g_strdup(run->state);
    service_open(&files->f);
    register_workspace(files, KEEP_TWO);
}

/* What is committed now is acknowledged from here on. */
static void note_log(FileRepair *self)
{
    if (syncd_service_has_turn(files_of(self)->f.service))
        return;
    SyncdStore *store = store_of(files_of(self));
    size_t now = power_run_now(self->run);
    if (syncd_store_sequence(store) > self->entries)
        power_log_note_turn(self->run->log, store, self->begun, now);
    self->entries = syncd_store_sequence(store);
    self->begun = now;
}

static void prepare(PowerRun *run)
{
    FileRepair *self = g_new0(FileRepair, 1);
    WorkspaceFixture *files = files_of(self);
    LifeEnd end = power_below(&run->random, 2) == 0 ? LIFE_THEN_BACK : LIFE_THEN_GONE;
    const RepairSubject *which = repair_file_subjects;
    while (strcmp(which->name, run->phase->about[0]) != 0)
        which++;
    run->data = self;
    run->free_data = repair_free;
    self->run = run;
    open_empty(self);
    self->rotten.written = self->written = text_of(any_size(run), 'A');
    self->rotten.rot = self->rot = text_of(any_size(run), 'a');
    rotten_make(&self->rotten);
    self->rotten.life = (RepairLife){which, end, &files->f, .data = &self->rotten};
    service_open(&files->f);
    note_log(self);
    service_close(&files->f);
}

/* ---- a life ---- */

static void tell(RepairLife *life, LifeTold told)
{
    note_log(repair_of(life));
    power_run_answer(repair_of(life)->run);
}

static bool is_never_spoiled(const RepairLife *life)
{
    return false;
}

static void take_turn(RepairLife *life)
{
    repair_file_subjects[0].turn(life);
    note_log(repair_of(life));
}

static void live(PowerRun *run)
{
    FileRepair *self = run->data;
    RepairLife *life = &self->rotten.life;
    self->subject = *life->subject;
    self->subject.turn = take_turn;
    life->subject = &self->subject;
    life->tell = tell;
    life->is_spoiled = is_never_spoiled;
    self->subject.open(life);
    run->from = power_run_now(run);
    repair_life_live(life);
    for (guint i = 0; i < TURNS_AFTER; i++)
        take_turn(life);
    self->subject.close(life);
    g_assert_cmpuint(run->answers->len, ==, TOLD_ENDED);
}

/* ---- an image ---- */

typedef struct {
    FileRepair *self;
    GArray *folders; /* guint64 */
} Walk;

static bool see_anew(void *data, const SyncdFileRow *row)
{
    Walk *walk = data;
    PowerRun *run = walk->self->run;
    const SyncdFileSeen *before = &row->at_sight;
    gint64 changed;
    if (row->kind == SYNCD_FILE_FOLDER)
        g_array_append_val(walk->folders, row->id);
    const char *path =
        row->seen ? power_image_find(run->image, before->inode, before->born, &changed) : NULL;
    if (path == NULL)
        return true;
    g_autofree char *full = g_build_filename(run->folder, path, NULL);
    SyncdFileSeen seen = rotten_sight(full);
    seen.size = before->size;
    seen.mtime = before->mtime;
    seen.ctime = before->ctime == changed ? seen.ctime : before->ctime;
    syncd_store_see_file(store_of(files_of(walk->self)), row->id, 0, &seen);
    return true;
}

static void see_all_anew(FileRepair *self)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) roots = NULL;
    g_autoptr(GArray) folders = g_array_new(FALSE, FALSE, sizeof(guint64));
    Walk walk = {self, folders};
    SyncdStore *store = store_of(files_of(self));
    SyncdFileRow row;
    bool found;
    syncd_service_list_roots(files_of(self)->f.service, &roots, &error);
    g_assert_no_error(error);
    const SyncdRoot *root = roots->pdata[0];
    syncd_store_find_workspace_folder(store, root->scope_id, &row, &found, &error);
    g_assert_true(found && see_anew(&walk, &row));
    for (guint i = 0; i < folders->len && error == NULL; i++)
        syncd_store_walk_folder(store, g_array_index(folders, guint64, i), see_anew, &walk, &error);
    g_assert_no_error(error);
}

static void open_image(RepairLife *life)
{
    FileRepair *self = repair_of(life);
    service_open(life->f);
    self->unsound = power_check_log(self->run->log, store_of(files_of(self)), self->cut);
    see_all_anew(self);
    rotten_begin(life);
}

static bool is_whole(FileRepair *self)
{
    g_autofree char *path = path_in(files_of(self), ROTTEN), *content = NULL;
    return g_file_get_contents(path, &content, NULL, NULL) &&
           (strcmp(content, self->written) == 0 || strcmp(content, self->rot) == 0);
}

/* As another process, which changes nothing of what this one knows. */
static char *judge(const PowerRun *run, const char *state, size_t cut)
{
    FileRepair *self = run->data;
    RepairLife *life = &self->rotten.life;
    if (!is_whole(self))
        return g_strdup("the file has neither what was found in it nor what is recorded");
    const ServiceFixture before = *life->f;
    self->cut = cut;
    self->subject.open = open_image;
    self->subject.turn = repair_file_subjects[0].turn;
    char *wrong = repair_life_judge(life, (LifeTold)power_run_answered(run, cut));
    *life->f = before;
    if (self->unsound == NULL)
        return wrong;
    g_free(wrong);
    return g_steal_pointer(&self->unsound);
}

const PowerPhase power_phases[] = {
    {"restoring a file", prepare, live, .judge = judge, .alone = true,
     .about = POWER_ABOUT("restore")},
    {"accepting a file", prepare, live, .judge = judge, .alone = true,
     .about = POWER_ABOUT("accept")},
};
const size_t power_n_phases = G_N_ELEMENTS(power_phases);

const PowerControl power_controls[] = {
    {"/power/control/a-file-that-is-not-synced-is-caught", "restoring a file", POWER_SOUND,
     POWER_FORGETS_OTHER_FILES},
    {"/power/control/its-name-that-is-not-synced-is-caught", "restoring a file", POWER_SOUND,
     POWER_FORGETS_OTHER_NAMES},
    {"/power/control/a-lying-fsync-is-caught", "accepting a file", POWER_SOUND, POWER_LIES},
};
const size_t power_n_controls = G_N_ELEMENTS(power_controls);
