//! Generated from plugin-sdk/c/bindings by translate.py. DO NOT EDIT!

pub const struct_memory_node_string_t = extern struct {
    ptr: [*c]u8 = null,
    len: usize = 0,
};
pub const memory_node_string_t = struct_memory_node_string_t;
pub const berth_node_types_dtype_t = u8;
pub const struct_berth_node_types_wide_integer_t = extern struct {
    negative: bool = false,
    high: u32 = 0,
    low: u32 = 0,
};
pub const berth_node_types_wide_integer_t = struct_berth_node_types_wide_integer_t;
pub const berth_node_types_tier_t = u8;
pub const struct_berth_node_types_shortage_t = extern struct {
    tier: berth_node_types_tier_t = 0,
    requested: u64 = 0,
    limit: u64 = 0,
    used: u64 = 0,
};
pub const berth_node_types_shortage_t = struct_berth_node_types_shortage_t;
pub const struct_berth_node_types_failure_t = extern struct {
    code: memory_node_string_t = @import("std").mem.zeroes(memory_node_string_t),
    message: memory_node_string_t = @import("std").mem.zeroes(memory_node_string_t),
    hint: memory_node_string_t = @import("std").mem.zeroes(memory_node_string_t),
};
pub const berth_node_types_failure_t = struct_berth_node_types_failure_t;
const union_unnamed_1 = extern union {
    invalid_argument: memory_node_string_t,
    access_denied: memory_node_string_t,
    not_found: memory_node_string_t,
    quota_exceeded: berth_node_types_shortage_t,
    out_of_memory: berth_node_types_shortage_t,
    unsupported: memory_node_string_t,
    failed: berth_node_types_failure_t,
    other: memory_node_string_t,
};
pub const struct_berth_node_types_error_t = extern struct {
    tag: u8 = 0,
    val: union_unnamed_1 = @import("std").mem.zeroes(union_unnamed_1),
};
pub const berth_node_types_error_t = struct_berth_node_types_error_t;
pub const berth_node_tensors_dtype_t = berth_node_types_dtype_t;
pub const berth_node_tensors_error_t = berth_node_types_error_t;
pub const berth_node_tensors_wide_integer_t = berth_node_types_wide_integer_t;
pub const struct_berth_node_tensors_own_tensor_t = extern struct {
    __handle: i32 = 0,
};
pub const berth_node_tensors_own_tensor_t = struct_berth_node_tensors_own_tensor_t;
pub const struct_berth_node_tensors_borrow_tensor_t = extern struct {
    __handle: i32 = 0,
};
pub const berth_node_tensors_borrow_tensor_t = struct_berth_node_tensors_borrow_tensor_t;
pub const struct_berth_node_tensors_own_upload_t = extern struct {
    __handle: i32 = 0,
};
pub const berth_node_tensors_own_upload_t = struct_berth_node_tensors_own_upload_t;
pub const struct_berth_node_tensors_borrow_upload_t = extern struct {
    __handle: i32 = 0,
};
pub const berth_node_tensors_borrow_upload_t = struct_berth_node_tensors_borrow_upload_t;
pub const struct_berth_node_tensors_own_generator_t = extern struct {
    __handle: i32 = 0,
};
pub const berth_node_tensors_own_generator_t = struct_berth_node_tensors_own_generator_t;
pub const struct_berth_node_tensors_borrow_generator_t = extern struct {
    __handle: i32 = 0,
};
pub const berth_node_tensors_borrow_generator_t = struct_berth_node_tensors_borrow_generator_t;
pub const memory_node_list_u32_t = extern struct {
    ptr: [*c]u32 = null,
    len: usize = 0,
};
pub const memory_node_list_u8_t = extern struct {
    ptr: [*c]u8 = null,
    len: usize = 0,
};
const union_unnamed_2 = extern union {
    ok: memory_node_list_u8_t,
    err: berth_node_tensors_error_t,
};
pub const berth_node_tensors_result_list_u8_error_t = extern struct {
    is_err: bool = false,
    val: union_unnamed_2 = @import("std").mem.zeroes(union_unnamed_2),
};
const union_unnamed_3 = extern union {
    ok: berth_node_tensors_own_upload_t,
    err: berth_node_tensors_error_t,
};
pub const berth_node_tensors_result_own_upload_error_t = extern struct {
    is_err: bool = false,
    val: union_unnamed_3 = @import("std").mem.zeroes(union_unnamed_3),
};
const union_unnamed_4 = extern union {
    err: berth_node_tensors_error_t,
};
pub const berth_node_tensors_result_void_error_t = extern struct {
    is_err: bool = false,
    val: union_unnamed_4 = @import("std").mem.zeroes(union_unnamed_4),
};
const union_unnamed_5 = extern union {
    ok: berth_node_tensors_own_tensor_t,
    err: berth_node_tensors_error_t,
};
pub const berth_node_tensors_result_own_tensor_error_t = extern struct {
    is_err: bool = false,
    val: union_unnamed_5 = @import("std").mem.zeroes(union_unnamed_5),
};
pub const berth_node_models_dtype_t = berth_node_types_dtype_t;
pub const berth_node_models_error_t = berth_node_types_error_t;
pub const struct_berth_node_models_tensor_info_t = extern struct {
    dtype: berth_node_models_dtype_t = 0,
    shape: memory_node_list_u32_t = @import("std").mem.zeroes(memory_node_list_u32_t),
};
pub const berth_node_models_tensor_info_t = struct_berth_node_models_tensor_info_t;
pub const struct_berth_node_models_own_model_t = extern struct {
    __handle: i32 = 0,
};
pub const berth_node_models_own_model_t = struct_berth_node_models_own_model_t;
pub const struct_berth_node_models_borrow_model_t = extern struct {
    __handle: i32 = 0,
};
pub const berth_node_models_borrow_model_t = struct_berth_node_models_borrow_model_t;
const union_unnamed_6 = extern union {
    ok: berth_node_models_own_model_t,
    err: berth_node_models_error_t,
};
pub const berth_node_models_result_own_model_error_t = extern struct {
    is_err: bool = false,
    val: union_unnamed_6 = @import("std").mem.zeroes(union_unnamed_6),
};
pub const memory_node_option_string_t = extern struct {
    is_some: bool = false,
    val: memory_node_string_t = @import("std").mem.zeroes(memory_node_string_t),
};
pub const memory_node_list_string_t = extern struct {
    ptr: [*c]memory_node_string_t = null,
    len: usize = 0,
};
pub const berth_node_models_option_tensor_info_t = extern struct {
    is_some: bool = false,
    val: berth_node_models_tensor_info_t = @import("std").mem.zeroes(berth_node_models_tensor_info_t),
};
pub const berth_node_models_own_tensor_t = berth_node_tensors_own_tensor_t;
const union_unnamed_7 = extern union {
    ok: berth_node_models_own_tensor_t,
    err: berth_node_models_error_t,
};
pub const berth_node_models_result_own_tensor_error_t = extern struct {
    is_err: bool = false,
    val: union_unnamed_7 = @import("std").mem.zeroes(union_unnamed_7),
};
pub const berth_node_values_error_t = berth_node_types_error_t;
pub const berth_node_values_wide_integer_t = berth_node_types_wide_integer_t;
pub const struct_berth_node_values_own_object_t = extern struct {
    __handle: i32 = 0,
};
pub const berth_node_values_own_object_t = struct_berth_node_values_own_object_t;
pub const struct_berth_node_values_borrow_object_t = extern struct {
    __handle: i32 = 0,
};
pub const berth_node_values_borrow_object_t = struct_berth_node_values_borrow_object_t;
pub const struct_berth_node_values_own_value_list_t = extern struct {
    __handle: i32 = 0,
};
pub const berth_node_values_own_value_list_t = struct_berth_node_values_own_value_list_t;
pub const struct_berth_node_values_borrow_value_list_t = extern struct {
    __handle: i32 = 0,
};
pub const berth_node_values_borrow_value_list_t = struct_berth_node_values_borrow_value_list_t;
pub const struct_berth_node_values_own_function_t = extern struct {
    __handle: i32 = 0,
};
pub const berth_node_values_own_function_t = struct_berth_node_values_own_function_t;
pub const struct_berth_node_values_borrow_function_t = extern struct {
    __handle: i32 = 0,
};
pub const berth_node_values_borrow_function_t = struct_berth_node_values_borrow_function_t;
pub const berth_node_values_own_tensor_t = berth_node_tensors_own_tensor_t;
pub const berth_node_values_own_model_t = berth_node_models_own_model_t;
const union_unnamed_8 = extern union {
    boolean: bool,
    integer: berth_node_values_wide_integer_t,
    number: f64,
    text: memory_node_string_t,
    bytes: memory_node_list_u8_t,
    tensor: berth_node_values_own_tensor_t,
    model: berth_node_values_own_model_t,
    function: berth_node_values_own_function_t,
    object: berth_node_values_own_object_t,
    items: berth_node_values_own_value_list_t,
};
pub const struct_berth_node_values_value_t = extern struct {
    tag: u8 = 0,
    val: union_unnamed_8 = @import("std").mem.zeroes(union_unnamed_8),
};
pub const berth_node_values_value_t = struct_berth_node_values_value_t;
pub const struct_berth_node_values_named_value_t = extern struct {
    name: memory_node_string_t = @import("std").mem.zeroes(memory_node_string_t),
    value: berth_node_values_value_t = @import("std").mem.zeroes(berth_node_values_value_t),
};
pub const berth_node_values_named_value_t = struct_berth_node_values_named_value_t;
pub const berth_node_values_list_named_value_t = extern struct {
    ptr: [*c]berth_node_values_named_value_t = null,
    len: usize = 0,
};
const union_unnamed_9 = extern union {
    ok: berth_node_values_own_object_t,
    err: berth_node_values_error_t,
};
pub const berth_node_values_result_own_object_error_t = extern struct {
    is_err: bool = false,
    val: union_unnamed_9 = @import("std").mem.zeroes(union_unnamed_9),
};
pub const berth_node_values_option_value_t = extern struct {
    is_some: bool = false,
    val: berth_node_values_value_t = @import("std").mem.zeroes(berth_node_values_value_t),
};
pub const berth_node_values_list_value_t = extern struct {
    ptr: [*c]berth_node_values_value_t = null,
    len: usize = 0,
};
const union_unnamed_10 = extern union {
    ok: berth_node_values_own_value_list_t,
    err: berth_node_values_error_t,
};
pub const berth_node_values_result_own_value_list_error_t = extern struct {
    is_err: bool = false,
    val: union_unnamed_10 = @import("std").mem.zeroes(union_unnamed_10),
};
const union_unnamed_11 = extern union {
    ok: berth_node_values_value_t,
    err: berth_node_values_error_t,
};
pub const berth_node_values_result_value_error_t = extern struct {
    is_err: bool = false,
    val: union_unnamed_11 = @import("std").mem.zeroes(union_unnamed_11),
};
const union_unnamed_12 = extern union {
    ok: berth_node_values_own_function_t,
    err: berth_node_values_error_t,
};
pub const berth_node_values_result_own_function_error_t = extern struct {
    is_err: bool = false,
    val: union_unnamed_12 = @import("std").mem.zeroes(union_unnamed_12),
};
const union_unnamed_13 = extern union {
    ok: berth_node_values_list_named_value_t,
    err: berth_node_values_error_t,
};
pub const berth_node_values_result_list_named_value_error_t = extern struct {
    is_err: bool = false,
    val: union_unnamed_13 = @import("std").mem.zeroes(union_unnamed_13),
};
pub const berth_node_memory_error_t = berth_node_types_error_t;
pub const berth_node_memory_tier_t = berth_node_types_tier_t;
pub const memory_node_option_u64_t = extern struct {
    is_some: bool = false,
    val: u64 = 0,
};
pub const struct_berth_node_memory_tier_usage_t = extern struct {
    tier: berth_node_memory_tier_t = 0,
    used: u64 = 0,
    peak: u64 = 0,
    limit: memory_node_option_u64_t = @import("std").mem.zeroes(memory_node_option_u64_t),
};
pub const berth_node_memory_tier_usage_t = struct_berth_node_memory_tier_usage_t;
pub const struct_berth_node_memory_charges_t = extern struct {
    device: u64 = 0,
    host: u64 = 0,
    disk: u64 = 0,
};
pub const berth_node_memory_charges_t = struct_berth_node_memory_charges_t;
pub const struct_berth_node_memory_quotas_t = extern struct {
    device: memory_node_option_u64_t = @import("std").mem.zeroes(memory_node_option_u64_t),
    host: memory_node_option_u64_t = @import("std").mem.zeroes(memory_node_option_u64_t),
    disk: memory_node_option_u64_t = @import("std").mem.zeroes(memory_node_option_u64_t),
};
pub const berth_node_memory_quotas_t = struct_berth_node_memory_quotas_t;
pub const struct_berth_node_memory_plugin_usage_t = extern struct {
    plugin: memory_node_string_t = @import("std").mem.zeroes(memory_node_string_t),
    charge: berth_node_memory_charges_t = @import("std").mem.zeroes(berth_node_memory_charges_t),
    quota: berth_node_memory_quotas_t = @import("std").mem.zeroes(berth_node_memory_quotas_t),
    share: u64 = 0,
};
pub const berth_node_memory_plugin_usage_t = struct_berth_node_memory_plugin_usage_t;
pub const berth_node_memory_list_tier_usage_t = extern struct {
    ptr: [*c]berth_node_memory_tier_usage_t = null,
    len: usize = 0,
};
pub const berth_node_memory_list_plugin_usage_t = extern struct {
    ptr: [*c]berth_node_memory_plugin_usage_t = null,
    len: usize = 0,
};
pub const struct_berth_node_memory_statistics_t = extern struct {
    tiers: berth_node_memory_list_tier_usage_t = @import("std").mem.zeroes(berth_node_memory_list_tier_usage_t),
    plugins: berth_node_memory_list_plugin_usage_t = @import("std").mem.zeroes(berth_node_memory_list_plugin_usage_t),
    cached_results: u64 = 0,
    dram_cache: u64 = 0,
};
pub const berth_node_memory_statistics_t = struct_berth_node_memory_statistics_t;
pub const berth_node_memory_borrow_object_t = berth_node_values_borrow_object_t;
const union_unnamed_14 = extern union {
    ok: u64,
    err: berth_node_memory_error_t,
};
pub const berth_node_memory_result_u64_error_t = extern struct {
    is_err: bool = false,
    val: union_unnamed_14 = @import("std").mem.zeroes(union_unnamed_14),
};
const union_unnamed_15 = extern union {
    ok: memory_node_string_t,
    err: berth_node_memory_error_t,
};
pub const berth_node_memory_result_string_error_t = extern struct {
    is_err: bool = false,
    val: union_unnamed_15 = @import("std").mem.zeroes(union_unnamed_15),
};
pub const berth_node_memory_own_object_t = berth_node_values_own_object_t;
const union_unnamed_16 = extern union {
    ok: berth_node_memory_own_object_t,
    err: berth_node_memory_error_t,
};
pub const berth_node_memory_result_own_object_error_t = extern struct {
    is_err: bool = false,
    val: union_unnamed_16 = @import("std").mem.zeroes(union_unnamed_16),
};
const union_unnamed_17 = extern union {
    err: berth_node_memory_error_t,
};
pub const berth_node_memory_result_void_error_t = extern struct {
    is_err: bool = false,
    val: union_unnamed_17 = @import("std").mem.zeroes(union_unnamed_17),
};
pub const berth_node_ops_dtype_t = berth_node_types_dtype_t;
pub const berth_node_ops_error_t = berth_node_types_error_t;
pub const struct_berth_node_ops_walk_t = extern struct {
    stride: u32 = 0,
    padding: u32 = 0,
    dilation: u32 = 0,
    groups: u32 = 0,
};
pub const berth_node_ops_walk_t = struct_berth_node_ops_walk_t;
pub const berth_node_ops_unary_t = u8;
pub const berth_node_ops_binary_t = u8;
pub const berth_node_ops_comparison_t = u8;
pub const berth_node_ops_reduction_t = u8;
const union_unnamed_18 = extern union {
    constant: f64,
};
pub const struct_berth_node_ops_padding_t = extern struct {
    tag: u8 = 0,
    val: union_unnamed_18 = @import("std").mem.zeroes(union_unnamed_18),
};
pub const berth_node_ops_padding_t = struct_berth_node_ops_padding_t;
pub const berth_node_ops_sampling_t = u8;
pub const berth_node_ops_borrow_tensor_t = berth_node_tensors_borrow_tensor_t;
pub const berth_node_ops_own_tensor_t = berth_node_tensors_own_tensor_t;
const union_unnamed_19 = extern union {
    ok: berth_node_ops_own_tensor_t,
    err: berth_node_ops_error_t,
};
pub const berth_node_ops_result_own_tensor_error_t = extern struct {
    is_err: bool = false,
    val: union_unnamed_19 = @import("std").mem.zeroes(union_unnamed_19),
};
pub const berth_node_ops_option_borrow_tensor_t = extern struct {
    is_some: bool = false,
    val: berth_node_ops_borrow_tensor_t = @import("std").mem.zeroes(berth_node_ops_borrow_tensor_t),
};
pub const memory_node_option_f32_t = extern struct {
    is_some: bool = false,
    val: f32 = 0,
};
pub const memory_node_list_s32_t = extern struct {
    ptr: [*c]i32 = null,
    len: usize = 0,
};
pub const berth_node_ops_list_borrow_tensor_t = extern struct {
    ptr: [*c]berth_node_ops_borrow_tensor_t = null,
    len: usize = 0,
};
pub const memory_node_tuple2_u32_u32_t = extern struct {
    f0: u32 = 0,
    f1: u32 = 0,
};
pub const memory_node_list_tuple2_u32_u32_t = extern struct {
    ptr: [*c]memory_node_tuple2_u32_u32_t = null,
    len: usize = 0,
};
pub const berth_node_context_error_t = berth_node_types_error_t;
pub const berth_node_context_level_t = u8;
pub const berth_node_context_place_t = u8;
pub const struct_berth_node_context_artifact_t = extern struct {
    name: memory_node_string_t = @import("std").mem.zeroes(memory_node_string_t),
    subfolder: memory_node_string_t = @import("std").mem.zeroes(memory_node_string_t),
    place: berth_node_context_place_t = 0,
};
pub const berth_node_context_artifact_t = struct_berth_node_context_artifact_t;
pub const berth_node_context_borrow_tensor_t = berth_node_tensors_borrow_tensor_t;
const union_unnamed_20 = extern union {
    err: berth_node_context_error_t,
};
pub const berth_node_context_result_void_error_t = extern struct {
    is_err: bool = false,
    val: union_unnamed_20 = @import("std").mem.zeroes(union_unnamed_20),
};
const union_unnamed_21 = extern union {
    ok: berth_node_context_artifact_t,
    err: berth_node_context_error_t,
};
pub const berth_node_context_result_artifact_error_t = extern struct {
    is_err: bool = false,
    val: union_unnamed_21 = @import("std").mem.zeroes(union_unnamed_21),
};
const union_unnamed_22 = extern union {
    ok: memory_node_list_u8_t,
    err: berth_node_context_error_t,
};
pub const berth_node_context_result_list_u8_error_t = extern struct {
    is_err: bool = false,
    val: union_unnamed_22 = @import("std").mem.zeroes(union_unnamed_22),
};
const union_unnamed_23 = extern union {
    ok: memory_node_string_t,
    err: berth_node_context_error_t,
};
pub const berth_node_context_result_string_error_t = extern struct {
    is_err: bool = false,
    val: union_unnamed_23 = @import("std").mem.zeroes(union_unnamed_23),
};
pub const exports_berth_node_nodes_error_t = berth_node_types_error_t;
pub const exports_berth_node_nodes_wide_integer_t = berth_node_types_wide_integer_t;
pub const exports_berth_node_nodes_value_t = berth_node_values_value_t;
pub const exports_berth_node_nodes_named_value_t = berth_node_values_named_value_t;
pub const memory_node_option_bool_t = extern struct {
    is_some: bool = false,
    val: bool = false,
};
pub const struct_exports_berth_node_nodes_boolean_port_t = extern struct {
    default_: memory_node_option_bool_t = @import("std").mem.zeroes(memory_node_option_bool_t),
};
pub const exports_berth_node_nodes_boolean_port_t = struct_exports_berth_node_nodes_boolean_port_t;
pub const exports_berth_node_nodes_option_wide_integer_t = extern struct {
    is_some: bool = false,
    val: exports_berth_node_nodes_wide_integer_t = @import("std").mem.zeroes(exports_berth_node_nodes_wide_integer_t),
};
pub const memory_node_option_u32_t = extern struct {
    is_some: bool = false,
    val: u32 = 0,
};
pub const struct_exports_berth_node_nodes_integer_port_t = extern struct {
    default_: exports_berth_node_nodes_option_wide_integer_t = @import("std").mem.zeroes(exports_berth_node_nodes_option_wide_integer_t),
    min: exports_berth_node_nodes_option_wide_integer_t = @import("std").mem.zeroes(exports_berth_node_nodes_option_wide_integer_t),
    max: exports_berth_node_nodes_option_wide_integer_t = @import("std").mem.zeroes(exports_berth_node_nodes_option_wide_integer_t),
    step: memory_node_option_u32_t = @import("std").mem.zeroes(memory_node_option_u32_t),
    seed: bool = false,
};
pub const exports_berth_node_nodes_integer_port_t = struct_exports_berth_node_nodes_integer_port_t;
pub const memory_node_option_f64_t = extern struct {
    is_some: bool = false,
    val: f64 = 0,
};
pub const struct_exports_berth_node_nodes_number_port_t = extern struct {
    default_: memory_node_option_f64_t = @import("std").mem.zeroes(memory_node_option_f64_t),
    min: memory_node_option_f64_t = @import("std").mem.zeroes(memory_node_option_f64_t),
    max: memory_node_option_f64_t = @import("std").mem.zeroes(memory_node_option_f64_t),
    step: memory_node_option_f64_t = @import("std").mem.zeroes(memory_node_option_f64_t),
};
pub const exports_berth_node_nodes_number_port_t = struct_exports_berth_node_nodes_number_port_t;
pub const struct_exports_berth_node_nodes_text_port_t = extern struct {
    default_: memory_node_option_string_t = @import("std").mem.zeroes(memory_node_option_string_t),
    multiline: bool = false,
};
pub const exports_berth_node_nodes_text_port_t = struct_exports_berth_node_nodes_text_port_t;
const union_unnamed_24 = extern union {
    fixed: memory_node_list_string_t,
    models: memory_node_string_t,
};
pub const struct_exports_berth_node_nodes_choices_t = extern struct {
    tag: u8 = 0,
    val: union_unnamed_24 = @import("std").mem.zeroes(union_unnamed_24),
};
pub const exports_berth_node_nodes_choices_t = struct_exports_berth_node_nodes_choices_t;
pub const struct_exports_berth_node_nodes_choice_port_t = extern struct {
    choices: exports_berth_node_nodes_choices_t = @import("std").mem.zeroes(exports_berth_node_nodes_choices_t),
    default_: memory_node_option_string_t = @import("std").mem.zeroes(memory_node_option_string_t),
};
pub const exports_berth_node_nodes_choice_port_t = struct_exports_berth_node_nodes_choice_port_t;
const union_unnamed_25 = extern union {
    boolean: exports_berth_node_nodes_boolean_port_t,
    integer: exports_berth_node_nodes_integer_port_t,
    number: exports_berth_node_nodes_number_port_t,
    text: exports_berth_node_nodes_text_port_t,
    choice: exports_berth_node_nodes_choice_port_t,
    socket: memory_node_string_t,
};
pub const struct_exports_berth_node_nodes_port_t = extern struct {
    tag: u8 = 0,
    val: union_unnamed_25 = @import("std").mem.zeroes(union_unnamed_25),
};
pub const exports_berth_node_nodes_port_t = struct_exports_berth_node_nodes_port_t;
pub const struct_exports_berth_node_nodes_input_t = extern struct {
    name: memory_node_string_t = @import("std").mem.zeroes(memory_node_string_t),
    port: exports_berth_node_nodes_port_t = @import("std").mem.zeroes(exports_berth_node_nodes_port_t),
    optional: bool = false,
    lazy: bool = false,
    tooltip: memory_node_string_t = @import("std").mem.zeroes(memory_node_string_t),
};
pub const exports_berth_node_nodes_input_t = struct_exports_berth_node_nodes_input_t;
pub const struct_exports_berth_node_nodes_output_t = extern struct {
    name: memory_node_string_t = @import("std").mem.zeroes(memory_node_string_t),
    type_name: memory_node_string_t = @import("std").mem.zeroes(memory_node_string_t),
    tooltip: memory_node_string_t = @import("std").mem.zeroes(memory_node_string_t),
    passes: memory_node_option_string_t = @import("std").mem.zeroes(memory_node_option_string_t),
};
pub const exports_berth_node_nodes_output_t = struct_exports_berth_node_nodes_output_t;
pub const exports_berth_node_nodes_hidden_t = u8;
pub const exports_berth_node_nodes_checks_t = u8;
pub const exports_berth_node_nodes_list_input_t = extern struct {
    ptr: [*c]exports_berth_node_nodes_input_t = null,
    len: usize = 0,
};
pub const exports_berth_node_nodes_list_output_t = extern struct {
    ptr: [*c]exports_berth_node_nodes_output_t = null,
    len: usize = 0,
};
pub const exports_berth_node_nodes_list_hidden_t = extern struct {
    ptr: [*c]exports_berth_node_nodes_hidden_t = null,
    len: usize = 0,
};
pub const struct_exports_berth_node_nodes_node_type_t = extern struct {
    name: memory_node_string_t = @import("std").mem.zeroes(memory_node_string_t),
    display_name: memory_node_string_t = @import("std").mem.zeroes(memory_node_string_t),
    category: memory_node_string_t = @import("std").mem.zeroes(memory_node_string_t),
    description: memory_node_string_t = @import("std").mem.zeroes(memory_node_string_t),
    inputs: exports_berth_node_nodes_list_input_t = @import("std").mem.zeroes(exports_berth_node_nodes_list_input_t),
    outputs: exports_berth_node_nodes_list_output_t = @import("std").mem.zeroes(exports_berth_node_nodes_list_output_t),
    hidden: exports_berth_node_nodes_list_hidden_t = @import("std").mem.zeroes(exports_berth_node_nodes_list_hidden_t),
    output_node: bool = false,
    checks: exports_berth_node_nodes_checks_t = 0,
    deprecated: bool = false,
    experimental: bool = false,
    search_aliases: memory_node_list_string_t = @import("std").mem.zeroes(memory_node_list_string_t),
};
pub const exports_berth_node_nodes_node_type_t = struct_exports_berth_node_nodes_node_type_t;
pub const exports_berth_node_nodes_list_node_type_t = extern struct {
    ptr: [*c]exports_berth_node_nodes_node_type_t = null,
    len: usize = 0,
};
pub const exports_berth_node_nodes_list_named_value_t = extern struct {
    ptr: [*c]exports_berth_node_nodes_named_value_t = null,
    len: usize = 0,
};
pub const exports_berth_node_nodes_list_value_t = extern struct {
    ptr: [*c]exports_berth_node_nodes_value_t = null,
    len: usize = 0,
};
const union_unnamed_26 = extern union {
    ok: exports_berth_node_nodes_list_value_t,
    err: exports_berth_node_nodes_error_t,
};
pub const exports_berth_node_nodes_result_list_value_error_t = extern struct {
    is_err: bool = false,
    val: union_unnamed_26 = @import("std").mem.zeroes(union_unnamed_26),
};
const union_unnamed_27 = extern union {
    ok: exports_berth_node_nodes_list_named_value_t,
    err: exports_berth_node_nodes_error_t,
};
pub const exports_berth_node_nodes_result_list_named_value_error_t = extern struct {
    is_err: bool = false,
    val: union_unnamed_27 = @import("std").mem.zeroes(union_unnamed_27),
};
const union_unnamed_28 = extern union {
    ok: memory_node_list_string_t,
    err: exports_berth_node_nodes_error_t,
};
pub const exports_berth_node_nodes_result_list_string_error_t = extern struct {
    is_err: bool = false,
    val: union_unnamed_28 = @import("std").mem.zeroes(union_unnamed_28),
};
const union_unnamed_29 = extern union {
    ok: memory_node_string_t,
    err: exports_berth_node_nodes_error_t,
};
pub const exports_berth_node_nodes_result_string_error_t = extern struct {
    is_err: bool = false,
    val: union_unnamed_29 = @import("std").mem.zeroes(union_unnamed_29),
};
const union_unnamed_30 = extern union {
    ok: memory_node_option_string_t,
    err: exports_berth_node_nodes_error_t,
};
pub const exports_berth_node_nodes_result_option_string_error_t = extern struct {
    is_err: bool = false,
    val: union_unnamed_30 = @import("std").mem.zeroes(union_unnamed_30),
};
pub extern fn berth_node_tensors_method_tensor_dtype(self: berth_node_tensors_borrow_tensor_t) berth_node_tensors_dtype_t;
pub extern fn berth_node_tensors_method_tensor_shape(self: berth_node_tensors_borrow_tensor_t, ret: [*c]memory_node_list_u32_t) void;
pub extern fn berth_node_tensors_method_tensor_share(self: berth_node_tensors_borrow_tensor_t) berth_node_tensors_own_tensor_t;
pub extern fn berth_node_tensors_method_tensor_read(self: berth_node_tensors_borrow_tensor_t, offset: u64, length: u32, ret: [*c]memory_node_list_u8_t, err: [*c]berth_node_tensors_error_t) bool;
pub extern fn berth_node_tensors_static_upload_begin(dtype: berth_node_tensors_dtype_t, shape: [*c]memory_node_list_u32_t, ret: [*c]berth_node_tensors_own_upload_t, err: [*c]berth_node_tensors_error_t) bool;
pub extern fn berth_node_tensors_method_upload_write(self: berth_node_tensors_borrow_upload_t, offset: u64, data: [*c]memory_node_list_u8_t, err: [*c]berth_node_tensors_error_t) bool;
pub extern fn berth_node_tensors_method_upload_finish(self: berth_node_tensors_borrow_upload_t, ret: [*c]berth_node_tensors_own_tensor_t, err: [*c]berth_node_tensors_error_t) bool;
pub extern fn berth_node_tensors_static_generator_seeded(seed: [*c]berth_node_tensors_wide_integer_t) berth_node_tensors_own_generator_t;
pub extern fn berth_node_tensors_method_generator_normal(self: berth_node_tensors_borrow_generator_t, shape: [*c]memory_node_list_u32_t, ret: [*c]berth_node_tensors_own_tensor_t, err: [*c]berth_node_tensors_error_t) bool;
pub extern fn berth_node_tensors_method_generator_uniform(self: berth_node_tensors_borrow_generator_t, shape: [*c]memory_node_list_u32_t, ret: [*c]berth_node_tensors_own_tensor_t, err: [*c]berth_node_tensors_error_t) bool;
pub extern fn berth_node_tensors_from_bytes(dtype: berth_node_tensors_dtype_t, shape: [*c]memory_node_list_u32_t, data: [*c]memory_node_list_u8_t, ret: [*c]berth_node_tensors_own_tensor_t, err: [*c]berth_node_tensors_error_t) bool;
pub extern fn berth_node_tensors_full(dtype: berth_node_tensors_dtype_t, shape: [*c]memory_node_list_u32_t, value: f64, ret: [*c]berth_node_tensors_own_tensor_t, err: [*c]berth_node_tensors_error_t) bool;
pub extern fn berth_node_tensors_arange(dtype: berth_node_tensors_dtype_t, start: f64, step: f64, count: u32, ret: [*c]berth_node_tensors_own_tensor_t, err: [*c]berth_node_tensors_error_t) bool;
pub extern fn berth_node_models_static_model_open(category: [*c]memory_node_string_t, label: [*c]memory_node_string_t, ret: [*c]berth_node_models_own_model_t, err: [*c]berth_node_models_error_t) bool;
pub extern fn berth_node_models_method_model_share(self: berth_node_models_borrow_model_t) berth_node_models_own_model_t;
pub extern fn berth_node_models_method_model_label(self: berth_node_models_borrow_model_t, ret: [*c]memory_node_string_t) void;
pub extern fn berth_node_models_method_model_metadata(self: berth_node_models_borrow_model_t, name: [*c]memory_node_string_t, ret: [*c]memory_node_string_t) bool;
pub extern fn berth_node_models_method_model_metadata_names(self: berth_node_models_borrow_model_t, ret: [*c]memory_node_list_string_t) void;
pub extern fn berth_node_models_method_model_keys(self: berth_node_models_borrow_model_t, ret: [*c]memory_node_list_string_t) void;
pub extern fn berth_node_models_method_model_info(self: berth_node_models_borrow_model_t, key: [*c]memory_node_string_t, ret: [*c]berth_node_models_tensor_info_t) bool;
pub extern fn berth_node_models_method_model_weight(self: berth_node_models_borrow_model_t, key: [*c]memory_node_string_t, ret: [*c]berth_node_models_own_tensor_t, err: [*c]berth_node_models_error_t) bool;
pub extern fn berth_node_models_available(category: [*c]memory_node_string_t, ret: [*c]memory_node_list_string_t) void;
pub extern fn berth_node_values_static_object_create(type_name: [*c]memory_node_string_t, fields: [*c]berth_node_values_list_named_value_t, ret: [*c]berth_node_values_own_object_t, err: [*c]berth_node_values_error_t) bool;
pub extern fn berth_node_values_method_object_share(self: berth_node_values_borrow_object_t) berth_node_values_own_object_t;
pub extern fn berth_node_values_method_object_type_name(self: berth_node_values_borrow_object_t, ret: [*c]memory_node_string_t) void;
pub extern fn berth_node_values_method_object_field_names(self: berth_node_values_borrow_object_t, ret: [*c]memory_node_list_string_t) void;
pub extern fn berth_node_values_method_object_get(self: berth_node_values_borrow_object_t, name: [*c]memory_node_string_t, ret: [*c]berth_node_values_value_t) bool;
pub extern fn berth_node_values_method_object_replace(self: berth_node_values_borrow_object_t, fields: [*c]berth_node_values_list_named_value_t, ret: [*c]berth_node_values_own_object_t, err: [*c]berth_node_values_error_t) bool;
pub extern fn berth_node_values_static_value_list_create(items: [*c]berth_node_values_list_value_t, ret: [*c]berth_node_values_own_value_list_t, err: [*c]berth_node_values_error_t) bool;
pub extern fn berth_node_values_method_value_list_share(self: berth_node_values_borrow_value_list_t) berth_node_values_own_value_list_t;
pub extern fn berth_node_values_method_value_list_length(self: berth_node_values_borrow_value_list_t) u32;
pub extern fn berth_node_values_method_value_list_get(self: berth_node_values_borrow_value_list_t, index: u32, ret: [*c]berth_node_values_value_t, err: [*c]berth_node_values_error_t) bool;
pub extern fn berth_node_values_static_function_create(name: [*c]memory_node_string_t, captures: [*c]berth_node_values_list_named_value_t, ret: [*c]berth_node_values_own_function_t, err: [*c]berth_node_values_error_t) bool;
pub extern fn berth_node_values_method_function_share(self: berth_node_values_borrow_function_t) berth_node_values_own_function_t;
pub extern fn berth_node_values_method_function_call(self: berth_node_values_borrow_function_t, arguments: [*c]berth_node_values_list_named_value_t, ret: [*c]berth_node_values_list_named_value_t, err: [*c]berth_node_values_error_t) bool;
pub extern fn berth_node_memory_snapshot(ret: [*c]berth_node_memory_statistics_t) void;
pub extern fn berth_node_memory_offload(target: berth_node_memory_borrow_object_t, ret: [*c]u64, err: [*c]berth_node_memory_error_t) bool;
pub extern fn berth_node_memory_restore(target: berth_node_memory_borrow_object_t, ret: [*c]u64, err: [*c]berth_node_memory_error_t) bool;
pub extern fn berth_node_memory_remember(target: berth_node_memory_borrow_object_t, ret: [*c]memory_node_string_t, err: [*c]berth_node_memory_error_t) bool;
pub extern fn berth_node_memory_recall(id: [*c]memory_node_string_t, ret: [*c]berth_node_memory_own_object_t, err: [*c]berth_node_memory_error_t) bool;
pub extern fn berth_node_memory_forget(id: [*c]memory_node_string_t) bool;
pub extern fn berth_node_memory_forget_all() u32;
pub extern fn berth_node_memory_keep(target: berth_node_memory_borrow_object_t, tier: berth_node_memory_tier_t, keep: bool, err: [*c]berth_node_memory_error_t) bool;
pub extern fn berth_node_memory_keep_nothing() void;
pub extern fn berth_node_memory_make_free(tier: berth_node_memory_tier_t, bytes: u64, ret: [*c]u64, err: [*c]berth_node_memory_error_t) bool;
pub extern fn berth_node_memory_clear_results() void;
pub extern fn berth_node_ops_matmul(a: berth_node_ops_borrow_tensor_t, b: berth_node_ops_borrow_tensor_t, ret: [*c]berth_node_ops_own_tensor_t, err: [*c]berth_node_ops_error_t) bool;
pub extern fn berth_node_ops_linear(x: berth_node_ops_borrow_tensor_t, weight: berth_node_ops_borrow_tensor_t, maybe_bias: [*c]berth_node_ops_borrow_tensor_t, ret: [*c]berth_node_ops_own_tensor_t, err: [*c]berth_node_ops_error_t) bool;
pub extern fn berth_node_ops_conv1d(x: berth_node_ops_borrow_tensor_t, weight: berth_node_ops_borrow_tensor_t, maybe_bias: [*c]berth_node_ops_borrow_tensor_t, walk: [*c]berth_node_ops_walk_t, ret: [*c]berth_node_ops_own_tensor_t, err: [*c]berth_node_ops_error_t) bool;
pub extern fn berth_node_ops_conv2d(x: berth_node_ops_borrow_tensor_t, weight: berth_node_ops_borrow_tensor_t, maybe_bias: [*c]berth_node_ops_borrow_tensor_t, walk: [*c]berth_node_ops_walk_t, ret: [*c]berth_node_ops_own_tensor_t, err: [*c]berth_node_ops_error_t) bool;
pub extern fn berth_node_ops_conv_transpose2d(x: berth_node_ops_borrow_tensor_t, weight: berth_node_ops_borrow_tensor_t, maybe_bias: [*c]berth_node_ops_borrow_tensor_t, walk: [*c]berth_node_ops_walk_t, output_padding: u32, ret: [*c]berth_node_ops_own_tensor_t, err: [*c]berth_node_ops_error_t) bool;
pub extern fn berth_node_ops_group_norm(x: berth_node_ops_borrow_tensor_t, groups: u32, maybe_weight: [*c]berth_node_ops_borrow_tensor_t, maybe_bias: [*c]berth_node_ops_borrow_tensor_t, epsilon: f32, ret: [*c]berth_node_ops_own_tensor_t, err: [*c]berth_node_ops_error_t) bool;
pub extern fn berth_node_ops_layer_norm(x: berth_node_ops_borrow_tensor_t, maybe_weight: [*c]berth_node_ops_borrow_tensor_t, maybe_bias: [*c]berth_node_ops_borrow_tensor_t, epsilon: f32, ret: [*c]berth_node_ops_own_tensor_t, err: [*c]berth_node_ops_error_t) bool;
pub extern fn berth_node_ops_rms_norm(x: berth_node_ops_borrow_tensor_t, maybe_weight: [*c]berth_node_ops_borrow_tensor_t, epsilon: f32, ret: [*c]berth_node_ops_own_tensor_t, err: [*c]berth_node_ops_error_t) bool;
pub extern fn berth_node_ops_attention(q: berth_node_ops_borrow_tensor_t, k: berth_node_ops_borrow_tensor_t, v: berth_node_ops_borrow_tensor_t, heads: u32, maybe_mask: [*c]berth_node_ops_borrow_tensor_t, causal: bool, maybe_scale: [*c]f32, ret: [*c]berth_node_ops_own_tensor_t, err: [*c]berth_node_ops_error_t) bool;
pub extern fn berth_node_ops_rotary(x: berth_node_ops_borrow_tensor_t, cosines: berth_node_ops_borrow_tensor_t, sines: berth_node_ops_borrow_tensor_t, interleaved: bool, ret: [*c]berth_node_ops_own_tensor_t, err: [*c]berth_node_ops_error_t) bool;
pub extern fn berth_node_ops_embedding(indices: berth_node_ops_borrow_tensor_t, weight: berth_node_ops_borrow_tensor_t, ret: [*c]berth_node_ops_own_tensor_t, err: [*c]berth_node_ops_error_t) bool;
pub extern fn berth_node_ops_softmax(x: berth_node_ops_borrow_tensor_t, axis: i32, ret: [*c]berth_node_ops_own_tensor_t, err: [*c]berth_node_ops_error_t) bool;
pub extern fn berth_node_ops_map(x: berth_node_ops_borrow_tensor_t, function: berth_node_ops_unary_t, ret: [*c]berth_node_ops_own_tensor_t, err: [*c]berth_node_ops_error_t) bool;
pub extern fn berth_node_ops_affine(x: berth_node_ops_borrow_tensor_t, scale: f64, shift: f64, ret: [*c]berth_node_ops_own_tensor_t, err: [*c]berth_node_ops_error_t) bool;
pub extern fn berth_node_ops_power(x: berth_node_ops_borrow_tensor_t, exponent: f64, ret: [*c]berth_node_ops_own_tensor_t, err: [*c]berth_node_ops_error_t) bool;
pub extern fn berth_node_ops_clamp(x: berth_node_ops_borrow_tensor_t, low: f64, high: f64, ret: [*c]berth_node_ops_own_tensor_t, err: [*c]berth_node_ops_error_t) bool;
pub extern fn berth_node_ops_combine(a: berth_node_ops_borrow_tensor_t, b: berth_node_ops_borrow_tensor_t, function: berth_node_ops_binary_t, ret: [*c]berth_node_ops_own_tensor_t, err: [*c]berth_node_ops_error_t) bool;
pub extern fn berth_node_ops_compare(a: berth_node_ops_borrow_tensor_t, b: berth_node_ops_borrow_tensor_t, comparison: berth_node_ops_comparison_t, ret: [*c]berth_node_ops_own_tensor_t, err: [*c]berth_node_ops_error_t) bool;
pub extern fn berth_node_ops_choose(condition: berth_node_ops_borrow_tensor_t, a: berth_node_ops_borrow_tensor_t, b: berth_node_ops_borrow_tensor_t, ret: [*c]berth_node_ops_own_tensor_t, err: [*c]berth_node_ops_error_t) bool;
pub extern fn berth_node_ops_reduce(x: berth_node_ops_borrow_tensor_t, reduction: berth_node_ops_reduction_t, axes: [*c]memory_node_list_s32_t, keep: bool, ret: [*c]berth_node_ops_own_tensor_t, err: [*c]berth_node_ops_error_t) bool;
pub extern fn berth_node_ops_argsort(x: berth_node_ops_borrow_tensor_t, axis: i32, descending: bool, ret: [*c]berth_node_ops_own_tensor_t, err: [*c]berth_node_ops_error_t) bool;
pub extern fn berth_node_ops_cumulative_sum(x: berth_node_ops_borrow_tensor_t, axis: i32, ret: [*c]berth_node_ops_own_tensor_t, err: [*c]berth_node_ops_error_t) bool;
pub extern fn berth_node_ops_reshape(x: berth_node_ops_borrow_tensor_t, shape: [*c]memory_node_list_u32_t, ret: [*c]berth_node_ops_own_tensor_t, err: [*c]berth_node_ops_error_t) bool;
pub extern fn berth_node_ops_permute(x: berth_node_ops_borrow_tensor_t, axes: [*c]memory_node_list_u32_t, ret: [*c]berth_node_ops_own_tensor_t, err: [*c]berth_node_ops_error_t) bool;
pub extern fn berth_node_ops_slice(x: berth_node_ops_borrow_tensor_t, axis: i32, start: u32, end: u32, step: u32, ret: [*c]berth_node_ops_own_tensor_t, err: [*c]berth_node_ops_error_t) bool;
pub extern fn berth_node_ops_concat(tensors: [*c]berth_node_ops_list_borrow_tensor_t, axis: i32, ret: [*c]berth_node_ops_own_tensor_t, err: [*c]berth_node_ops_error_t) bool;
pub extern fn berth_node_ops_broadcast(x: berth_node_ops_borrow_tensor_t, shape: [*c]memory_node_list_u32_t, ret: [*c]berth_node_ops_own_tensor_t, err: [*c]berth_node_ops_error_t) bool;
pub extern fn berth_node_ops_flip(x: berth_node_ops_borrow_tensor_t, axis: i32, ret: [*c]berth_node_ops_own_tensor_t, err: [*c]berth_node_ops_error_t) bool;
pub extern fn berth_node_ops_pad(x: berth_node_ops_borrow_tensor_t, amounts: [*c]memory_node_list_tuple2_u32_u32_t, padding: [*c]berth_node_ops_padding_t, ret: [*c]berth_node_ops_own_tensor_t, err: [*c]berth_node_ops_error_t) bool;
pub extern fn berth_node_ops_gather(x: berth_node_ops_borrow_tensor_t, axis: i32, indices: berth_node_ops_borrow_tensor_t, ret: [*c]berth_node_ops_own_tensor_t, err: [*c]berth_node_ops_error_t) bool;
pub extern fn berth_node_ops_index_select(x: berth_node_ops_borrow_tensor_t, axis: i32, indices: berth_node_ops_borrow_tensor_t, ret: [*c]berth_node_ops_own_tensor_t, err: [*c]berth_node_ops_error_t) bool;
pub extern fn berth_node_ops_interpolate(x: berth_node_ops_borrow_tensor_t, height: u32, width: u32, sampling: berth_node_ops_sampling_t, ret: [*c]berth_node_ops_own_tensor_t, err: [*c]berth_node_ops_error_t) bool;
pub extern fn berth_node_ops_cast(x: berth_node_ops_borrow_tensor_t, dtype: berth_node_ops_dtype_t, ret: [*c]berth_node_ops_own_tensor_t, err: [*c]berth_node_ops_error_t) bool;
pub extern fn berth_node_context_log(level: berth_node_context_level_t, message: [*c]memory_node_string_t) void;
pub extern fn berth_node_context_progress(value: u32, total: u32) void;
pub extern fn berth_node_context_preview(image: berth_node_context_borrow_tensor_t, err: [*c]berth_node_context_error_t) bool;
pub extern fn berth_node_context_cancelled() bool;
pub extern fn berth_node_context_show_text(text: [*c]memory_node_string_t) void;
pub extern fn berth_node_context_save(place: berth_node_context_place_t, kind: [*c]memory_node_string_t, prefix: [*c]memory_node_string_t, extension: [*c]memory_node_string_t, data: [*c]memory_node_list_u8_t, ret: [*c]berth_node_context_artifact_t, err: [*c]berth_node_context_error_t) bool;
pub extern fn berth_node_context_read_input(name: [*c]memory_node_string_t, ret: [*c]memory_node_list_u8_t, err: [*c]berth_node_context_error_t) bool;
pub extern fn berth_node_context_input_fingerprint(name: [*c]memory_node_string_t, ret: [*c]memory_node_string_t, err: [*c]berth_node_context_error_t) bool;
pub extern fn exports_berth_node_nodes_describe(ret: [*c]exports_berth_node_nodes_list_node_type_t) void;
pub extern fn exports_berth_node_nodes_run(node: [*c]memory_node_string_t, inputs: [*c]exports_berth_node_nodes_list_named_value_t, ret: [*c]exports_berth_node_nodes_list_value_t, err: [*c]exports_berth_node_nodes_error_t) bool;
pub extern fn exports_berth_node_nodes_call(function: [*c]memory_node_string_t, captures: [*c]exports_berth_node_nodes_list_named_value_t, arguments: [*c]exports_berth_node_nodes_list_named_value_t, ret: [*c]exports_berth_node_nodes_list_named_value_t, err: [*c]exports_berth_node_nodes_error_t) bool;
pub extern fn exports_berth_node_nodes_needs(node: [*c]memory_node_string_t, inputs: [*c]exports_berth_node_nodes_list_named_value_t, ret: [*c]memory_node_list_string_t, err: [*c]exports_berth_node_nodes_error_t) bool;
pub extern fn exports_berth_node_nodes_fingerprint(node: [*c]memory_node_string_t, inputs: [*c]exports_berth_node_nodes_list_named_value_t, ret: [*c]memory_node_string_t, err: [*c]exports_berth_node_nodes_error_t) bool;
pub extern fn exports_berth_node_nodes_validate(node: [*c]memory_node_string_t, inputs: [*c]exports_berth_node_nodes_list_named_value_t, ret: [*c]memory_node_option_string_t, err: [*c]exports_berth_node_nodes_error_t) bool;
pub extern fn berth_node_types_failure_free(ptr: [*c]berth_node_types_failure_t) void;
pub extern fn berth_node_types_error_free(ptr: [*c]berth_node_types_error_t) void;
pub extern fn berth_node_tensors_error_free(ptr: [*c]berth_node_tensors_error_t) void;
pub extern fn berth_node_tensors_tensor_drop_own(handle: berth_node_tensors_own_tensor_t) void;
pub extern fn berth_node_tensors_tensor_drop_borrow(handle: berth_node_tensors_borrow_tensor_t) void;
pub extern fn berth_node_tensors_borrow_tensor(handle: berth_node_tensors_own_tensor_t) berth_node_tensors_borrow_tensor_t;
pub extern fn berth_node_tensors_upload_drop_own(handle: berth_node_tensors_own_upload_t) void;
pub extern fn berth_node_tensors_upload_drop_borrow(handle: berth_node_tensors_borrow_upload_t) void;
pub extern fn berth_node_tensors_borrow_upload(handle: berth_node_tensors_own_upload_t) berth_node_tensors_borrow_upload_t;
pub extern fn berth_node_tensors_generator_drop_own(handle: berth_node_tensors_own_generator_t) void;
pub extern fn berth_node_tensors_generator_drop_borrow(handle: berth_node_tensors_borrow_generator_t) void;
pub extern fn berth_node_tensors_borrow_generator(handle: berth_node_tensors_own_generator_t) berth_node_tensors_borrow_generator_t;
pub extern fn memory_node_list_u32_free(ptr: [*c]memory_node_list_u32_t) void;
pub extern fn memory_node_list_u8_free(ptr: [*c]memory_node_list_u8_t) void;
pub extern fn berth_node_tensors_result_list_u8_error_free(ptr: [*c]berth_node_tensors_result_list_u8_error_t) void;
pub extern fn berth_node_tensors_result_own_upload_error_free(ptr: [*c]berth_node_tensors_result_own_upload_error_t) void;
pub extern fn berth_node_tensors_result_void_error_free(ptr: [*c]berth_node_tensors_result_void_error_t) void;
pub extern fn berth_node_tensors_result_own_tensor_error_free(ptr: [*c]berth_node_tensors_result_own_tensor_error_t) void;
pub extern fn berth_node_models_error_free(ptr: [*c]berth_node_models_error_t) void;
pub extern fn berth_node_models_tensor_info_free(ptr: [*c]berth_node_models_tensor_info_t) void;
pub extern fn berth_node_models_model_drop_own(handle: berth_node_models_own_model_t) void;
pub extern fn berth_node_models_model_drop_borrow(handle: berth_node_models_borrow_model_t) void;
pub extern fn berth_node_models_borrow_model(handle: berth_node_models_own_model_t) berth_node_models_borrow_model_t;
pub extern fn berth_node_models_result_own_model_error_free(ptr: [*c]berth_node_models_result_own_model_error_t) void;
pub extern fn memory_node_option_string_free(ptr: [*c]memory_node_option_string_t) void;
pub extern fn memory_node_list_string_free(ptr: [*c]memory_node_list_string_t) void;
pub extern fn berth_node_models_option_tensor_info_free(ptr: [*c]berth_node_models_option_tensor_info_t) void;
pub extern fn berth_node_models_result_own_tensor_error_free(ptr: [*c]berth_node_models_result_own_tensor_error_t) void;
pub extern fn berth_node_values_error_free(ptr: [*c]berth_node_values_error_t) void;
pub extern fn berth_node_values_object_drop_own(handle: berth_node_values_own_object_t) void;
pub extern fn berth_node_values_object_drop_borrow(handle: berth_node_values_borrow_object_t) void;
pub extern fn berth_node_values_borrow_object(handle: berth_node_values_own_object_t) berth_node_values_borrow_object_t;
pub extern fn berth_node_values_value_list_drop_own(handle: berth_node_values_own_value_list_t) void;
pub extern fn berth_node_values_value_list_drop_borrow(handle: berth_node_values_borrow_value_list_t) void;
pub extern fn berth_node_values_borrow_value_list(handle: berth_node_values_own_value_list_t) berth_node_values_borrow_value_list_t;
pub extern fn berth_node_values_function_drop_own(handle: berth_node_values_own_function_t) void;
pub extern fn berth_node_values_function_drop_borrow(handle: berth_node_values_borrow_function_t) void;
pub extern fn berth_node_values_borrow_function(handle: berth_node_values_own_function_t) berth_node_values_borrow_function_t;
pub extern fn berth_node_values_value_free(ptr: [*c]berth_node_values_value_t) void;
pub extern fn berth_node_values_named_value_free(ptr: [*c]berth_node_values_named_value_t) void;
pub extern fn berth_node_values_list_named_value_free(ptr: [*c]berth_node_values_list_named_value_t) void;
pub extern fn berth_node_values_result_own_object_error_free(ptr: [*c]berth_node_values_result_own_object_error_t) void;
pub extern fn berth_node_values_option_value_free(ptr: [*c]berth_node_values_option_value_t) void;
pub extern fn berth_node_values_list_value_free(ptr: [*c]berth_node_values_list_value_t) void;
pub extern fn berth_node_values_result_own_value_list_error_free(ptr: [*c]berth_node_values_result_own_value_list_error_t) void;
pub extern fn berth_node_values_result_value_error_free(ptr: [*c]berth_node_values_result_value_error_t) void;
pub extern fn berth_node_values_result_own_function_error_free(ptr: [*c]berth_node_values_result_own_function_error_t) void;
pub extern fn berth_node_values_result_list_named_value_error_free(ptr: [*c]berth_node_values_result_list_named_value_error_t) void;
pub extern fn berth_node_memory_error_free(ptr: [*c]berth_node_memory_error_t) void;
pub extern fn memory_node_option_u64_free(ptr: [*c]memory_node_option_u64_t) void;
pub extern fn berth_node_memory_tier_usage_free(ptr: [*c]berth_node_memory_tier_usage_t) void;
pub extern fn berth_node_memory_quotas_free(ptr: [*c]berth_node_memory_quotas_t) void;
pub extern fn berth_node_memory_plugin_usage_free(ptr: [*c]berth_node_memory_plugin_usage_t) void;
pub extern fn berth_node_memory_list_tier_usage_free(ptr: [*c]berth_node_memory_list_tier_usage_t) void;
pub extern fn berth_node_memory_list_plugin_usage_free(ptr: [*c]berth_node_memory_list_plugin_usage_t) void;
pub extern fn berth_node_memory_statistics_free(ptr: [*c]berth_node_memory_statistics_t) void;
pub extern fn berth_node_memory_result_u64_error_free(ptr: [*c]berth_node_memory_result_u64_error_t) void;
pub extern fn berth_node_memory_result_string_error_free(ptr: [*c]berth_node_memory_result_string_error_t) void;
pub extern fn berth_node_memory_result_own_object_error_free(ptr: [*c]berth_node_memory_result_own_object_error_t) void;
pub extern fn berth_node_memory_result_void_error_free(ptr: [*c]berth_node_memory_result_void_error_t) void;
pub extern fn berth_node_ops_error_free(ptr: [*c]berth_node_ops_error_t) void;
pub extern fn berth_node_ops_padding_free(ptr: [*c]berth_node_ops_padding_t) void;
pub extern fn berth_node_ops_result_own_tensor_error_free(ptr: [*c]berth_node_ops_result_own_tensor_error_t) void;
pub extern fn berth_node_ops_option_borrow_tensor_free(ptr: [*c]berth_node_ops_option_borrow_tensor_t) void;
pub extern fn memory_node_option_f32_free(ptr: [*c]memory_node_option_f32_t) void;
pub extern fn memory_node_list_s32_free(ptr: [*c]memory_node_list_s32_t) void;
pub extern fn berth_node_ops_list_borrow_tensor_free(ptr: [*c]berth_node_ops_list_borrow_tensor_t) void;
pub extern fn memory_node_list_tuple2_u32_u32_free(ptr: [*c]memory_node_list_tuple2_u32_u32_t) void;
pub extern fn berth_node_context_error_free(ptr: [*c]berth_node_context_error_t) void;
pub extern fn berth_node_context_artifact_free(ptr: [*c]berth_node_context_artifact_t) void;
pub extern fn berth_node_context_result_void_error_free(ptr: [*c]berth_node_context_result_void_error_t) void;
pub extern fn berth_node_context_result_artifact_error_free(ptr: [*c]berth_node_context_result_artifact_error_t) void;
pub extern fn berth_node_context_result_list_u8_error_free(ptr: [*c]berth_node_context_result_list_u8_error_t) void;
pub extern fn berth_node_context_result_string_error_free(ptr: [*c]berth_node_context_result_string_error_t) void;
pub extern fn exports_berth_node_nodes_error_free(ptr: [*c]exports_berth_node_nodes_error_t) void;
pub extern fn exports_berth_node_nodes_value_free(ptr: [*c]exports_berth_node_nodes_value_t) void;
pub extern fn exports_berth_node_nodes_named_value_free(ptr: [*c]exports_berth_node_nodes_named_value_t) void;
pub extern fn memory_node_option_bool_free(ptr: [*c]memory_node_option_bool_t) void;
pub extern fn exports_berth_node_nodes_boolean_port_free(ptr: [*c]exports_berth_node_nodes_boolean_port_t) void;
pub extern fn exports_berth_node_nodes_option_wide_integer_free(ptr: [*c]exports_berth_node_nodes_option_wide_integer_t) void;
pub extern fn memory_node_option_u32_free(ptr: [*c]memory_node_option_u32_t) void;
pub extern fn exports_berth_node_nodes_integer_port_free(ptr: [*c]exports_berth_node_nodes_integer_port_t) void;
pub extern fn memory_node_option_f64_free(ptr: [*c]memory_node_option_f64_t) void;
pub extern fn exports_berth_node_nodes_number_port_free(ptr: [*c]exports_berth_node_nodes_number_port_t) void;
pub extern fn exports_berth_node_nodes_text_port_free(ptr: [*c]exports_berth_node_nodes_text_port_t) void;
pub extern fn exports_berth_node_nodes_choices_free(ptr: [*c]exports_berth_node_nodes_choices_t) void;
pub extern fn exports_berth_node_nodes_choice_port_free(ptr: [*c]exports_berth_node_nodes_choice_port_t) void;
pub extern fn exports_berth_node_nodes_port_free(ptr: [*c]exports_berth_node_nodes_port_t) void;
pub extern fn exports_berth_node_nodes_input_free(ptr: [*c]exports_berth_node_nodes_input_t) void;
pub extern fn exports_berth_node_nodes_output_free(ptr: [*c]exports_berth_node_nodes_output_t) void;
pub extern fn exports_berth_node_nodes_list_input_free(ptr: [*c]exports_berth_node_nodes_list_input_t) void;
pub extern fn exports_berth_node_nodes_list_output_free(ptr: [*c]exports_berth_node_nodes_list_output_t) void;
pub extern fn exports_berth_node_nodes_list_hidden_free(ptr: [*c]exports_berth_node_nodes_list_hidden_t) void;
pub extern fn exports_berth_node_nodes_node_type_free(ptr: [*c]exports_berth_node_nodes_node_type_t) void;
pub extern fn exports_berth_node_nodes_list_node_type_free(ptr: [*c]exports_berth_node_nodes_list_node_type_t) void;
pub extern fn exports_berth_node_nodes_list_named_value_free(ptr: [*c]exports_berth_node_nodes_list_named_value_t) void;
pub extern fn exports_berth_node_nodes_list_value_free(ptr: [*c]exports_berth_node_nodes_list_value_t) void;
pub extern fn exports_berth_node_nodes_result_list_value_error_free(ptr: [*c]exports_berth_node_nodes_result_list_value_error_t) void;
pub extern fn exports_berth_node_nodes_result_list_named_value_error_free(ptr: [*c]exports_berth_node_nodes_result_list_named_value_error_t) void;
pub extern fn exports_berth_node_nodes_result_list_string_error_free(ptr: [*c]exports_berth_node_nodes_result_list_string_error_t) void;
pub extern fn exports_berth_node_nodes_result_string_error_free(ptr: [*c]exports_berth_node_nodes_result_string_error_t) void;
pub extern fn exports_berth_node_nodes_result_option_string_error_free(ptr: [*c]exports_berth_node_nodes_result_option_string_error_t) void;
pub extern fn memory_node_string_set(ret: [*c]memory_node_string_t, s: [*c]const u8) void;
pub extern fn memory_node_string_dup(ret: [*c]memory_node_string_t, s: [*c]const u8) void;
pub extern fn memory_node_string_dup_n(ret: [*c]memory_node_string_t, s: [*c]const u8, len: usize) void;
pub extern fn memory_node_string_free(ret: [*c]memory_node_string_t) void;
