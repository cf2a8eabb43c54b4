/// The run that a node is part of: messages, progress, previews, files.
#pragma once

#include "tensor.hpp"

namespace berth::context {

/// Says something to the operator. Works while an error is pending, too.
inline void log(berth_level level, const std::string &message) { berth_log(level, "%s", message.c_str()); }
/// For who looks for a fault.
inline void debug(const std::string &message) { log(BERTH_DEBUG, message); }
/// For the operator.
inline void info(const std::string &message) { log(BERTH_INFO, message); }
/// Something is off, and the run goes on.
inline void warn(const std::string &message) { log(BERTH_WARN, message); }
/// Something failed.
inline void error(const std::string &message) { log(BERTH_ERROR, message); }

/// `value` of `total` steps of this node are done.
inline void progress(std::uint32_t value, std::uint32_t total) { berth_progress(value, total); }
/// Shows an intermediate image [height, width, 3], `f32`, 0…1, with the progress. The host may drop it.
inline void preview(const Tensor &image) { berth_preview(image.raw()); }
/// Whether the run was cancelled. Every operation fails with `BERTH_CANCELLED` from then on.
inline bool cancelled() { return berth_cancelled(); }
/// Shows a text as a result of this node.
inline void show_text(const std::string &text) { berth_show_text(text.c_str()); }

/// A file that was written. The name was chosen by the host.
struct Artifact {
    /// The file name, with its extension and without a folder.
    std::string name;
    /// The folder inside the place, or empty.
    std::string subfolder;
    /// Which of the operator's folders it is in.
    berth_place place;
};

/// Writes data as `PREFIX_00001_.EXTENSION` with the next free number, and shows it as a result of this node. `prefix` may
/// name folders with `/`; it never leads out of the place. `kind` is how a client shows it: `images`, `audio`, `files`.
/// Errors: `BERTH_INVALID_ARGUMENT`; `BERTH_OTHER` when the file cannot be written.
inline Artifact save(berth_place place, const std::string &kind, const std::string &prefix, const std::string &extension,
                     std::span<const std::byte> data) {
    berth_artifact saved = berth_save(place, kind.c_str(), prefix.c_str(), extension.c_str(), data.data(), data.size());
    return {detail::taken(saved.name), detail::taken(saved.subfolder), saved.place};
}

/// A file of the operator's input folder. Errors: `BERTH_NOT_FOUND`, `BERTH_INVALID_ARGUMENT`.
inline std::vector<std::byte> read_input(const std::string &name) {
    std::size_t size;
    auto *data = static_cast<const std::byte *>(berth_read_input(name.c_str(), &size));
    std::vector<std::byte> made(data, data + size);
    berth_drop(const_cast<std::byte *>(data));
    return made;
}

/// A digest of a file of the input folder that changes when its content does. Errors as `read_input`.
inline std::string input_fingerprint(const std::string &name) {
    return detail::taken(berth_input_fingerprint(name.c_str()));
}

} // namespace berth::context
