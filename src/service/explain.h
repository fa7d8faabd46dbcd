/*
 * The eleven questions about one object, answered (domain/answers.h).
 */
#pragma once

#include "service/service.h"

#define SYNCD_EXPLANATION_SCHEMA "sourceos.explanation/v1"

/* A document: what is asked about, the facts, and to each question an answer with its code, the
 * entries and records that it rests on, and what to do next. `id` is that of a file, of a record,
 * or what operations call their object. NotFound. */
char *syncd_service_explain(SyncdService *service, const SyncdCaller *caller, const char *id,
                            GError **error);
