// Texts between C, where a 0 ends them, and the contract, which counts their bytes.

#include <stdlib.h>
#include <string.h>

#include "internal.h"

bth_string bth_text(const char *text) {
    return (bth_string){(uint8_t *)(text ? text : ""), text ? strlen(text) : 0};
}

bth_string bth_owned_text(const char *text) {
    size_t size = text ? strlen(text) : 0;
    return (bth_string){(uint8_t *)bth_copy(text, size), size};
}

const char *bth_take_text(bth_string *text) {
    char *copy = berth_alloc(text->len + 1);
    if (text->len) memcpy(copy, text->ptr, text->len);
    memory_node_string_free(text);
    return copy;
}

berth_texts bth_take_texts(bth_strings *texts) {
    const char **at = berth_alloc(texts->len * sizeof *at);
    for (size_t i = 0; i < texts->len; i++) {
        char *copy = berth_alloc(texts->ptr[i].len + 1);
        if (texts->ptr[i].len) memcpy(copy, texts->ptr[i].ptr, texts->ptr[i].len);
        at[i] = copy;
    }
    berth_texts taken = {texts->len, at};
    memory_node_list_string_free(texts);
    return taken;
}

bool berth_contains(berth_texts texts, const char *text) {
    for (size_t i = 0; text && i < texts.count; i++) {
        if (strcmp(texts.at[i], text) == 0) return true;
    }
    return false;
}
