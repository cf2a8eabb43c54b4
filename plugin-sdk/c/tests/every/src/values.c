#include "check.h"

void run_values(const berth_fields *inputs, berth_outputs *outputs) {
    CHECK(berth_get_uint(inputs, "seed") == UINT64_MAX && berth_get_int(inputs, "low") == INT64_MIN);
    CHECK(berth_get_boolean(inputs, "flag") && strcmp(berth_get_text(inputs, "words"), "ä\nb") == 0);
    CHECK(berth_get_choice(inputs, "mode", (berth_texts){2, (const char *[]){"one", "two"}}) == 1);
    CHECK(!berth_has(inputs, "left_out") && berth_get_text(inputs, "unique-id")[0] && strstr(berth_get_text(inputs, "prompt"), "class_type"));
    CHECK(berth_get_image(inputs, "any") && berth_get(inputs, "any").kind == BERTH_TENSOR);
    berth_get_mask(inputs, "any");
    CHECK(caught(BERTH_INVALID_ARGUMENT, "Values: `any`: expected a f32 tensor [batch, height, width], got a f32 tensor of ["));
    berth_get_int(inputs, "seed");
    CHECK(caught(BERTH_INVALID_ARGUMENT, "Values: `seed`: an integer from"));
    berth_get_uint(inputs, "low");
    CHECK(caught(BERTH_INVALID_ARGUMENT, "from 0"));
    berth_get_number(inputs, "seed");
    CHECK(caught(BERTH_INVALID_ARGUMENT, "Values: `seed`: expected a number, got an integer"));
    berth_get_number(inputs, "left_out");
    CHECK(caught(BERTH_INVALID_ARGUMENT, "Values: `left_out` is missing"));

    berth_fields *fields = berth_fields_new();
    berth_set(fields, "a", true);
    berth_set(fields, "a", 5);
    berth_set(fields, "b", UINT64_MAX);
    berth_set(fields, "c", INT64_MIN);
    berth_set(fields, "d", 0.5);
    berth_set(fields, "e", "text");
    berth_set(fields, "f", berth_bytes_value("\0x", 2));
    berth_set(fields, "g", berth_ones(BERTH_F32, BERTH_DIMS(1)));
    berth_set(fields, "h", (berth_tensor *)NULL);
    berth_set(fields, "i", berth_items_new((berth_value[]){BERTH_VALUE(1), BERTH_VALUE("x")}, 2));
    berth_set(fields, "j", berth_object_new("EMPTY", NULL));
    berth_set(fields, "k", berth_model_open("upscale_models", "tiny-upscaler.safetensors"));
    berth_set(fields, "l", false);
    CHECK(berth_field_count(fields) == 11 && strcmp(berth_field_name(fields, 1), "b") == 0);
    berth_object *object = berth_object_new("MINE", fields);
    CHECK(strcmp(berth_type_name(object), "MINE") == 0 && berth_field_names(object).count == 11);
    berth_fields *back = berth_fields_of(object);
    size_t size;
    CHECK(berth_get_int(back, "a") == 5 && berth_get_uint(back, "b") == UINT64_MAX && berth_get_int(back, "c") == INT64_MIN);
    CHECK(berth_get_number(back, "d") == 0.5 && strcmp(berth_get_text(back, "e"), "text") == 0);
    CHECK(((const char *)berth_get_bytes(back, "f", &size))[1] == 'x' && size == 2 && HAS(berth_get_tensor(back, "g"), 1));
    CHECK(!berth_has(back, "h") && !berth_get_boolean(back, "l") && berth_get_object(back, "j", NULL));
    berth_items *items = berth_get_items(back, "i");
    CHECK(berth_length(items) == 2 && berth_as_int(berth_item(items, 0)) == 1 && strcmp(berth_as_text(berth_item(items, 1)), "x") == 0);
    berth_item(items, 2);
    CHECK(caught(BERTH_NOT_FOUND, ""));
    berth_object_get(object, "nothing");
    CHECK(caught(BERTH_INVALID_ARGUMENT, "MINE: `nothing` is missing"));
    berth_get_object(back, "j", "LATENT");
    CHECK(caught(BERTH_INVALID_ARGUMENT, "MINE: `j`: expected a LATENT, got a EMPTY"));
    CHECK(berth_object_find(object, "nothing").kind == BERTH_NOTHING && berth_as_number(berth_object_get(object, "d")) == 0.5);
    berth_fields *changed = berth_fields_new();
    berth_set(changed, "d", 0.75);
    object = berth_replace(object, changed);
    CHECK(berth_as_number(berth_object_get(object, "d")) == 0.75 && berth_field_names(object).count == 11);

    berth_model *model = berth_get_model(back, "k");
    CHECK(strcmp(berth_model_label(model), "tiny-upscaler.safetensors") == 0);
    CHECK(berth_contains(berth_model_keys(model), "0.weight") && !berth_contains(berth_model_keys(model), "x"));
    berth_tensor_info info = berth_model_info(model, "0.weight");
    CHECK(info.found && info.shape.count == 4 && !berth_model_info(model, "x").found);
    CHECK(berth_rank(berth_model_weight(model, "0.weight")) == 4 && berth_dtype_of(berth_model_weight(model, "0.weight")) == info.dtype);
    CHECK(berth_model_metadata(model, "nothing") == NULL);
    berth_texts names = berth_model_metadata_names(model);
    for (size_t i = 0; i < names.count; i++) CHECK(berth_model_metadata(model, names.at[i]));
    CHECK(berth_contains(berth_models_available("upscale_models"), "tiny-upscaler.safetensors"));
    berth_model_weight(model, "x");
    CHECK(caught(BERTH_NOT_FOUND, ""));
    berth_model_open("upscale_models", "nothing.safetensors");
    CHECK(caught(BERTH_NOT_FOUND, ""));
    berth_model_open("checkpoints", "nothing.safetensors");
    CHECK(caught(BERTH_ACCESS_DENIED, ""));

    CHECK(berth_model_label(berth_share(model))[0] && berth_length(berth_share(items)) == 2);
    CHECK(strcmp(berth_type_name(berth_share(object)), "MINE") == 0);

    // A function that fails in each way: the error comes back as it was.
    static const berth_error_kind kinds[] = {BERTH_INVALID_ARGUMENT, BERTH_ACCESS_DENIED, BERTH_NOT_FOUND, BERTH_QUOTA_EXCEEDED,
                                             BERTH_OUT_OF_MEMORY, BERTH_UNSUPPORTED, BERTH_FAILED, BERTH_OTHER, BERTH_CANCELLED};
    berth_fields *captures = berth_fields_new();
    berth_set(captures, "text", "captured");
    berth_function *fail = berth_share(berth_function_new("fail", captures));
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        berth_fields *arguments = berth_fields_new();
        berth_set(arguments, "kind", kinds[i]);
        berth_call(fail, arguments);
        berth_error e = berth_catch();
        CHECK(e.kind == kinds[i]);
        bool short_of = e.kind == BERTH_QUOTA_EXCEEDED || e.kind == BERTH_OUT_OF_MEMORY;
        CHECK(short_of ? e.shortage.requested == 1 && e.shortage.limit == 2 && e.shortage.used == 3 && e.shortage.tier == BERTH_HOST
                       : strcmp(e.message, e.kind == BERTH_CANCELLED ? "cancelled" : "captured") == 0);
        CHECK(e.kind != BERTH_FAILED || (strcmp(e.code, "code") == 0 && strcmp(e.hint, "hint") == 0));
        berth_log(BERTH_INFO, "%d: %s", e.kind, e.message);
    }
    berth_call(berth_function_new("no-such", NULL), NULL);
    CHECK(berth_catch().kind != BERTH_NO_ERROR);
    berth_call(berth_function_new("trap", NULL), NULL);
    CHECK(caught(BERTH_OTHER, ""));
    berth_give(outputs, "values");
    berth_give(outputs, berth_get(inputs, "any"));
    berth_give(outputs, UINT64_MAX);
}
