// The run: messages, progress, previews, files.

#include <stdio.h>
#include <string.h>

#include "internal.h"

void berth_log(berth_level level, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    char text[2048];
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    bth_string message = bth_text(text);
    berth_node_context_log((berth_node_context_level_t)level, &message);
}

void berth_progress(uint32_t value, uint32_t total) {
    if (!berth_failed()) berth_node_context_progress(value, total);
}

void berth_preview(const berth_tensor *image) {
    BTH_NEED(, image);
    bth_error error;
    if (!berth_node_context_preview(BTH_HANDLE(bth_borrow_tensor, image), &error)) bth_raise(&error);
}

bool berth_cancelled(void) { return berth_node_context_cancelled(); }

void berth_show_text(const char *text) {
    BTH_NEED(, text);
    bth_string shown = bth_text(text);
    berth_node_context_show_text(&shown);
}

berth_artifact berth_save(berth_place place, const char *kind, const char *prefix, const char *extension,
                          const void *data, size_t size) {
    berth_artifact nothing = {"", "", place};
    BTH_NEED(nothing, kind, prefix, extension, size ? data : "");
    bth_string shown = bth_text(kind), begins = bth_text(prefix), ends = bth_text(extension);
    memory_node_list_u8_t bytes = {(uint8_t *)data, size};
    berth_node_context_artifact_t saved;
    bth_error error;
    if (!berth_node_context_save((berth_node_context_place_t)place, &shown, &begins, &ends, &bytes, &saved, &error)) {
        bth_raise(&error);
        return nothing;
    }
    return (berth_artifact){bth_take_text(&saved.name), bth_take_text(&saved.subfolder), (berth_place)saved.place};
}

const void *berth_read_input(const char *name, size_t *size) {
    if (size) *size = 0;
    BTH_NEED(NULL, name);
    bth_string file = bth_text(name);
    memory_node_list_u8_t list;
    bth_error error;
    if (!berth_node_context_read_input(&file, &list, &error)) {
        bth_raise(&error);
        return NULL;
    }
    void *bytes = berth_alloc(list.len);
    if (list.len) memcpy(bytes, list.ptr, list.len);
    if (size) *size = list.len;
    memory_node_list_u8_free(&list);
    return bytes;
}

const char *berth_input_fingerprint(const char *name) {
    BTH_NEED("", name);
    bth_string file = bth_text(name), digest;
    bth_error error;
    if (berth_node_context_input_fingerprint(&file, &digest, &error)) return bth_take_text(&digest);
    bth_raise(&error);
    return "";
}
