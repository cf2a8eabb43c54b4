#include "check.h"


void run_tensors(const berth_fields *inputs, berth_outputs *outputs) {
    (void)inputs;
    berth_tensor *x = berth_from(BERTH_DIMS(2, 3), ((float[]){1, 2, 3, 4, 5, 6}), 6);
    CHECK(berth_dtype_of(x) == BERTH_F32 && berth_rank(x) == 2 && berth_elements(x) == 6);
    CHECK(berth_dim(x, 0) == 2 && berth_dim(x, -1) == 3 && berth_shape(x).at[1] == 3);
    CHECK(HAS(x, 1, 2, 3, 4, 5, 6));
    CHECK(HAS(berth_from(BERTH_DIMS(2), ((uint8_t[]){1, 255}), 2), 1, 255));
    CHECK(HAS(berth_from(BERTH_DIMS(2), ((uint32_t[]){1, 4000000000u}), 2), 1, 4e9));
    CHECK(HAS(berth_from(BERTH_DIMS(2), ((int32_t[]){1, -5}), 2), 1, -5));
    CHECK(HAS(berth_from(BERTH_DIMS(2), ((int64_t[]){1, -50}), 2), 1, -50));
    CHECK(HAS(berth_from(BERTH_SCALAR, ((double[]){0.5}), 1), 0.5));
    CHECK(HAS(berth_full(BERTH_F32, BERTH_DIMS(2), 7), 7, 7) && HAS(berth_zeros(BERTH_F32, BERTH_DIMS(1)), 0));
    CHECK(HAS(berth_ones(BERTH_I32, BERTH_DIMS(3)), 1, 1, 1) && HAS(berth_arange(BERTH_F32, 1, 0.5, 3), 1, 1.5, 2));
    size_t count;
    CHECK(berth_to_f32(x, &count)[5] == 6 && count == 6 && berth_to_u8(x, NULL)[5] == 6);
    CHECK(berth_to_u32(x, NULL)[5] == 6 && berth_to_i32(x, NULL)[5] == 6 && berth_to_i64(x, NULL)[5] == 6);
    CHECK(berth_number_of(berth_full(BERTH_F16, BERTH_DIMS(1, 1), 0.5)) == 0.5);
    CHECK(((float *)berth_to_bytes(x, &count))[1] == 2 && count == 24);
    // Larger than a piece, there and back.
    size_t many = 700001;
    float *numbers = berth_alloc(many * sizeof *numbers);
    for (size_t i = 0; i < many; i++) numbers[i] = (float)i;
    berth_tensor *large = berth_from(BERTH_DIMS(many), numbers, many);
    float *back = berth_to_f32(large, &count);
    CHECK(count == many && memcmp(numbers, back, many * sizeof *numbers) == 0);
    berth_drop(back);
    berth_drop(large);
    berth_drop(large);
    berth_upload *upload = berth_upload_begin(BERTH_F32, BERTH_DIMS(3));
    berth_upload_write(upload, 4, (float[]){8}, 4);
    CHECK(HAS(berth_upload_finish(upload), 0, 8, 0));
    berth_upload_write(upload, 0, "late", 4);
    CHECK(caught(BERTH_INVALID_ARGUMENT, ""));
    berth_generator *generator = berth_seeded(UINT64_MAX);
    CHECK(berth_elements(berth_normal(generator, BERTH_DIMS(4))) == 4);
    CHECK(berth_to_f32(berth_uniform(generator, BERTH_DIMS(4)), NULL)[3] < 1);
    // torch.manual_seed(0); torch.randn(2) is 1.5410, -0.2934.
    CHECK(HAS(berth_normal(berth_seeded(0), BERTH_DIMS(2)), 1.5409960746765137, -0.293428897857666));
    // Scopes.
    berth_scope outer = berth_begin();
    berth_tensor *sum = x;
    for (int i = 0; i < 10; i++) {
        berth_scope inner = berth_begin();
        sum = berth_add(berth_mul(sum, 1.0), 1.0);
        sum = berth_end(inner, sum);
    }
    sum = berth_end(outer, sum);
    CHECK(HAS(sum, 11, 12, 13, 14, 15, 16));
    berth_tensor *second = berth_share(sum);
    berth_drop(sum);
    CHECK(HAS(second, 11, 12, 13, 14, 15, 16) && !berth_share(numbers) && !berth_share(NULL));
    CHECK(strcmp(berth_dtype_name(BERTH_Q4_0), "q4_0") == 0 && berth_dtype_size(BERTH_F64) == 8);
    // Errors.
    berth_from(BERTH_DIMS(2), ((float[]){1}), 1);
    CHECK(caught(BERTH_INVALID_ARGUMENT, "8 bytes, not 4"));
    berth_dim(x, 2);
    CHECK(caught(BERTH_INVALID_ARGUMENT, "a f32 tensor of [2, 3] has no axis 2"));
    CHECK(!berth_read(x, 20, numbers, 8) && caught(BERTH_INVALID_ARGUMENT, ""));
    berth_number_of(x);
    CHECK(caught(BERTH_INVALID_ARGUMENT, "one element"));
    berth_tensor *nothing = berth_relu(berth_reshape(x, BERTH_DIMS(5)));
    bool poisoned = !nothing && berth_failed() && berth_pending()->kind == BERTH_INVALID_ARGUMENT;
    berth_catch();
    CHECK(poisoned);
    berth_relu(NULL);
    CHECK(caught(BERTH_INVALID_ARGUMENT, "berth_relu"));
    berth_give(outputs, "tensors");
}
