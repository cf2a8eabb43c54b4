// Nodes that call everything that the SDK has, and check what it gives.

#include "check.hpp"

static const Node lazy = {
    .name = "Lazy", .category = "test", .description = "Checks.",
    .inputs = {{.name = "number", .initial = 1}, {.name = "used", .tooltip = "Lazy.", .lazy = true}, {.name = "unused", .wire = "STRING", .lazy = true}},
    .run = [](std::uint64_t, std::optional<Value> used, std::optional<Value> unused) -> Result<std::string> {
        if (!used) return std::unexpected(Error{BERTH_OTHER, "not used", {}, {}, {}});
        return "lazy " + std::string(unused ? "with " : "without ") + used->get<std::string>();
    },
    .needs = [](const Fields &inputs) { return inputs.has("used") ? Texts() : Texts{"used"}; },
    .fingerprint = [](const Fields &inputs) { return std::to_string(inputs.get<std::uint64_t>("number")); },
    .validate = [](const Fields &inputs) -> std::optional<std::string> {
        if (inputs.get<std::uint64_t>("number") == 13) return "13 brings bad luck";
        return std::nullopt;
    },
};

static const Node show = {
    .name = "Show", .display_name = "Show a value", .category = "test", .description = "Shows.", .inputs = {{"any"}}, .output_node = true,
    .run = [](Value any) { context::show_text(any.kind() == BERTH_TEXT_VALUE ? any.get<std::string>() : any.describe()); },
};

static const Node wrong = {
    .name = "Wrong", .category = "test", .description = "Is wrong.", .inputs = {{.name = "how", .initial = 0, .min = 0, .max = 9}},
    .outputs = {{"picture", "None."}}, .deprecated = true, .experimental = true, .search_aliases = {"false", "bad"},
    .run = [](std::uint64_t how) -> Result<Image> {
        if (how == 0) return Tensor::ones(BERTH_F32, {2});
        if (how == 1) return std::unexpected(Error{BERTH_FAILED, "message", "code", "hint", {}});
        if (how == 2) return std::vector<Image>().at(how);
        return Image{};
    },
};

BERTH_PLUGIN(
    .nodes = {tensors, ops, values, wires, run_context, run_memory, lazy, show, wrong},
    .functions = {
        {"fail", [](const Fields &captures, const Fields &arguments) {
             raise({static_cast<berth_error_kind>(arguments.get<int>("kind")), captures.get<std::string>("text"), "code", "hint", {BERTH_HOST, 1, 2, 3}});
             return Fields();
         }},
        {"denoise", [](const Fields &captures, const Fields &arguments) {
             Tensor made = arguments.get<Tensor>("latent") * (captures.get<double>("scale") * arguments.get<double>("timestep"));
             return Fields{{"prediction", arguments.has("pooled") ? made + 1 : made}};
         }},
        {"encode-text", [](const Fields &, const Fields &arguments) {
             auto length = arguments.get<std::string>("text").size();
             return Fields{{"conditioning", Conditioning(std::vector<Entry>{{Tensor::zeros(BERTH_F32, {1, static_cast<std::int64_t>(length), 8})}})}};
         }},
        {"encode", [](const Fields &, const Fields &arguments) { return Fields{{"latent", arguments.get<Image>("image").permute({0, 3, 1, 2})}}; }},
        {"decode", [](const Fields &, const Fields &arguments) { return Fields{{"image", arguments.get<Tensor>("latent").permute({0, 2, 3, 1})}}; }},
    });
