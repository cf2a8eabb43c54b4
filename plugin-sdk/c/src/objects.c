// What the host holds beside tensors: objects, lists, functions and model files.

#include <stdlib.h>

#include "internal.h"

#define OBJECT(x) BTH_HANDLE(berth_node_values_borrow_object_t, x)
#define MODEL(x) BTH_HANDLE(berth_node_models_borrow_model_t, x)

static berth_object *object(bool done, berth_node_values_own_object_t made, bth_error *error) {
    if (done) return bth_new(BTH_OBJECT, sizeof(berth_object), made.__handle);
    bth_raise(error);
    return NULL;
}

berth_object *berth_object_new(const char *type_name, const berth_fields *fields) {
    BTH_NEED(NULL, type_name);
    bth_string name = bth_text(type_name);
    bth_named named = bth_give_fields(fields);
    berth_node_values_own_object_t made;
    bth_error error;
    bool done = berth_node_values_static_object_create(&name, &named, &made, &error);
    bth_free_named(&named);
    return object(done, made, &error);
}

const char *berth_type_name(const berth_object *object) {
    BTH_NEED("", object);
    bth_string name;
    berth_node_values_method_object_type_name(OBJECT(object), &name);
    return bth_take_text(&name);
}

berth_texts berth_field_names(const berth_object *object) {
    BTH_NEED((berth_texts){0}, object);
    bth_strings names;
    berth_node_values_method_object_field_names(OBJECT(object), &names);
    return bth_take_texts(&names);
}

berth_value berth_object_find(const berth_object *object, const char *name) {
    BTH_NEED((berth_value){.kind = BERTH_NOTHING}, object, name);
    bth_string text = bth_text(name);
    bth_value value;
    if (!berth_node_values_method_object_get(OBJECT(object), &text, &value)) {
        return (berth_value){.kind = BERTH_NOTHING};
    }
    return bth_take_value(&value);
}

berth_value berth_object_get(const berth_object *object, const char *name) {
    berth_value value = berth_object_find(object, name);
    if (value.kind == BERTH_NOTHING && !berth_failed()) {
        bth_invalid_at(berth_type_name(object), NULL, berth_format("`%s` is missing", name));
    }
    return value;
}

berth_fields *berth_fields_of(const berth_object *object) {
    berth_fields *fields = berth_fields_new();
    BTH_NEED(fields, object);
    const char *type = berth_type_name(object);
    bth_named none = {NULL, 0};
    berth_drop(fields);
    fields = bth_take_fields(&none, type);
    berth_texts names = berth_field_names(object);
    for (size_t i = 0; i < names.count; i++) {
        berth_set_value(fields, names.at[i], berth_object_find(object, names.at[i]));
    }
    return fields;
}

berth_object *berth_replace(const berth_object *of, const berth_fields *fields) {
    BTH_NEED(NULL, of, fields);
    bth_named named = bth_give_fields(fields);
    berth_node_values_own_object_t made;
    bth_error error;
    bool done = berth_node_values_method_object_replace(OBJECT(of), &named, &made, &error);
    bth_free_named(&named);
    return object(done, made, &error);
}

// Lists

berth_items *berth_items_new(const berth_value *values, size_t count) {
    BTH_NEED(NULL, count ? (const void *)values : "");
    berth_node_values_list_value_t list = {count ? bth_malloc(count * sizeof(bth_value)) : NULL, 0};
    for (size_t i = 0; i < count; i++) {
        if (bth_give_value(values[i], &list.ptr[list.len])) list.len++;
        else berth_fail(BERTH_INVALID_ARGUMENT, "value %zu of a list is missing", i);
    }
    berth_node_values_own_value_list_t made;
    bth_error error;
    bool done = berth_node_values_static_value_list_create(&list, &made, &error);
    if (list.len) berth_node_values_list_value_free(&list);
    else free(list.ptr);
    if (done) return bth_new(BTH_ITEMS, sizeof(berth_items), made.__handle);
    bth_raise(&error);
    return NULL;
}

uint32_t berth_length(const berth_items *items) {
    BTH_NEED(0, items);
    return berth_node_values_method_value_list_length(BTH_HANDLE(berth_node_values_borrow_value_list_t, items));
}

