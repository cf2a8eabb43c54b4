// The pending error, and its way to and from the contract.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

static berth_error pending = {.message = "", .code = "", .hint = ""};

bool berth_failed(void) { return pending.kind != BERTH_NO_ERROR; }

const berth_error *berth_pending(void) { return &pending; }

berth_error berth_catch(void) {
    berth_error caught = pending;
    pending = (berth_error){.message = "", .code = "", .hint = ""};
    return caught;
}

static const char *kept(const char *text) { return text ? bth_copy_for_run(text, strlen(text)) : ""; }

void berth_raise(const berth_error *error) {
    if (berth_failed() || !error || error->kind == BERTH_NO_ERROR) return;
    pending = *error;
    pending.message = kept(error->message);
    pending.code = kept(error->code);
    pending.hint = kept(error->hint);
}

void berth_fail(berth_error_kind kind, const char *format, ...) {
    if (berth_failed() || kind == BERTH_NO_ERROR) return;
    va_list arguments;
    va_start(arguments, format);
    char text[1024];
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    berth_raise(&(berth_error){.kind = kind, .message = text});
}

void berth_failure(const char *code, const char *message, const char *hint) {
    berth_raise(&(berth_error){.kind = BERTH_FAILED, .code = code, .message = message, .hint = hint});
}

bool bth_ready(const char *operation, const void *const *operands, size_t count) {
    if (berth_failed()) return false;
    for (size_t i = 0; i < count; i++) {
        if (operands[i]) continue;
        berth_fail(BERTH_INVALID_ARGUMENT, "%s: argument %zu of those that cannot be left out is NULL", operation, i + 1);
        return false;
    }
    return true;
}

void bth_invalid_at(const char *place, const char *name, const char *text) {
    berth_fail(BERTH_INVALID_ARGUMENT, "%s%s%s%s%s%s", place ? place : "", place ? ": " : "", name ? "`" : "",
               name ? name : "", name ? "`: " : "", text);
}

static const char *run_text(bth_string text) { return bth_copy_for_run((const char *)text.ptr, text.len); }

static berth_shortage shortage_of(berth_node_types_shortage_t from) {
    return (berth_shortage){(berth_tier)from.tier, from.requested, from.limit, from.used};
}

/// A text for what went wrong where the contract has none.
static const char *said(const char *what, berth_shortage shortage) {
    static const char *const tiers[] = {"device", "host", "disk"};
    char text[256];
    snprintf(text, sizeof text, "%s: an operation needs %llu bytes on the %s, where %llu are allowed and %llu are taken",
             what, (unsigned long long)shortage.requested, tiers[shortage.tier], (unsigned long long)shortage.limit,
             (unsigned long long)shortage.used);
    return bth_copy_for_run(text, strlen(text));
}

void bth_raise(bth_error *error) {
    if (!berth_failed()) {
        berth_error made = {.message = "", .code = "", .hint = ""};
        // The contract's cases are in the order of the enum, which has `no error` before them.
        made.kind = (berth_error_kind)(error->tag + 1);
        switch (made.kind) {
        case BERTH_QUOTA_EXCEEDED:
            made.shortage = shortage_of(error->val.quota_exceeded);
            made.message = said("over the plugin's quota", made.shortage);
            break;
        case BERTH_OUT_OF_MEMORY:
            made.shortage = shortage_of(error->val.out_of_memory);
            made.message = said("out of memory", made.shortage);
            break;
        case BERTH_CANCELLED:
            made.message = "cancelled";
            break;
        case BERTH_FAILED:
            made.code = run_text(error->val.failed.code);
            made.message = run_text(error->val.failed.message);
            made.hint = run_text(error->val.failed.hint);
            break;
        default:
            // All others have one text, at one place.
            made.message = run_text(error->val.other);
            break;
        }
        pending = made;
    }
    berth_node_types_error_free(error);
}

void bth_pending_error(bth_error *error) {
    memset(error, 0, sizeof *error);
    error->tag = (uint8_t)(pending.kind - 1);
    berth_node_types_shortage_t shortage = {
        (berth_node_types_tier_t)pending.shortage.tier,
        pending.shortage.requested,
        pending.shortage.limit,
        pending.shortage.used,
    };
    switch (pending.kind) {
    case BERTH_QUOTA_EXCEEDED:
        error->val.quota_exceeded = shortage;
        break;
    case BERTH_OUT_OF_MEMORY:
        error->val.out_of_memory = shortage;
        break;
    case BERTH_NO_ERROR:
    case BERTH_CANCELLED:
        break;
    case BERTH_FAILED:
        error->val.failed.code = bth_owned_text(pending.code);
        error->val.failed.message = bth_owned_text(pending.message);
        error->val.failed.hint = bth_owned_text(pending.hint);
        break;
    default:
        error->val.other = bth_owned_text(pending.message);
        break;
    }
}
