#include "check.hpp"

const Node run_context = {.name = "Context", .category = "test", .description = "Tests.", .run = []() -> std::string {
    context::debug("debug"), context::info("info 100%s"), context::warn("warn"), context::error("error"), context::log(BERTH_TRACE, "trace");
    context::progress(1, 2);
    context::preview(Tensor::ones(BERTH_F32, {4, 4, 3}));
    context::show_text("shown");
    auto saved = context::save(BERTH_OUTPUT, "files", "folder/every", "txt", std::as_bytes(std::span("hello", 5)));
    CHECK(!context::cancelled() && saved.name.starts_with("every_") && saved.subfolder == "folder" && saved.place == BERTH_OUTPUT);
    CHECK(context::read_input("x.png").size() > 8 && !context::input_fingerprint("x.png").empty());
    context::read_input("nothing.png");
    CHECK(was(BERTH_NOT_FOUND, ""));
    return "context";
}};

const Node run_memory = {.name = "Memory", .category = "test", .description = "Tests.", .run = []() -> std::string {
    Object object = Object::create("THING", {{"x", Tensor::ones(BERTH_F32, {100, 100})}});
    auto all = memory::snapshot();
    CHECK(!all.plugins.empty() && !all.plugins[0].plugin.empty() && all.tiers[BERTH_HOST].used <= all.tiers[BERTH_HOST].limit);
    memory::offload(object), memory::restore(object);
    std::string id = memory::remember(object);
    CHECK(memory::recall(id).type_name() == "THING" && memory::forget(id) && !memory::forget(id) && memory::forget_all() == 0);
    memory::recall(id);
    CHECK(was(BERTH_NOT_FOUND, ""));
    memory::keep(object, BERTH_DEVICE, true), memory::keep_nothing(), memory::make_free(BERTH_DEVICE, 1000), memory::clear_results();
    return "memory";
}};
