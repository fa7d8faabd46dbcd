#include "bus/options.h"

#include "base/error.h"
#include "bus/error-bus.h"

#include <string.h>

static const struct {
    const char *signature;
    const char *words;
} types[] = {
    [SYNCD_OPTION_TEXT] = {"s", "text"},
    [SYNCD_OPTION_NUMBER] = {"u", "a number"},
    [SYNCD_OPTION_LARGE] = {"t", "a large number"},
    [SYNCD_OPTION_SWITCH] = {"b", "true or false"},
    [SYNCD_OPTION_TEXTS] = {"as", "a list of texts"},
};

static void set_unknown(GError **error, const char *name, const SyncdOption *options,
                        size_t n_options)
{
    g_autoptr(GString) known = g_string_new(NULL);
    for (size_t i = 0; i < n_options; i++)
        g_string_append_printf(known, "%s%s", i > 0 ? ", " : "", options[i].name);
    syncd_set_error(error, SYNCD_ERROR_INVALID_ARGS, "Option \"%.64s\" is unknown; known are: %s",
                    name, known->len > 0 ? known->str : "none");
}

/* One after the other: the library's own way takes a time that grows with the square of their
 * number. Beyond the limit they are read, and not kept. */
static int read_texts(sd_bus_message *message, char ***target)
{
    g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);
    const char *text = NULL;
    size_t size = 0;
    int r = sd_bus_message_enter_container(message, 'a', "s");
    while (r >= 0 && (r = sd_bus_message_read_basic(message, 's', &text)) > 0) {
        if (size > SYNCD_TEXTS_MAX)
            continue;
        g_ptr_array_add(texts, g_strdup(text));
        size += strlen(text) + 1;
    }
    if (r >= 0)
        r = sd_bus_message_exit_container(message);
    if (r < 0)
        return r;
    g_ptr_array_add(texts, NULL);
    *target = (char **)g_ptr_array_free(g_steal_pointer(&texts), FALSE);
    return r;
}

static int read_value(sd_bus_message *message, SyncdOptionType type, void *member)
{
    int r, value;
    switch (type) {
    case SYNCD_OPTION_TEXTS:
        return read_texts(message, member);
    case SYNCD_OPTION_SWITCH:
        r = sd_bus_message_read_basic(message, 'b', &value);
        if (r >= 0)
            *(bool *)member = value != 0;
        return r;
    default:
        return sd_bus_message_read_basic(message, types[type].signature[0], member);
    }
}

static size_t size_of_texts(char *const *texts)
{
    size_t size = 0;
    for (; *texts != NULL; texts++)
        size += strlen(*texts) + 1;
    return size;
}

static bool check_size(const SyncdOption *option, const void *member, GError **error)
{
    size_t size = 0, max = SYNCD_TEXT_MAX;
    if (option->type == SYNCD_OPTION_TEXT) {
        size = strlen(*(const char *const *)member);
    } else if (option->type == SYNCD_OPTION_TEXTS) {
        size = size_of_texts(*(char *const *const *)member);
        max = SYNCD_TEXTS_MAX;
    }
    if (size > max)
        syncd_set_error(error, SYNCD_ERROR_INVALID_ARGS, "Option \"%s\" has more than %zu bytes",
                        option->name, max);
    return size <= max;
}

static bool read_variant(sd_bus_message *message, const SyncdOption *option, void *target,
                         GError **error)
{
    const char *signature = NULL;
    int r = sd_bus_message_peek_type(message, NULL, &signature);
    if (r >= 0 && g_strcmp0(signature, types[option->type].signature) != 0) {
        syncd_set_error(error, SYNCD_ERROR_INVALID_ARGS,
                        "Option \"%s\" has the type %.32s; it must be %s (%s)", option->name,
                        signature, types[option->type].words, types[option->type].signature);
        return false;
    }
    if (r >= 0)
        r = sd_bus_message_enter_container(message, 'v', types[option->type].signature);
    if (r >= 0)
        r = read_value(message, option->type, (char *)target + option->offset);
    if (r >= 0)
        r = sd_bus_message_exit_container(message);
    if (r < 0) {
        syncd_set_error_arguments(error);
        return false;
    }
    return check_size(option, (const char *)target + option->offset, error);
}

static bool read_option(sd_bus_message *message, const SyncdOption *options, size_t n_options,
                        void *target, guint64 *seen, GError **error)
{
    const char *name = NULL;
    if (sd_bus_message_read_basic(message, 's', &name) < 0) {
        syncd_set_error_arguments(error);
        return false;
    }
    for (size_t i = 0; i < n_options; i++) {
        if (g_strcmp0(options[i].name, name) != 0)
            continue;
        if ((*seen & (G_GUINT64_CONSTANT(1) << i)) != 0) {
            syncd_set_error(error, SYNCD_ERROR_INVALID_ARGS, "Option \"%s\" is given twice", name);
            return false;
        }
        *seen |= G_GUINT64_CONSTANT(1) << i;
        return read_variant(message, &options[i], target, error);
    }
    set_unknown(error, name, options, n_options);
    return false;
}

bool syncd_options_read(sd_bus_message *message, const SyncdOption *options, size_t n_options,
                        void *target, GError **error)
{
    guint64 seen = 0;
    int r = sd_bus_message_enter_container(message, 'a', "{sv}");
    while (r >= 0 && (r = sd_bus_message_enter_container(message, 'e', "sv")) > 0) {
        if (!read_option(message, options, n_options, target, &seen, error))
            return false;
        r = sd_bus_message_exit_container(message);
    }
    if (r >= 0)
        r = sd_bus_message_exit_container(message);
    if (r < 0)
        syncd_set_error_arguments(error);
    return r >= 0;
}

bool syncd_text_argument_read(sd_bus_message *message, const char **ret_text, GError **error)
{
    if (sd_bus_message_read_basic(message, 's', ret_text) < 0) {
        syncd_set_error_arguments(error);
        return false;
    }
    if (strlen(*ret_text) > SYNCD_TEXT_MAX) {
        syncd_set_error(error, SYNCD_ERROR_INVALID_ARGS,
                        "The call's first argument has more than %u bytes", SYNCD_TEXT_MAX);
        return false;
    }
    return true;
}
