// Values and fields: between C and the contract, and from any value to the type that a node wants.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

// Values of C's types

berth_value berth_boolean_value(bool x) { return (berth_value){.kind = BERTH_BOOLEAN, .boolean = x}; }

berth_value berth_integer_value(berth_wide x) {
    if (x > (berth_wide)UINT64_MAX || x < -(berth_wide)UINT64_MAX) {
        berth_fail(BERTH_INVALID_ARGUMENT, "an integer has more than 64 bits");
        return (berth_value){.kind = BERTH_NOTHING};
    }
    return (berth_value){.kind = BERTH_INTEGER, .integer = x};
}

berth_value berth_number_value(double x) { return (berth_value){.kind = BERTH_NUMBER_VALUE, .number = x}; }

berth_value berth_text_value(const char *x) {
    if (!x) return (berth_value){.kind = BERTH_NOTHING};
    return (berth_value){.kind = BERTH_TEXT_VALUE, .size = strlen(x), .text = x};
}

berth_value berth_bytes_value(const void *x, size_t size) {
    return (berth_value){.kind = BERTH_BYTES, .size = size, .bytes = x};
}

#define HANDLE_VALUE(name, KIND) \
    berth_value berth_##name##_value(berth_##name *x) { \
        return (berth_value){.kind = x ? KIND : BERTH_NOTHING, .name = x}; \
    }

HANDLE_VALUE(tensor, BERTH_TENSOR)
HANDLE_VALUE(model, BERTH_MODEL_FILE)
HANDLE_VALUE(function, BERTH_FUNCTION)
HANDLE_VALUE(object, BERTH_OBJECT)
HANDLE_VALUE(items, BERTH_ITEMS)

berth_value berth_same_value(berth_value x) { return x; }

// From the contract

berth_value bth_take_value(bth_value *value) {
    berth_value taken = {.kind = BERTH_NOTHING};
    switch (value->tag) {
    case BERTH_NODE_VALUES_VALUE_BOOLEAN:
        return berth_boolean_value(value->val.boolean);
    case BERTH_NODE_VALUES_VALUE_INTEGER: {
        berth_node_values_wide_integer_t wide = value->val.integer;
        berth_wide magnitude = (berth_wide)wide.high << 32 | wide.low;
        return berth_integer_value(wide.negative ? -magnitude : magnitude);
    }
    case BERTH_NODE_VALUES_VALUE_NUMBER:
        return berth_number_value(value->val.number);
    case BERTH_NODE_VALUES_VALUE_TEXT:
        taken = (berth_value){.kind = BERTH_TEXT_VALUE, .size = value->val.text.len};
        taken.text = bth_take_text(&value->val.text);
        return taken;
    case BERTH_NODE_VALUES_VALUE_BYTES: {
        memory_node_list_u8_t *list = &value->val.bytes;
        void *bytes = berth_alloc(list->len);
        if (list->len) memcpy(bytes, list->ptr, list->len);
        taken = berth_bytes_value(bytes, list->len);
        memory_node_list_u8_free(list);
        return taken;
    }
    case BERTH_NODE_VALUES_VALUE_TENSOR:
        return berth_tensor_value(bth_new(BTH_TENSOR, sizeof(berth_tensor), value->val.tensor.__handle));
    case BERTH_NODE_VALUES_VALUE_MODEL:
        return berth_model_value(bth_new(BTH_MODEL, sizeof(berth_model), value->val.model.__handle));
    case BERTH_NODE_VALUES_VALUE_FUNCTION:
        return berth_function_value(bth_new(BTH_FUNCTION, sizeof(berth_function), value->val.function.__handle));
    case BERTH_NODE_VALUES_VALUE_OBJECT:
        return berth_object_value(bth_new(BTH_OBJECT, sizeof(berth_object), value->val.object.__handle));
    case BERTH_NODE_VALUES_VALUE_ITEMS:
        return berth_items_value(bth_new(BTH_ITEMS, sizeof(berth_items), value->val.items.__handle));
    default:
        return taken;
    }
}

