/*
 * The options of a method: its last argument, a{sv}, read by a table.
 *
 * What the table does not name is refused, so that a misspelt option never passes for one that was
 * heeded; so are a wrong type and an option given twice. Text is borrowed from the message, and
 * bounded: a call may wait for polkit for minutes, and its message is kept for as long.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <systemd/sd-bus.h>

typedef enum {
    SYNCD_OPTION_TEXT,   /* s,  const char * */
    SYNCD_OPTION_NUMBER, /* u,  guint32 */
    SYNCD_OPTION_LARGE,  /* t,  guint64 */
    SYNCD_OPTION_SWITCH, /* b,  bool */
    SYNCD_OPTION_TEXTS,  /* as, char ** that the caller frees with g_strfreev() */
} SyncdOptionType;

typedef struct {
    const char *name;
    SyncdOptionType type;
    size_t offset; /* of the member that takes the value */
} SyncdOption;

#define SYNCD_OPTIONS_MAX 64u
#define SYNCD_TEXT_MAX (64u * 1024u)    /* bytes of one text, in options and before them */
#define SYNCD_TEXTS_MAX (1024u * 1024u) /* bytes of a list of texts */

/* Reads the message's next argument into `target`; members of options that were not given keep
 * their value. InvalidArgs, naming the option. */
bool syncd_options_read(sd_bus_message *message, const SyncdOption *options, size_t n_options,
                        void *target, GError **error);
/* The message's next argument, one text: bounded as an option is. InvalidArgs. */
bool syncd_text_argument_read(sd_bus_message *message, const char **ret_text, GError **error);
