/*
 * Methods that take an id and the option "all", and give one document.
 */
#pragma once

#include "bus/call.h"

#include <glib.h>
#include <stdbool.h>

typedef char *(*SyncdDocumentFunc)(SyncdService *service, const SyncdCaller *caller, const char *id,
                                   GError **error);

bool syncd_call_give_document(SyncdCall *call, SyncdDocumentFunc document_of, GError **error);
