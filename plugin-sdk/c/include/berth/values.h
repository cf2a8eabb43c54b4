/// Values: what travels on wires, in objects, and in and out of functions.
///
/// A value's kind is its type, and nothing is converted on the way: a number is not an integer, even
/// where it has no fraction.
#ifndef BERTH_VALUES_H
#define BERTH_VALUES_H

#include "tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

/// What a value is.
typedef enum berth_kind {
    /// There is no value.
    BERTH_NOTHING,
    BERTH_BOOLEAN,
    BERTH_INTEGER,
    BERTH_NUMBER_VALUE,
    BERTH_TEXT_VALUE,
    BERTH_BYTES,
    BERTH_TENSOR,
    BERTH_MODEL_FILE,
    BERTH_FUNCTION,
    BERTH_OBJECT,
    BERTH_ITEMS,
} berth_kind;

/// One value.
typedef struct berth_value {
    /// Which of the members below it is.
    berth_kind kind;
    /// Bytes of the text, without the 0 after it, or of the bytes.
    size_t size;
    union {
        /// True or false.
        bool boolean;
        /// An integer of up to 64 bits, signed or unsigned.
        berth_wide integer;
        /// A floating-point number of 64 bits.
        double number;
        /// A text, in UTF-8, with a 0 after it.
        const char *text;
        /// Bytes as they are.
        const void *bytes;
        /// A tensor.
        berth_tensor *tensor;
        /// An open model file.
        berth_model *model;
        /// A function of a plugin.
        berth_function *function;
        /// Named values.
        berth_object *object;
        /// Values in order.
        berth_items *items;
    };
} berth_value;

/// True or false as a value.
berth_value berth_boolean_value(bool x);
/// An integer as a value. Error: `BERTH_INVALID_ARGUMENT` for more than 64 bits.
berth_value berth_integer_value(berth_wide x);
/// A number as a value.
berth_value berth_number_value(double x);
/// A text as a value; NULL is no value.
berth_value berth_text_value(const char *x);
/// Bytes as a value. They are not copied until they are given away.
berth_value berth_bytes_value(const void *x, size_t size);
/// A tensor as a value; NULL, here and below, is no value.
berth_value berth_tensor_value(berth_tensor *x);
/// A model file as a value.
berth_value berth_model_value(berth_model *x);
/// A function as a value.
berth_value berth_function_value(berth_function *x);
/// An object as a value.
berth_value berth_object_value(berth_object *x);
/// A list as a value.
berth_value berth_items_value(berth_items *x);
/// A value as it is.
berth_value berth_same_value(berth_value x);

#ifndef __cplusplus
/// Anything as a value: a C number, a `bool`, a text, a handle.
#define BERTH_VALUE(x) \
    _Generic((x), bool: berth_boolean_value, float: berth_number_value, double: berth_number_value, \
             char *: berth_text_value, const char *: berth_text_value, berth_tensor *: berth_tensor_value, \
             berth_model *: berth_model_value, berth_function *: berth_function_value, \
             berth_object *: berth_object_value, berth_items *: berth_items_value, \
             berth_value: berth_same_value, default: berth_integer_value)(x)
#endif

/// What errors call a value, such as `a f32 tensor of [2, 3]`.
const char *berth_describe_value(berth_value value);

// A value as a type. Error: `BERTH_INVALID_ARGUMENT`, which says what was expected and what came.

/// True or false.
bool berth_as_boolean(berth_value value);
/// An integer that fits; `berth_as_uint` takes the others.
int64_t berth_as_int(berth_value value);
/// An integer from 0 on, such as a seed.
uint64_t berth_as_uint(berth_value value);
/// A number.
double berth_as_number(berth_value value);
/// A text.
const char *berth_as_text(berth_value value);
/// Bytes; `size` (may be NULL) is set to how many.
const void *berth_as_bytes(berth_value value, size_t *size);
/// A tensor.
berth_tensor *berth_as_tensor(berth_value value);
/// A tensor [batch, height, width, channels], `f32`.
berth_tensor *berth_as_image(berth_value value);
/// A tensor [batch, height, width], `f32`.
berth_tensor *berth_as_mask(berth_value value);
/// A model file.
berth_model *berth_as_model(berth_value value);
/// A function.
berth_function *berth_as_function(berth_value value);
/// An object of a type, such as `LATENT`; of any, where `type` is NULL.
berth_object *berth_as_object(berth_value value, const char *type);
/// A list.
berth_items *berth_as_items(berth_value value);

// Fields

/// No fields yet.
berth_fields *berth_fields_new(void);

/// Adds a field, in the place of one of the same name. No value adds nothing, so that what is
/// optional can be set without asking whether it is there.
void berth_set_value(berth_fields *fields, const char *name, berth_value value);

#ifndef __cplusplus
/// Adds a field of anything that `BERTH_VALUE` takes.
#define berth_set(fields, name, x) berth_set_value(fields, name, BERTH_VALUE(x))
#endif

/// How many fields there are.
size_t berth_field_count(const berth_fields *fields);

/// The name of one of them.
const char *berth_field_name(const berth_fields *fields, size_t index);

/// Whether there is a field of this name: whether an optional input was given.
bool berth_has(const berth_fields *fields, const char *name);