berth_fields *bth_take_fields(bth_named *named, const char *place) {
    berth_fields *fields = berth_fields_new();
    fields->place = place ? bth_copy(place, strlen(place)) : NULL;
    fields->at = bth_malloc(named->len * sizeof(bth_field));
    fields->count = named->len;
    for (size_t i = 0; i < named->len; i++) {
        bth_string *name = &named->ptr[i].name;
        fields->at[i].name = bth_copy((const char *)name->ptr, name->len);
        fields->at[i].value = bth_take_value(&named->ptr[i].value);
        memory_node_string_free(name);
    }
    if (named->len) free(named->ptr);
    return fields;
}

// To the contract

bool bth_give_value(berth_value value, bth_value *given) {
    memset(given, 0, sizeof *given);
    switch (value.kind) {
    case BERTH_NOTHING:
        return false;
    case BERTH_BOOLEAN:
        given->tag = BERTH_NODE_VALUES_VALUE_BOOLEAN;
        given->val.boolean = value.boolean;
        return true;
    case BERTH_INTEGER: {
        uint64_t magnitude = (uint64_t)(value.integer < 0 ? -value.integer : value.integer);
        given->tag = BERTH_NODE_VALUES_VALUE_INTEGER;
        given->val.integer.negative = value.integer < 0;
        given->val.integer.high = (uint32_t)(magnitude >> 32);
        given->val.integer.low = (uint32_t)magnitude;
        return true;
    }
    case BERTH_NUMBER_VALUE:
        given->tag = BERTH_NODE_VALUES_VALUE_NUMBER;
        given->val.number = value.number;
        return true;
    case BERTH_TEXT_VALUE:
        given->tag = BERTH_NODE_VALUES_VALUE_TEXT;
        given->val.text = (bth_string){(uint8_t *)bth_copy(value.text, value.size), value.size};
        return true;
    case BERTH_BYTES:
        given->tag = BERTH_NODE_VALUES_VALUE_BYTES;
        given->val.bytes = (memory_node_list_u8_t){(uint8_t *)bth_copy(value.bytes, value.size), value.size};
        return true;
    case BERTH_TENSOR:
        given->tag = BERTH_NODE_VALUES_VALUE_TENSOR;
        given->val.tensor = berth_node_tensors_method_tensor_share(BTH_HANDLE(bth_borrow_tensor, value.tensor));
        return true;
    case BERTH_MODEL_FILE:
        given->tag = BERTH_NODE_VALUES_VALUE_MODEL;
        given->val.model =
            berth_node_models_method_model_share(BTH_HANDLE(berth_node_models_borrow_model_t, value.model));
        return true;
    case BERTH_FUNCTION:
        given->tag = BERTH_NODE_VALUES_VALUE_FUNCTION;
        given->val.function =
            berth_node_values_method_function_share(BTH_HANDLE(berth_node_values_borrow_function_t, value.function));
        return true;
    case BERTH_OBJECT:
        given->tag = BERTH_NODE_VALUES_VALUE_OBJECT;
        given->val.object =
            berth_node_values_method_object_share(BTH_HANDLE(berth_node_values_borrow_object_t, value.object));
        return true;
    case BERTH_ITEMS:
        given->tag = BERTH_NODE_VALUES_VALUE_ITEMS;
        given->val.items =
            berth_node_values_method_value_list_share(BTH_HANDLE(berth_node_values_borrow_value_list_t, value.items));
        return true;
    }
    return false;
}

bth_named bth_give_fields(const berth_fields *fields) {
    bth_named named = {NULL, fields ? fields->count : 0};
    if (named.len) named.ptr = bth_malloc(named.len * sizeof *named.ptr);
    for (size_t i = 0; i < named.len; i++) {
        named.ptr[i].name = bth_owned_text(fields->at[i].name);
        bth_give_value(fields->at[i].value, &named.ptr[i].value);
    }
    return named;
}

void bth_free_named(bth_named *named) { berth_node_values_list_named_value_free(named); }

// What errors say

