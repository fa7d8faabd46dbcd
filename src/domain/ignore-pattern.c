#include "domain/ignore-pattern.h"

#include <string.h>

#define SET_WORDS 4u /* of 64 bits: one for each byte */

typedef enum {
    BYTE, /* this one */
    ANY,  /* one, but for "/" */
    SET,  /* one of these */
    STAR, /* any number without "/" */
    DEEP, /* any number */
    DIRS, /* nothing, or any number before the "/" of the next token; without that: then neither */
} TokenKind;

typedef struct {
    guint8 kind;
    guint8 byte;
    guint16 set;
} Token;

typedef struct {
    guint64 words[SET_WORDS];
} Set;

struct SyncdIgnorePattern {
    GArray *tokens; /* Token */
    GArray *sets;   /* Set; NULL: there are none */
};

void syncd_ignore_pattern_free(SyncdIgnorePattern *self)
{
    if (self == NULL)
        return;
    g_array_unref(self->tokens);
    if (self->sets != NULL)
        g_array_unref(self->sets);
    g_free(self);
}

/* ---- compiling ---- */

typedef struct {
    SyncdIgnorePattern *pattern;
    const guint8 *text;
    size_t size, at;
    size_t start; /* behind what has no meaning of its own: there a `**` is as at the beginning */
    bool is_path;
} Compiler;

/* The byte so far ahead; 0 behind the end, which no pattern has in it. */
static guint8 peek(const Compiler *self, size_t ahead)
{
    return self->at + ahead < self->size ? self->text[self->at + ahead] : 0;
}

static void add(Compiler *self, TokenKind kind, guint8 byte)
{
    const Token token = {.kind = (guint8)kind, .byte = byte};
    g_array_append_val(self->pattern->tokens, token);
}

static void include(Set *set, guint8 byte)
{
    set->words[byte / 64] |= G_GUINT64_CONSTANT(1) << (byte % 64);
}

static bool is_in(const Set *set, guint8 byte)
{
    return (set->words[byte / 64] >> (byte % 64) & 1) != 0;
}

static bool is_blank(gchar c)
{
    return c == ' ' || c == '\t';
}

/* The ones of GLib are macros. */
#define CLASS(name)                                                                                \
    static bool is_##name(gchar c)                                                                 \
    {                                                                                              \
        return g_ascii_is##name(c);                                                                \
    }
CLASS(alnum)
CLASS(alpha)
CLASS(cntrl)
CLASS(digit)
CLASS(graph)
CLASS(lower)
CLASS(print)
CLASS(punct)
CLASS(space)
CLASS(upper)
CLASS(xdigit)
#undef CLASS

static const struct {
    const char *name;
    bool (*is)(gchar c);
} classes[] = {
    {"alnum", is_alnum}, {"alpha", is_alpha}, {"blank", is_blank}, {"cntrl", is_cntrl},
    {"digit", is_digit}, {"graph", is_graph}, {"lower", is_lower}, {"print", is_print},
    {"punct", is_punct}, {"space", is_space}, {"upper", is_upper}, {"xdigit", is_xdigit},
};

static bool include_class(Set *set, SyncdBytes name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(classes); i++) {
        if (!syncd_bytes_are(name, classes[i].name))
            continue;
        for (guint c = 0; c < 128; c++)
            if (classes[i].is((gchar)c))
                include(set, (guint8)c);
        return true;
    }
    return false;
}

typedef enum { CLASS_NONE, CLASS_TAKEN, CLASS_WRONG } ClassResult;

/* At the "[" of a "[:"; behind it is at its "]" when it is taken. Without a ":]" it is none. */
static ClassResult take_class(Compiler *self, Set *set)
{
    const guint8 *name = self->text + self->at + 2;
    const guint8 *end = memchr(name, ']', self->size - self->at - 2);
    if (end == NULL)
        return CLASS_WRONG;
    if (end == name || end[-1] != ':')
        return CLASS_NONE;
    if (!include_class(set, SYNCD_BYTES(name, (size_t)(end - name) - 1)))
        return CLASS_WRONG;
    self->at = (size_t)(end - self->text);
    return CLASS_TAKEN;
}

/* One byte of a bracket, or what a backslash makes one; 0: there is none. */
static guint8 take_member(Compiler *self)
{
    if (peek(self, 0) == '\\')
        self->at++;
    return peek(self, 0);
}

/* What stands at one place of a bracket; `*before` is what a range may begin with, 0 for nothing.
 */
static bool take_item(Compiler *self, Set *set, guint8 *before)
{
    guint8 byte = peek(self, 0);
    if (byte == '-' && *before != 0 && peek(self, 1) != 0 && peek(self, 1) != ']') {
        self->at++;
        guint8 last = take_member(self);
        for (guint c = *before; c <= last; c++)
            include(set, (guint8)c);
        *before = 0;
        return last != 0;
    }
    if (byte == '[' && peek(self, 1) == ':') {
        ClassResult result = take_class(self, set);
        *before = 0;
        if (result != CLASS_NONE)
            return result == CLASS_TAKEN;
    }
    *before = byte = take_member(self);
    include(set, byte);
    return byte != 0;
}