/// A field, or no value where there is none of this name.
berth_value berth_find(const berth_fields *fields, const char *name);

/// A field. Error: `BERTH_INVALID_ARGUMENT` when there is none of this name.
berth_value berth_get(const berth_fields *fields, const char *name);

// A field as a type. Error: `BERTH_INVALID_ARGUMENT`, which names the field, when it is missing or of
// another type.

/// True or false.
bool berth_get_boolean(const berth_fields *fields, const char *name);
/// An integer that fits; `berth_get_uint` takes the others.
int64_t berth_get_int(const berth_fields *fields, const char *name);
/// An integer from 0 on, such as a seed.
uint64_t berth_get_uint(const berth_fields *fields, const char *name);
/// A number.
double berth_get_number(const berth_fields *fields, const char *name);
/// A text. The hidden values are texts named `unique-id`, `prompt` and `extra-pnginfo`.
const char *berth_get_text(const berth_fields *fields, const char *name);
/// The place of a text among some: what a choice chose.
size_t berth_get_choice(const berth_fields *fields, const char *name, berth_texts options);
/// Bytes; `size` (may be NULL) is set to how many.
const void *berth_get_bytes(const berth_fields *fields, const char *name, size_t *size);
/// A tensor.
berth_tensor *berth_get_tensor(const berth_fields *fields, const char *name);
/// An `IMAGE`: a tensor [batch, height, width, channels], `f32`, 0…1.
berth_tensor *berth_get_image(const berth_fields *fields, const char *name);
/// A `MASK`: a tensor [batch, height, width], `f32`, 0…1.
berth_tensor *berth_get_mask(const berth_fields *fields, const char *name);
/// A model file.
berth_model *berth_get_model(const berth_fields *fields, const char *name);
/// A function.
berth_function *berth_get_function(const berth_fields *fields, const char *name);
/// An object of a type, such as `LATENT`, `CONDITIONING`, `MODEL`, `CLIP` or `VAE`; of any, where
/// `type` is NULL.
berth_object *berth_get_object(const berth_fields *fields, const char *name, const char *type);
/// A list.
berth_items *berth_get_items(const berth_fields *fields, const char *name);

// Objects

/// An object of these fields. A NULL for fields stands for none.
/// Error: `BERTH_INVALID_ARGUMENT` when two fields have one name.
berth_object *berth_object_new(const char *type_name, const berth_fields *fields);

/// The type name.
const char *berth_type_name(const berth_object *object);

/// The names of the fields, in the order they were given.
berth_texts berth_field_names(const berth_object *object);

/// One field, or no value where there is none of this name.
berth_value berth_object_find(const berth_object *object, const char *name);

/// One field. Error: `BERTH_INVALID_ARGUMENT` that names the type and the field when there is none.
berth_value berth_object_get(const berth_object *object, const char *name);

/// All fields, for `berth_get_number` and its like.
berth_fields *berth_fields_of(const berth_object *object);

/// A copy in which these fields are set, and all others as they were.
berth_object *berth_replace(const berth_object *object, const berth_fields *fields);

// Lists

/// A list of `count` values.
berth_items *berth_items_new(const berth_value *values, size_t count);

/// How many there are.
uint32_t berth_length(const berth_items *items);

/// One of them. Error: `BERTH_NOT_FOUND` past the end.
berth_value berth_item(const berth_items *items, uint32_t index);

// Functions

/// This plugin's own function of that name, one of those in `BERTH_FUNCTIONS`, with values captured
/// (NULL stands for none). Whoever holds it can call it, from any plugin; it runs in a fresh instance of
/// this plugin.
berth_function *berth_function_new(const char *name, const berth_fields *captures);

/// Calls a function and waits for its results. Errors: the function's own; `BERTH_OTHER` when its
/// plugin trapped.
berth_fields *berth_call(const berth_function *function, const berth_fields *arguments);

// Model files

/// Opens a label of a category, such as `checkpoints`, `vae`, `clip` or `loras`. Reads no weight.
/// Errors: `BERTH_NOT_FOUND`, `BERTH_ACCESS_DENIED`, `BERTH_INVALID_ARGUMENT` for a file that is no model.
berth_model *berth_model_open(const char *category, const char *label);

/// The labels of a category that this plugin may open, sorted.
berth_texts berth_models_available(const char *category);

/// The label it was opened by.
const char *berth_model_label(const berth_model *model);

/// The keys of all tensors, sorted.
berth_texts berth_model_keys(const berth_model *model);

/// What a model's header says of one tensor.
typedef struct berth_tensor_info {
    /// Whether there is such a tensor.
    bool found;
    /// The element type.
    berth_dtype dtype;
    /// The dimensions, outermost first.
    berth_dims shape;
} berth_tensor_info;

/// Element type and shape of one tensor, without reading it.
berth_tensor_info berth_model_info(const berth_model *model, const char *key);

/// The tensor of a key. Nothing is read yet. Error: `BERTH_NOT_FOUND`.
berth_tensor *berth_model_weight(const berth_model *model, const char *key);

/// One entry of the file's metadata, or NULL.
const char *berth_model_metadata(const berth_model *model, const char *name);

/// The names of the file's metadata.
berth_texts berth_model_metadata_names(const berth_model *model);

#ifdef __cplusplus
}
#endif
#endif
