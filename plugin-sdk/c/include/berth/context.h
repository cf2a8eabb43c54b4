/// The run that a node is part of: messages, progress, previews, files.
#ifndef BERTH_CONTEXT_H
#define BERTH_CONTEXT_H

#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

/// How much a message matters.
typedef enum berth_level {
    /// For who follows every step.
    BERTH_TRACE,
    /// For who looks for a fault.
    BERTH_DEBUG,
    /// For the operator.
    BERTH_INFO,
    /// Something is off, and the run goes on.
    BERTH_WARN,
    /// Something failed.
    BERTH_ERROR,
} berth_level;

/// Says something to the operator, as `printf` formats it. Works while an error is pending, too.
__attribute__((format(printf, 2, 3))) void berth_log(berth_level level, const char *format, ...);

/// `value` of `total` steps of this node are done.
void berth_progress(uint32_t value, uint32_t total);

/// Shows an intermediate image [height, width, 3], `f32`, 0…1, with the progress. The host may drop it.
void berth_preview(const berth_tensor *image);

/// Whether the run was cancelled. Every operation fails with `BERTH_CANCELLED` from then on.
bool berth_cancelled(void);

/// Shows a text as a result of this node.
void berth_show_text(const char *text);

/// Where a file goes.
typedef enum berth_place {
    /// The operator's output folder.
    BERTH_OUTPUT,
    /// A folder that the operator empties.
    BERTH_TEMPORARY,
} berth_place;

/// A file that was written. The name was chosen by the host.
typedef struct berth_artifact {
    /// The file name, with its extension and without a folder.
    const char *name;
    /// The folder inside the place, or empty.
    const char *subfolder;
    /// Which of the operator's folders it is in.
    berth_place place;
} berth_artifact;

/// Writes data as `PREFIX_00001_.EXTENSION` with the next free number, and shows it as a result of this
/// node. `prefix` may name folders with `/`; it never leads out of the place. `kind` is how a client
/// shows it: `images`, `audio`, `files`.
/// Errors: `BERTH_INVALID_ARGUMENT`; `BERTH_OTHER` when the file cannot be written.
berth_artifact berth_save(berth_place place, const char *kind, const char *prefix, const char *extension,
                          const void *data, size_t size);

/// A file of the operator's input folder; `size` (may be NULL) is set to its bytes.
/// Errors: `BERTH_NOT_FOUND`, `BERTH_INVALID_ARGUMENT`.
const void *berth_read_input(const char *name, size_t *size);

/// A digest of a file of the input folder that changes when its content does.
/// Errors: `BERTH_NOT_FOUND`, `BERTH_INVALID_ARGUMENT`.
const char *berth_input_fingerprint(const char *name);

#ifdef __cplusplus
}
#endif
#endif
