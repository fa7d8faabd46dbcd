#include "domain/ignore.h"

#include "domain/ignore-pattern.h"

#include <string.h>

typedef struct {
    SyncdIgnorePattern *pattern;
    guint line;
    guint32 begin, size; /* of what stands in the text */
    bool takes_back;     /* "!" */
    bool only_folders;   /* "/" behind it */
    bool is_path;        /* it is about a path beneath the source's folder, not about a name */
} Rule;

typedef struct {
    GBytes *folder;
    GBytes *text;
    GArray *rules; /* Rule */
} Source;

struct SyncdIgnore {
    GTree *sources; /* GBytes, a folder -> Source */
    Source *shared; /* NULL: there are none */
    size_t total;   /* bytes of all texts */
};

static SyncdBytes view(GBytes *bytes)
{
    size_t size;
    const void *data = g_bytes_get_data(bytes, &size);
    return SYNCD_BYTES(data != NULL ? data : "", size);
}

static void clear_rule(void *rule)
{
    syncd_ignore_pattern_free(((Rule *)rule)->pattern);
}

static void source_free(void *data)
{
    Source *self = data;
    g_bytes_unref(self->folder);
    g_bytes_unref(self->text);
    g_array_unref(self->rules);
    g_free(self);
}

/* ---- reading rules ---- */

static char last_of(SyncdBytes text)
{
    return text.size > 0 ? ((const char *)text.data)[text.size - 1] : '\0';
}

static char first_of(SyncdBytes text)
{
    return text.size > 0 ? *(const char *)text.data : '\0';
}

static SyncdBytes skip(SyncdBytes text, size_t n)
{
    return SYNCD_BYTES((const char *)text.data + n, text.size - n);
}

/* Spaces at the end, but for those behind a backslash. */
static SyncdBytes trim(SyncdBytes line)
{
    const char *text = line.data;
    size_t kept = 0;
    for (size_t i = 0; i < line.size; i++) {
        bool escapes = text[i] == '\\';
        if (escapes || text[i] != ' ')
            kept = i + 1 + escapes;
        i += escapes;
    }
    return SYNCD_BYTES(line.data, MIN(kept, line.size));
}

/* The next line, without what ends it; what is behind a NUL is no part of it. */
static SyncdBytes take_line(SyncdBytes *rest)
{
    const char *end = memchr(rest->data, '\n', rest->size);
    size_t size = end != NULL ? (size_t)(end - (const char *)rest->data) : rest->size;
    SyncdBytes line = SYNCD_BYTES(rest->data, size);
    *rest = skip(*rest, end != NULL ? size + 1 : size);
    if (last_of(line) == '\r')
        line.size--;
    const char *nul = memchr(line.data, '\0', line.size);
    if (nul != NULL)
        line.size = (size_t)(nul - (const char *)line.data);
    return line;
}

/* False over a limit. */
static bool add_rule(Source *self, SyncdBytes line, guint number)
{
    Rule rule = {.line = number};
    SyncdBytes text = trim(line);
    if (text.size == 0 || first_of(text) == '#')
        return true;
    if (text.size > SYNCD_IGNORE_PATTERN_MAX || self->rules->len >= SYNCD_IGNORE_RULES_MAX)
        return false;
    rule.begin = (guint32)((const char *)text.data - (const char *)view(self->text).data);
    rule.size = (guint32)text.size;
    rule.takes_back = first_of(text) == '!';
    text = skip(text, rule.takes_back);
    rule.only_folders = last_of(text) == '/';
    text.size -= rule.only_folders;
    rule.is_path = text.size > 0 && memchr(text.data, '/', text.size) != NULL;
    text = skip(text, first_of(text) == '/');
    rule.pattern = syncd_ignore_pattern_new(text, rule.is_path);
    if (rule.pattern != NULL)
        g_array_append_val(self->rules, rule);
    return true;
}

/* NULL over a limit. */
static Source *source_new(SyncdBytes folder, SyncdBytes text)
{
    static const char mark[] = "\xef\xbb\xbf";
    Source *self = g_new(Source, 1);
    *self = (Source){g_bytes_new(folder.data, folder.size), g_bytes_new(text.data, text.size),
                     g_array_new(FALSE, FALSE, sizeof(Rule))};
    g_array_set_clear_func(self->rules, clear_rule);
    SyncdBytes rest = view(self->text);
    if (rest.size >= strlen(mark) && memcmp(rest.data, mark, strlen(mark)) == 0)
        rest = skip(rest, strlen(mark));
    bool within = text.size <= SYNCD_IGNORE_TEXT_MAX;
    for (guint number = 1; within && rest.size > 0; number++)
        within = add_rule(self, take_line(&rest), number);
    if (!within)
        g_clear_pointer(&self, source_free);
    return self;
}