/* At the "["; behind its "]" when it is one. */
static bool take_set(Compiler *self)
{
    Set set = {{0}};
    guint8 before = 0;
    self->at++;
    bool negated = peek(self, 0) == '!' || peek(self, 0) == '^';
    self->at += negated;
    do {
        if (!take_item(self, &set, &before))
            return false;
        self->at++;
    } while (peek(self, 0) != ']');
    self->at++;
    for (size_t i = 0; negated && i < SET_WORDS; i++)
        set.words[i] = ~set.words[i];
    set.words['/' / 64] &= ~(G_GUINT64_CONSTANT(1) << ('/' % 64));
    if (self->pattern->sets == NULL)
        self->pattern->sets = g_array_new(FALSE, FALSE, sizeof(Set));
    const Token token = {.kind = SET, .set = (guint16)self->pattern->sets->len};
    g_array_append_val(self->pattern->sets, set);
    g_array_append_val(self->pattern->tokens, token);
    return true;
}

static void take_stars(Compiler *self)
{
    size_t begin = self->at;
    while (peek(self, 0) == '*')
        self->at++;
    bool free_before = begin == self->start || self->text[begin - 1] == '/';
    bool slash = peek(self, 0) == '/', escaped = peek(self, 0) == '\\' && peek(self, 1) == '/';
    bool free_behind = self->at == self->size || slash || escaped;
    if (!self->is_path || self->at - begin < 2 || !free_before || !free_behind)
        add(self, STAR, 0);
    else
        add(self, slash ? DIRS : DEEP, 0);
}

static bool take_token(Compiler *self)
{
    guint8 byte = peek(self, 0);
    if (byte == '*') {
        take_stars(self);
        return true;
    }
    if (byte == '[')
        return take_set(self);
    bool escaped = byte == '\\';
    if (escaped)
        byte = peek(self, 1);
    if (byte == 0)
        return false;
    self->at += escaped ? 2 : 1;
    add(self, byte == '?' && !escaped ? ANY : BYTE, byte);
    return true;
}

SyncdIgnorePattern *syncd_ignore_pattern_new(SyncdBytes text, bool is_path)
{
    g_autoptr(SyncdIgnorePattern) self = g_new0(SyncdIgnorePattern, 1);
    Compiler compiler = {.pattern = self, .text = text.data, .size = text.size, .is_path = is_path};
    self->tokens = g_array_new(FALSE, FALSE, sizeof(Token));
    while (compiler.start < text.size &&
           strchr("*?[\\", ((const char *)text.data)[compiler.start]) == NULL)
        compiler.start++;
    while (compiler.at < compiler.size)
        if (!take_token(&compiler))
            return NULL;
    return g_steal_pointer(&self);
}

/* ---- matching ---- */

/* Where to go on when what came behind did not match. */
typedef struct {
    bool set;
    guint token; /* the star itself */
    size_t at;   /* how much of the text is before what stands behind it */
} Retry;

typedef struct {
    const SyncdIgnorePattern *pattern;
    SyncdBytes text;
    guint token;
    size_t at;
    Retry star, deep;
} Matcher;

static const Token *token_at(const Matcher *self, guint index)
{
    return &g_array_index(self->pattern->tokens, Token, index);
}

static guint8 byte_at(const Matcher *self, size_t at)
{
    return ((const guint8 *)self->text.data)[at];
}

/* Behind a star, and behind the "/" of one that is folders. */
static guint behind(const Matcher *self, const Retry *retry)
{
    return retry->token + (token_at(self, retry->token)->kind == DIRS ? 2 : 1);
}

static void go_on(Matcher *self, const Retry *retry)
{
    self->token = behind(self, retry);
    self->at = retry->at;
}

/* What is behind the later star may be further on; no more than that, as the earlier ones have left
 * as much as they can. */
static bool try_again(Matcher *self)
{
    if (self->star.set && self->star.at < self->text.size && byte_at(self, self->star.at) != '/') {
        self->star.at++;
        go_on(self, &self->star);
        return true;
    }
    self->star.set = false;
    if (!self->deep.set)
        return false;
    if (token_at(self, self->deep.token)->kind == DIRS)
        while (self->deep.at < self->text.size && byte_at(self, self->deep.at) != '/')
            self->deep.at++;
    if (self->deep.at >= self->text.size)
        return false;
    self->deep.at++;
    go_on(self, &self->deep);
    return true;
}

static bool takes(const Matcher *self, const Token *token)
{
    if (self->at >= self->text.size)
        return false;
    guint8 byte = byte_at(self, self->at);
    switch ((TokenKind)token->kind) {
    case BYTE:
        return byte == token->byte;
    case ANY:
        return byte != '/';
    case SET:
        return is_in(&g_array_index(self->pattern->sets, Set, token->set), byte);
    case STAR:
    case DEEP:
    case DIRS:
        break;
    }
    return false;
}

/* One token or one more try; false when there is none. */
static bool step(Matcher *self)
{
    const Token *token =
        self->token < self->pattern->tokens->len ? token_at(self, self->token) : NULL;
    if (token == NULL)
        return try_again(self);
    if (token->kind == STAR || token->kind == DEEP || token->kind == DIRS) {
        Retry *retry = token->kind == STAR ? &self->star : &self->deep;
        *retry = (Retry){true, self->token, self->at};
        if (token->kind != STAR)
            self->star.set = false;
        go_on(self, retry);
        return true;
    }
    if (!takes(self, token))
        return try_again(self);
    self->token++;
    self->at++;
    return true;
}

bool syncd_ignore_pattern_matches(const SyncdIgnorePattern *pattern, SyncdBytes text,
                                  guint32 *steps)
{
    Matcher matcher = {.pattern = pattern, .text = text};
    while (matcher.token < pattern->tokens->len || matcher.at < text.size) {
        if (*steps == 0)
            return false;
        --*steps;
        if (!step(&matcher))
            return false;
    }
    return true;
}
