#include "check.h"

void run_context(const berth_fields *inputs, berth_outputs *outputs) {
    (void)inputs;
    for (berth_level level = BERTH_TRACE; level <= BERTH_ERROR; level++) berth_log(level, "level %d of %s", level, "5");
    berth_progress(1, 2);
    berth_preview(berth_ones(BERTH_F32, BERTH_DIMS(4, 4, 3)));
    CHECK(!berth_cancelled());
    berth_show_text("shown");
    berth_artifact saved = berth_save(BERTH_OUTPUT, "files", "folder/every", "txt", "hello", 5);
    CHECK(strstr(saved.name, "every_") && strcmp(saved.subfolder, "folder") == 0 && saved.place == BERTH_OUTPUT);
    size_t size;
    const char *png = berth_read_input("x.png", &size);
    CHECK(size > 8 && memcmp(png + 1, "PNG", 3) == 0 && berth_input_fingerprint("x.png")[0]);
    berth_read_input("nothing.png", NULL);
    CHECK(caught(BERTH_NOT_FOUND, ""));
    berth_input_fingerprint("nothing.png");
    CHECK(caught(BERTH_NOT_FOUND, ""));
    berth_give(outputs, "context");
}

void run_memory(const berth_fields *inputs, berth_outputs *outputs) {
    (void)inputs;
    berth_fields *fields = berth_fields_new();
    berth_set(fields, "x", berth_ones(BERTH_F32, BERTH_DIMS(100, 100)));
    berth_object *object = berth_object_new("THING", fields);
    berth_statistics all = berth_memory_snapshot();
    CHECK(all.plugin_count > 0 && all.plugins[0].plugin[0] && all.tiers[BERTH_HOST].used <= all.tiers[BERTH_HOST].limit);
    berth_log(BERTH_INFO, "%s holds %llu", all.plugins[0].plugin, (unsigned long long)all.plugins[0].charge[BERTH_DEVICE]);
    berth_memory_offload(object);
    berth_memory_restore(object);
    const char *id = berth_memory_remember(object);
    CHECK(id[0] && HAS(berth_slice(berth_reshape(berth_as_tensor(berth_object_get(berth_memory_recall(id), "x")), BERTH_DIMS(10000)), 0, 0, 2), 1, 1));
    CHECK(berth_memory_forget(id) && !berth_memory_forget(id));
    berth_memory_recall(id);
    CHECK(caught(BERTH_NOT_FOUND, ""));
    CHECK(berth_memory_forget_all() == 0);
    berth_memory_keep(object, BERTH_DEVICE, true);
    berth_memory_keep_nothing();
    berth_memory_keep(object, BERTH_DISK, true);
    CHECK(caught(BERTH_INVALID_ARGUMENT, ""));
    berth_memory_make_free(BERTH_DEVICE, 1000);
    berth_memory_clear_results();
    berth_give(outputs, "memory");
}
