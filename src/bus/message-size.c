#include "bus/message-size.h"

#include <stdbool.h>
#include <string.h>

#define VALUES_MAX 256u /* more than any call of ours has */

static bool add_value(sd_bus_message *message, char type, guint64 *size)
{
    union {
        const char *text;
        guint64 number;
    } value = {0};
    if (sd_bus_message_read_basic(message, type, &value) <= 0)
        return false;
    *size += strchr("sog", type) != NULL ? strlen(value.text) : sizeof value.number;
    return true;
}

static bool add_numbers(sd_bus_message *message, char type, guint64 *size)
{
    const void *numbers;
    size_t bytes;
    if (sd_bus_message_read_array(message, type, &numbers, &bytes) < 0)
        return false;
    *size += bytes;
    return true;
}

/* False for a message that does not hold what it says, or more values than are worth a look. */
static bool add_values(sd_bus_message *message, unsigned *values, guint64 *size)
{
    const char *contents;
    char type;
    int r;
    while ((r = sd_bus_message_peek_type(message, &type, &contents)) > 0) {
        bool good;
        if (++*values > VALUES_MAX)
            return false;
        if (contents == NULL)
            good = add_value(message, type, size);
        else if (type == SD_BUS_TYPE_ARRAY && strchr("ynqiuxtd", contents[0]) != NULL)
            good = add_numbers(message, contents[0], size);
        else
            good = sd_bus_message_enter_container(message, type, contents) > 0 &&
                   add_values(message, values, size) && sd_bus_message_exit_container(message) >= 0;
        if (!good)
            return false;
    }
    return r == 0;
}

guint64 syncd_message_size(sd_bus_message *message)
{
    unsigned values = 0;
    guint64 size = 0;
    bool known = add_values(message, &values, &size);
    return sd_bus_message_rewind(message, true) >= 0 && known ? size : SYNCD_MESSAGE_SIZE_UNKNOWN;
}
