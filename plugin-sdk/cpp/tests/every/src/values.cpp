#include "check.hpp"

const Node values = {
    .name = "Values", .category = "test", .description = "Tests.",
    .inputs = {{.name = "seed", .initial = UINT64_MAX, .min = 0, .max = UINT64_MAX, .seed = true},
               {.name = "low", .initial = INT64_MIN, .min = INT64_MIN, .max = INT64_MAX, .step = 2},
               {.name = "flag", .initial = true}, {.name = "bare"},
               {.name = "words", .initial = "ä\nb", .multiline = true},
               {.name = "mode", .initial = "two", .choices = {"one", "two"}},
               {.name = "model", .models = "upscale_models"}, {.name = "picture", .images = true},
               {"any"}, {"left_out"}},
    .outputs = {{}, {.name = "same", .passes = "any"}},
    .run = [](std::uint64_t seed, std::int64_t low, bool flag, std::optional<bool> bare, std::string words, std::string mode,
              std::optional<std::string> model_name, std::optional<std::string> picture, Value any, std::optional<double> left_out,
              UniqueId id, Prompt prompt, ExtraPngInfo info, const Fields &inputs) -> std::tuple<std::string, Value, std::uint64_t> {
        CHECK(seed == UINT64_MAX && low == INT64_MIN && flag && !bare && words == "ä\nb" && mode == "two" && !model_name && !picture && !left_out);
        CHECK(!id.value.empty() && prompt.value.contains("class_type") && info.value.empty() && any.kind() == BERTH_TENSOR);
        any.get<Mask>();
        CHECK(was(BERTH_INVALID_ARGUMENT, "expected a f32 tensor [batch, height, width], got a f32 tensor of ["));
        inputs.get<std::int64_t>("seed");
        CHECK(was(BERTH_INVALID_ARGUMENT, "Values: `seed`: an integer from"));
        inputs.get<std::uint32_t>("seed");
        CHECK(was(BERTH_INVALID_ARGUMENT, "Values: `seed`: an integer of 32 bits"));
        inputs.get<double>("seed");
        CHECK(was(BERTH_INVALID_ARGUMENT, "Values: `seed`: expected a number, got an integer"));
        inputs.get<double>("left_out");
        CHECK(was(BERTH_INVALID_ARGUMENT, "Values: `left_out` is missing") && inputs.get<Integer>("low") == INT64_MIN);

        Fields fields{{"a", true}, {"a", 5}, {"b", UINT64_MAX}, {"c", INT64_MIN}, {"d", .5}, {"e", "text"}, {"f", Bytes(2)},
                      {"g", Tensor::ones(BERTH_F32, {1})}, {"h", Tensor()}, {"i", Items::create({1, "x"})}, {"j", Object::create("EMPTY", {})},
                      {"k", ModelFile::open("upscale_models", "tiny-upscaler.safetensors")}};
        fields.set("l", std::optional<bool>());
        Object object = Object::create("MINE", fields);
        CHECK(object.type_name() == "MINE" && object.field_names().size() == 10 && object.fields().size() == 10 && object.fields().names()[0] == "a");
        CHECK(object.get<int>("a") == 5 && object.get<std::uint64_t>("b") == UINT64_MAX && object.get<std::int64_t>("c") == INT64_MIN);
        CHECK(object.get<float>("d") == .5f && object.get<std::string>("e") == "text" && object.get<Bytes>("f").size() == 2 && has(object.get<Tensor>("g"), {1}));
        CHECK(!object.has("h") && object.get<Object>("j") && !object.find<int>("h") && object.get<Value>("d").kind() == BERTH_NUMBER_VALUE);
        Items items = object.get<Items>("i");
        CHECK(items.size() == 2 && items.get<int>(0) == 1 && items.get<std::string>(1) == "x");
        items.get<int>(2);
        CHECK(was(BERTH_NOT_FOUND, ""));
        object.get<int>("nothing");
        CHECK(was(BERTH_INVALID_ARGUMENT, "MINE: `nothing` is missing"));
        object.get<Latent>("j");
        CHECK(was(BERTH_INVALID_ARGUMENT, "MINE: `j`: expected a LATENT, got a EMPTY"));
        CHECK(object.replace({{"d", .75}}).get<double>("d") == .75);

        ModelFile model = object.get<ModelFile>("k");
        CHECK(model.label() == "tiny-upscaler.safetensors" && model.keys().size() > 1 && model.info("0.weight")->shape.size() == 4 && !model.info("x"));
        CHECK(model.weight("0.weight").rank() == 4 && !model.metadata("nothing") && ModelFile::available("upscale_models").size() == 1);
        for (const auto &name : model.metadata_names()) CHECK(model.metadata(name));
        ModelFile::open("checkpoints", "x.safetensors");
        CHECK(was(BERTH_ACCESS_DENIED, ""));

        Function fail = Function::create("fail", {{"text", "captured"}});
        for (int kind = BERTH_INVALID_ARGUMENT; kind <= BERTH_OTHER; kind++) {
            auto result = attempt([&] { return fail.call({{"kind", kind}}); });
            CHECK(!result && result.error().kind == kind);
            Error e = result.error();
            bool short_of = kind == BERTH_QUOTA_EXCEEDED || kind == BERTH_OUT_OF_MEMORY;
            CHECK(short_of ? e.shortage.requested == 1 && e.shortage.used == 3 : e.message == (kind == BERTH_CANCELLED ? "cancelled" : "captured"));
            CHECK(kind != BERTH_FAILED || (e.code == "code" && e.hint == "hint"));
        }
        Function::create("no-such").call({});
        CHECK(caught());
        return {"values", any, UINT64_MAX};
    },
};