/* ---- sources ---- */

static int compare_folders(const void *a, const void *b, void *data)
{
    return g_bytes_compare(a, b);
}

SyncdIgnore *syncd_ignore_new(void)
{
    SyncdIgnore *self = g_new0(SyncdIgnore, 1);
    self->sources = g_tree_new_full(compare_folders, NULL, NULL, source_free);
    return self;
}

void syncd_ignore_free(SyncdIgnore *self)
{
    if (self == NULL)
        return;
    g_tree_unref(self->sources);
    g_clear_pointer(&self->shared, source_free);
    g_free(self);
}

static Source *find(const SyncdIgnore *self, SyncdBytes folder)
{
    g_autoptr(GBytes) key = g_bytes_new_static(folder.data, folder.size);
    return g_tree_lookup(self->sources, key);
}

static size_t size_of(const Source *source)
{
    return source != NULL ? g_bytes_get_size(source->text) : 0;
}

/* What takes the place of `present`; NULL in `ret_source` for none. */
static SyncdIgnoreResult make(SyncdIgnore *self, const Source *present, SyncdBytes folder,
                              SyncdBytes text, Source **ret_source)
{
    SyncdBytes now = present != NULL ? view(present->text) : SYNCD_BYTES("", 0);
    *ret_source = NULL;
    if (now.size == text.size && (now.size == 0 || memcmp(now.data, text.data, now.size) == 0))
        return SYNCD_IGNORE_SAME;
    self->total -= now.size;
    if (text.size == 0)
        return SYNCD_IGNORE_CHANGED;
    if (self->total + text.size <= SYNCD_IGNORE_TOTAL_MAX)
        *ret_source = source_new(folder, text);
    self->total += size_of(*ret_source);
    return *ret_source != NULL ? SYNCD_IGNORE_CHANGED : SYNCD_IGNORE_REFUSED;
}

SyncdIgnoreResult syncd_ignore_set(SyncdIgnore *self, SyncdBytes folder, SyncdBytes text)
{
    Source *present = find(self, folder), *source;
    bool full = present == NULL && g_tree_nnodes(self->sources) >= (int)SYNCD_IGNORE_SOURCES_MAX;
    if (full && text.size > 0)
        return SYNCD_IGNORE_REFUSED;
    SyncdIgnoreResult result = make(self, present, folder, text, &source);
    if (result != SYNCD_IGNORE_SAME && present != NULL)
        g_tree_remove(self->sources, present->folder);
    if (source != NULL)
        g_tree_insert(self->sources, source->folder, source);
    return result;
}

SyncdIgnoreResult syncd_ignore_set_shared(SyncdIgnore *self, SyncdBytes text)
{
    Source *source;
    SyncdIgnoreResult result = make(self, self->shared, SYNCD_BYTES("", 0), text, &source);
    if (result == SYNCD_IGNORE_SAME)
        return result;
    g_clear_pointer(&self->shared, source_free);
    self->shared = source;
    return result;
}

typedef struct {
    SyncdBytes folder;
    GPtrArray *within; /* GBytes */
} Within;

static gboolean add_within(void *key, void *value, void *data)
{
    const Within *search = data;
    SyncdBytes folder = search->folder, at = view(key);
    bool within =
        at.size >= folder.size && memcmp(at.data, folder.data, folder.size) == 0 &&
        (folder.size == 0 || at.size == folder.size || ((const char *)at.data)[folder.size] == '/');
    if (within)
        g_ptr_array_add(search->within, key);
    return FALSE;
}

static GPtrArray *find_within(SyncdIgnore *self, SyncdBytes folder)
{
    GPtrArray *within = g_ptr_array_new();
    Within search = {folder, within};
    g_tree_foreach(self->sources, add_within, &search);
    return within;
}

void syncd_ignore_move(SyncdIgnore *self, SyncdBytes folder, SyncdBytes to)
{
    g_autoptr(GPtrArray) within = find_within(self, folder);
    for (guint i = 0; i < within->len; i++) {
        const Source *source = g_tree_lookup(self->sources, within->pdata[i]);
        SyncdBytes rest = skip(view(source->folder), folder.size);
        g_autoptr(GString) path = g_string_new_len(to.data, (gssize)to.size);
        g_autoptr(GBytes) text = g_bytes_ref(source->text);
        g_string_append_len(path, rest.data, (gssize)rest.size);
        self->total -= size_of(source);
        g_tree_remove(self->sources, within->pdata[i]);
        syncd_ignore_set(self, SYNCD_BYTES(path->str, path->len), view(text));
    }
}

