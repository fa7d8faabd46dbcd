#include "domain/found.h"

#include "domain/answers.h"

#include <string.h>

SyncdFound *syncd_found_new_valist(const char *code, va_list facts)
{
    SyncdFound *self = g_new0(SyncdFound, 1);
    self->finding = syncd_finding_find(SYNCD_BYTES_TEXT(code));
    g_assert(self->finding != NULL);
    self->count = 1;
    self->evidence = g_ptr_array_new_with_free_func(g_free);
    for (const char *name; (name = va_arg(facts, const char *)) != NULL;)
        syncd_found_fact(self, name, va_arg(facts, const char *));
    return self;
}

void syncd_found_fact(SyncdFound *self, const char *name, const char *text)
{
    g_assert(self->n_facts < SYNCD_FOUND_FACTS);
    self->facts[self->n_facts].name = name;
    self->facts[self->n_facts++].text = g_strdup(text);
}

SyncdFound *syncd_found_new(const char *code, ...)
{
    va_list facts;
    va_start(facts, code);
    SyncdFound *self = syncd_found_new_valist(code, facts);
    va_end(facts);
    return self;
}

void syncd_found_free(SyncdFound *self)
{
    if (self == NULL)
        return;
    for (unsigned i = 0; i < self->n_facts; i++)
        g_free(self->facts[i].text);
    g_ptr_array_unref(self->evidence);
    g_free(self->target);
    g_free(self->object);
    g_free(self);
}

void syncd_found_evidence(SyncdFound *self, char *text)
{
    if (self->evidence->len < SYNCD_FOUND_EVIDENCE)
        g_ptr_array_add(self->evidence, text);
    else
        g_free(text);
}

/* ---- as a document ---- */

const char *syncd_found_find_fact(const SyncdFound *self, const char *name)
{
    for (unsigned i = 0; i < self->n_facts; i++)
        if (strcmp(self->facts[i].name, name) == 0)
            return self->facts[i].text;
    return NULL;
}

static const char *fact_of(void *data, const char *name)
{
    return syncd_found_find_fact(data, name);
}

static const char *hidden_fact(void *data, const char *name)
{
    return "(not shown)";
}

static void write_facts(const SyncdFound *self, bool hidden, SyncdJsonWriter *writer)
{
    syncd_json_name(writer, "facts");
    syncd_json_begin_object(writer);
    for (unsigned i = 0; !hidden && i < self->n_facts; i++)
        syncd_json_member_string(writer, self->facts[i].name, self->facts[i].text);
    syncd_json_end_object(writer);
}

static void write_range(const SyncdFound *self, SyncdJsonWriter *writer)
{
    if (self->first == 0) {
        syncd_json_member_null(writer, "range");
        return;
    }
    syncd_json_name(writer, "range");
    syncd_json_begin_object(writer);
    syncd_json_member_uint(writer, "first", self->first);
    syncd_json_member_uint(writer, "last", self->last);
    syncd_json_end_object(writer);
}

static void write_repair(const SyncdFound *self, bool hidden, SyncdJsonWriter *writer)
{
    if (self->finding->repair == NULL || self->unmended) {
        syncd_json_member_null(writer, "repair");
        return;
    }
    syncd_json_name(writer, "repair");
    syncd_json_begin_object(writer);
    syncd_json_member_string(writer, "kind", self->finding->repair);
    syncd_json_member_string(writer, "target", hidden ? NULL : self->target);
    syncd_json_end_object(writer);
}

char *syncd_found_next(SyncdFound *self, const SyncdFoundView *view)
{
    const char *next = self->next != NULL ? self->next : self->finding->next;
    if (view->hidden)
        next = strchr(next, '{') != NULL ? SYNCD_NEXT_DOCTOR_ALL : self->finding->next;
    return syncd_finding_next(next, view->of_system, fact_of, self);
}

/* Whatever is found is shown by something. */
static void write_evidence(SyncdFound *self, bool hidden, SyncdJsonWriter *writer)
{
    if (!hidden && self->evidence->len == 0)
        g_ptr_array_add(self->evidence, syncd_answer_fill(self->finding->evidence, fact_of, self));
    syncd_json_member_strings(writer, "evidence", hidden ? NULL : self->evidence);
}

void syncd_found_write(SyncdFound *self, const SyncdFoundView *view, SyncdJsonWriter *writer)
{
    g_autofree char *sentence = syncd_answer_fill(self->finding->sentence,
                                                  view->hidden ? hidden_fact : fact_of, self),
                    *next = syncd_found_next(self, view);
    syncd_json_begin_object(writer);
    syncd_json_member_string(writer, "code", self->finding->code);
    syncd_json_member_string(writer, "severity", self->finding->severity);
    syncd_json_member_string(writer, "summary", sentence);
    write_facts(self, view->hidden, writer);
    syncd_json_member_string(writer, "about", self->finding->about);
    syncd_json_member_string(writer, "object", view->hidden ? NULL : self->object);
    write_range(self, writer);
    syncd_json_member_uint(writer, "count", self->count);
    syncd_json_member_bool(writer, "more", self->more);
    syncd_json_member_string(writer, "durability", self->finding->durability);
    write_repair(self, view->hidden, writer);
    syncd_json_member_string(writer, "person", self->finding->person);
    write_evidence(self, view->hidden, writer);
    syncd_json_member_string(writer, "next", next);
    syncd_json_end_object(writer);
}