const char *berth_describe_value(berth_value value) {
    static const char *const kinds[] = {"nothing", "a boolean",    "an integer", "a number",  "a text", "bytes",
                                        "a tensor", "a model file", "a function", "an object", "a list"};
    if (value.kind == BERTH_OBJECT && !berth_failed()) return berth_format("a %s", berth_type_name(value.object));
    if (value.kind != BERTH_TENSOR || berth_failed()) return kinds[value.kind];
    berth_dims shape = berth_shape(value.tensor);
    char dims[BERTH_MAX_RANK * 12 + 1] = "";
    for (uint32_t i = 0, end = 0; i < shape.count; i++) {
        end += (uint32_t)snprintf(dims + end, sizeof dims - end, i ? ", %u" : "%u", (unsigned)shape.at[i]);
    }
    return berth_format("a %s tensor of [%s]", berth_dtype_name(berth_dtype_of(value.tensor)), dims);
}

/// Where a value was found, for errors; all may be NULL.
typedef struct origin {
    const char *place, *name;
} origin;

static void mismatch(origin from, const char *expected, berth_value value) {
    if (berth_failed()) return;
    const char *text = berth_format("expected %s, got %s", expected, berth_describe_value(value));
    bth_invalid_at(from.place, from.name, text);
}

/// Whether a value is of a kind; otherwise, an error.
static bool is(origin from, berth_value value, berth_kind kind, const char *expected) {
    if (berth_failed()) return false;
    if (value.kind != kind) mismatch(from, expected, value);
    return value.kind == kind;
}

// From a value to a type: each for `berth_as_…` and `berth_get_…`.

static bool boolean_of(origin from, berth_value value) {
    return is(from, value, BERTH_BOOLEAN, "a boolean") && value.boolean;
}

static int64_t int_of(origin from, berth_value value) {
    if (!is(from, value, BERTH_INTEGER, "an integer")) return 0;
    if (value.integer >= INT64_MIN && value.integer <= INT64_MAX) return (int64_t)value.integer;
    bth_invalid_at(from.place, from.name, "an integer from -9223372036854775808 to 9223372036854775807 was expected");
    return 0;
}

static uint64_t uint_of(origin from, berth_value value) {
    if (!is(from, value, BERTH_INTEGER, "an integer")) return 0;
    if (value.integer >= 0) return (uint64_t)value.integer;
    bth_invalid_at(from.place, from.name, "an integer from 0 to 18446744073709551615 was expected");
    return 0;
}

static double number_of(origin from, berth_value value) {
    return is(from, value, BERTH_NUMBER_VALUE, "a number") ? value.number : 0;
}

static const char *text_of(origin from, berth_value value) {
    return is(from, value, BERTH_TEXT_VALUE, "a text") ? value.text : "";
}

static const void *bytes_of(origin from, berth_value value, size_t *size) {
    bool right = is(from, value, BERTH_BYTES, "bytes");
    if (size) *size = right ? value.size : 0;
    return right ? value.bytes : NULL;
}

static berth_tensor *tensor_of(origin from, berth_value value) {
    return is(from, value, BERTH_TENSOR, "a tensor") ? value.tensor : NULL;
}

/// A `f32` tensor of so many dimensions.
static berth_tensor *ranked(origin from, berth_value value, uint32_t rank, const char *expected) {
    if (!is(from, value, BERTH_TENSOR, expected)) return NULL;
    if (berth_dtype_of(value.tensor) == BERTH_F32 && berth_rank(value.tensor) == rank) return value.tensor;
    mismatch(from, expected, value);
    return NULL;
}

static berth_tensor *image_of(origin from, berth_value value) {
    return ranked(from, value, 4, "a f32 tensor [batch, height, width, channels]");
}

static berth_tensor *mask_of(origin from, berth_value value) {
    return ranked(from, value, 3, "a f32 tensor [batch, height, width]");
}

static berth_model *model_of(origin from, berth_value value) {
    return is(from, value, BERTH_MODEL_FILE, "a model file") ? value.model : NULL;
}

static berth_function *function_of(origin from, berth_value value) {
    return is(from, value, BERTH_FUNCTION, "a function") ? value.function : NULL;
}