bool syncd_ignore_is_empty(const SyncdIgnore *self)
{
    return self->shared == NULL && g_tree_nnodes(self->sources) == 0;
}

/* ---- judging ---- */

typedef struct {
    SyncdBytes path;
    bool is_folder;
    guint32 steps;
} Question;

/* How much of the path is the folder that it is in; 0 for the workspace's own. */
static size_t parent_size(SyncdBytes path)
{
    size_t size = path.size;
    while (size > 0 && ((const char *)path.data)[size - 1] != '/')
        size--;
    return size > 0 ? size - 1 : 0;
}

static SyncdBytes name_of(SyncdBytes path)
{
    size_t parent = parent_size(path);
    return skip(path, first_of(skip(path, parent)) == '/' ? parent + 1 : parent);
}

static bool applies(const Rule *rule, const Source *source, Question *question)
{
    size_t folder = g_bytes_get_size(source->folder);
    SyncdBytes beneath = skip(question->path, folder > 0 ? folder + 1 : 0);
    return (question->is_folder || !rule->only_folders) &&
           syncd_ignore_pattern_matches(
               rule->pattern, rule->is_path ? beneath : name_of(question->path), &question->steps);
}

/* The last rule that applies; NULL for none. */
static const Rule *find_rule(const Source *source, Question *question)
{
    for (guint i = source->rules->len; i-- > 0;) {
        const Rule *rule = &g_array_index(source->rules, Rule, i);
        if (applies(rule, source, question))
            return rule;
    }
    return NULL;
}

static SyncdIgnoreVerdict verdict_of(const SyncdIgnore *self, const Source *source,
                                     const Rule *rule, SyncdBytes path)
{
    return (SyncdIgnoreVerdict){
        .ignored = !rule->takes_back,
        .by_rule = true,
        .shared = source == self->shared,
        .folder = view(source->folder),
        .line = rule->line,
        .pattern = SYNCD_BYTES((const char *)view(source->text).data + rule->begin, rule->size),
        .path = path,
    };
}

/* Apart from the folders above it. */
static SyncdIgnoreVerdict judge_one(const SyncdIgnore *self, SyncdBytes path, bool is_folder)
{
    Question question = {path, is_folder, SYNCD_IGNORE_STEPS};
    if (!is_folder && syncd_bytes_are(name_of(path), SYNCD_IGNORE_FILE))
        return (SyncdIgnoreVerdict){0};
    for (SyncdBytes at = path; at.size > 0;) {
        at.size = parent_size(at);
        const Source *source = find(self, at);
        const Rule *rule = source != NULL ? find_rule(source, &question) : NULL;
        if (rule != NULL)
            return verdict_of(self, source, rule, path);
    }
    const Rule *rule = self->shared != NULL ? find_rule(self->shared, &question) : NULL;
    return rule != NULL ? verdict_of(self, self->shared, rule, path) : (SyncdIgnoreVerdict){0};
}

SyncdIgnoreVerdict syncd_ignore_judge(const SyncdIgnore *self, SyncdBytes path, bool is_folder)
{
    SyncdIgnoreVerdict verdict = {0};
    if (syncd_ignore_is_empty(self))
        return verdict;
    for (size_t size = 0; !verdict.ignored && size < path.size;) {
        const char *begin = (const char *)path.data + size;
        const char *slash = memchr(begin, '/', path.size - size);
        size_t end = slash != NULL ? (size_t)(slash - (const char *)path.data) : path.size;
        verdict = judge_one(self, SYNCD_BYTES(path.data, end), slash != NULL || is_folder);
        size = end + 1;
    }
    return verdict;
}

bool syncd_ignore_has(const SyncdIgnore *self, SyncdBytes folder, SyncdBytes name, bool is_folder)
{
    if (syncd_ignore_is_empty(self))
        return false;
    g_autofree char *path = g_malloc(folder.size + 1 + name.size);
    size_t begin = folder.size > 0 ? folder.size + 1 : 0;
    if (folder.size > 0)
        memcpy(path, folder.data, folder.size);
    path[folder.size] = '/';
    memcpy(path + begin, name.data, name.size);
    return judge_one(self, SYNCD_BYTES(path, begin + name.size), is_folder).ignored;
}