berth_value berth_item(const berth_items *items, uint32_t index) {
    BTH_NEED((berth_value){.kind = BERTH_NOTHING}, items);
    bth_value value;
    bth_error error;
    berth_node_values_borrow_value_list_t handle = BTH_HANDLE(berth_node_values_borrow_value_list_t, items);
    if (berth_node_values_method_value_list_get(handle, index, &value, &error)) return bth_take_value(&value);
    bth_raise(&error);
    return (berth_value){.kind = BERTH_NOTHING};
}

// Functions

berth_function *berth_function_new(const char *name, const berth_fields *captures) {
    BTH_NEED(NULL, name);
    bth_string text = bth_text(name);
    bth_named named = bth_give_fields(captures);
    berth_node_values_own_function_t made;
    bth_error error;
    bool done = berth_node_values_static_function_create(&text, &named, &made, &error);
    bth_free_named(&named);
    if (done) return bth_new(BTH_FUNCTION, sizeof(berth_function), made.__handle);
    bth_raise(&error);
    return NULL;
}

berth_fields *berth_call(const berth_function *function, const berth_fields *arguments) {
    BTH_NEED(NULL, function);
    bth_named given = bth_give_fields(arguments), results;
    bth_error error;
    berth_node_values_borrow_function_t handle = BTH_HANDLE(berth_node_values_borrow_function_t, function);
    bool done = berth_node_values_method_function_call(handle, &given, &results, &error);
    bth_free_named(&given);
    if (done) return bth_take_fields(&results, "a function's results");
    bth_raise(&error);
    return NULL;
}

// Model files

berth_model *berth_model_open(const char *category, const char *label) {
    BTH_NEED(NULL, category, label);
    bth_string folder = bth_text(category), name = bth_text(label);
    berth_node_models_own_model_t made;
    bth_error error;
    if (berth_node_models_static_model_open(&folder, &name, &made, &error)) {
        return bth_new(BTH_MODEL, sizeof(berth_model), made.__handle);
    }
    bth_raise(&error);
    return NULL;
}

berth_texts berth_models_available(const char *category) {
    BTH_NEED((berth_texts){0}, category);
    bth_string folder = bth_text(category);
    bth_strings labels;
    berth_node_models_available(&folder, &labels);
    return bth_take_texts(&labels);
}

const char *berth_model_label(const berth_model *model) {
    BTH_NEED("", model);
    bth_string label;
    berth_node_models_method_model_label(MODEL(model), &label);
    return bth_take_text(&label);
}

berth_texts berth_model_keys(const berth_model *model) {
    BTH_NEED((berth_texts){0}, model);
    bth_strings keys;
    berth_node_models_method_model_keys(MODEL(model), &keys);
    return bth_take_texts(&keys);
}

berth_tensor_info berth_model_info(const berth_model *model, const char *key) {
    BTH_NEED((berth_tensor_info){0}, model, key);
    bth_string name = bth_text(key);
    berth_node_models_tensor_info_t info;
    if (!berth_node_models_method_model_info(MODEL(model), &name, &info)) return (berth_tensor_info){0};
    return (berth_tensor_info){true, (berth_dtype)info.dtype, bth_take_dims(&info.shape)};
}

berth_tensor *berth_model_weight(const berth_model *model, const char *key) {
    BTH_NEED(NULL, model, key);
    bth_string name = bth_text(key);
    bth_own_tensor made;
    bth_error error;
    return bth_made(berth_node_models_method_model_weight(MODEL(model), &name, &made, &error), &made, &error);
}

const char *berth_model_metadata(const berth_model *model, const char *name) {
    BTH_NEED(NULL, model, name);
    bth_string text = bth_text(name), found;
    return berth_node_models_method_model_metadata(MODEL(model), &text, &found) ? bth_take_text(&found) : NULL;
}

berth_texts berth_model_metadata_names(const berth_model *model) {
    BTH_NEED((berth_texts){0}, model);
    bth_strings names;
    berth_node_models_method_model_metadata_names(MODEL(model), &names);
    return bth_take_texts(&names);
}
