/*
 * The reader of a workspace as the daemon has it: a socket, requests that are out, and answers.
 *
 * Asking never waits: what the socket does not take now is sent when there is something to be read
 * or room to write. Answers come when the socket is ready to be read, and in the order of the
 * requests.
 */
#pragma once

#include "reader/wire.h"

typedef struct SyncdReaderProcess SyncdReaderProcess;

/* Begins one: this program once more. SIGCHLD must be ignored, as nobody waits for its end.
 * StorageFailed. */
SyncdReaderProcess *syncd_reader_process_begin(GError **error);
/* One that is at the other end of this socket already; takes it over. */
SyncdReaderProcess *syncd_reader_process_new(int fd);
/* Ends it. */
void syncd_reader_process_free(SyncdReaderProcess *process);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SyncdReaderProcess, syncd_reader_process_free)

int syncd_reader_process_fd(const SyncdReaderProcess *process);
bool syncd_reader_process_has_unsent(const SyncdReaderProcess *process);
/* Numbers the request, and keeps it until it is sent. */
guint32 syncd_reader_process_ask(SyncdReaderProcess *process, SyncdWireMessage *request);

/* What has no answer. */
void syncd_reader_process_tell(SyncdReaderProcess *process, const SyncdWireMessage *message);

/* Takes each message; the texts are valid until it returns. */
typedef bool (*SyncdWireFunc)(void *data, const SyncdWireMessage *message, GError **error);
/* Takes in what has come, but only so much that others have their turn. StorageFailed when the
 * reader has ended; InvalidEncoding when it said what is no message. */
bool syncd_reader_process_receive(SyncdReaderProcess *process, SyncdWireFunc func, void *data,
                                  GError **error);