static berth_object *object_of(origin from, berth_value value, const char *type) {
    const char *expected = type ? berth_format("a %s", type) : "an object";
    if (!is(from, value, BERTH_OBJECT, expected)) return NULL;
    if (!type || strcmp(berth_type_name(value.object), type) == 0) return value.object;
    mismatch(from, expected, value);
    return NULL;
}

static berth_items *items_of(origin from, berth_value value) {
    return is(from, value, BERTH_ITEMS, "a list") ? value.items : NULL;
}

static origin origin_of(const berth_fields *fields, const char *name) {
    return (origin){fields ? fields->place : NULL, name};
}

/// Both functions of a type.
#define TYPE(type, name) \
    type berth_as_##name(berth_value value) { return name##_of((origin){0}, value); } \
    type berth_get_##name(const berth_fields *fields, const char *field) { \
        return name##_of(origin_of(fields, field), berth_get(fields, field)); \
    }

TYPE(bool, boolean)
TYPE(int64_t, int)
TYPE(uint64_t, uint)
TYPE(double, number)
TYPE(const char *, text)
TYPE(berth_tensor *, tensor)
TYPE(berth_tensor *, image)
TYPE(berth_tensor *, mask)
TYPE(berth_model *, model)
TYPE(berth_function *, function)
TYPE(berth_items *, items)

const void *berth_as_bytes(berth_value value, size_t *size) { return bytes_of((origin){0}, value, size); }

const void *berth_get_bytes(const berth_fields *fields, const char *name, size_t *size) {
    return bytes_of(origin_of(fields, name), berth_get(fields, name), size);
}

berth_object *berth_as_object(berth_value value, const char *type) { return object_of((origin){0}, value, type); }

berth_object *berth_get_object(const berth_fields *fields, const char *name, const char *type) {
    return object_of(origin_of(fields, name), berth_get(fields, name), type);
}

size_t berth_get_choice(const berth_fields *fields, const char *name, berth_texts options) {
    const char *chosen = berth_get_text(fields, name);
    if (berth_failed()) return 0;
    for (size_t i = 0; i < options.count; i++) {
        if (strcmp(options.at[i], chosen) == 0) return i;
    }
    bth_invalid_at(fields->place, name, berth_format("`%s` is not one of the options", chosen));
    return 0;
}

// Fields

berth_fields *berth_fields_new(void) { return bth_new(BTH_FIELDS, sizeof(berth_fields), 0); }

static bth_field *find(const berth_fields *fields, const char *name) {
    for (size_t i = 0; fields && name && i < fields->count; i++) {
        if (strcmp(fields->at[i].name, name) == 0) return &fields->at[i];
    }
    return NULL;
}

void berth_set_value(berth_fields *fields, const char *name, berth_value value) {
    BTH_NEED(, fields, name);
    if (value.kind == BERTH_NOTHING) return;
    bth_field *field = find(fields, name);
    if (!field) {
        bth_field *grown = bth_malloc((fields->count + 1) * sizeof *grown);
        if (fields->count) memcpy(grown, fields->at, fields->count * sizeof *grown);
        free(fields->at);
        fields->at = grown;
        field = &fields->at[fields->count++];
        field->name = bth_copy(name, strlen(name));
    }
    field->value = value;
}

size_t berth_field_count(const berth_fields *fields) { return fields ? fields->count : 0; }

const char *berth_field_name(const berth_fields *fields, size_t index) {
    return fields && index < fields->count ? fields->at[index].name : "";
}

bool berth_has(const berth_fields *fields, const char *name) { return find(fields, name) != NULL; }

berth_value berth_find(const berth_fields *fields, const char *name) {
    bth_field *field = find(fields, name);
    return field ? field->value : (berth_value){.kind = BERTH_NOTHING};
}

berth_value berth_get(const berth_fields *fields, const char *name) {
    BTH_NEED((berth_value){.kind = BERTH_NOTHING}, fields, name);
    if (!berth_has(fields, name)) bth_invalid_at(fields->place, NULL, berth_format("`%s` is missing", name));
    return berth_find(fields, name);
}
