/* How many bytes a message that came holds, which the library does not say. */
#pragma once

#include <glib.h>
#include <systemd/sd-bus.h>

/* Of one that does not hold what it says, or more values than are worth a look. */
#define SYNCD_MESSAGE_SIZE_UNKNOWN G_MAXUINT32

/* The message is read from its beginning afterwards. */
guint64 syncd_message_size(sd_bus_message *message);
