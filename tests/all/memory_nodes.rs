//! The memory nodes: they move what they are told to, and no picture changes for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use berth_memory::{Cancel, PerTier, Tier};
use berth_sandbox::rights::{Requests, Right};
use berth_sandbox::{
    Failure, GuestError, List, NodeEvents, Object, Policy, RunContext, SandboxError, Value,
};
use berth_tests::host::{Checkpoint, DEMO, DEMO_WEIGHTS, Heard, Host, Options, manifest, text};
use berth_tests::oracle::data;

const PROMPT: &str = "a red handwritten seven";

fn bits(host: &Host, value: &Value) -> Vec<u32> {
    host.read(value).data.into_iter().map(f32::to_bits).collect()
}

/// A sampled latent, as bits.
fn sampled(host: &Host, checkpoint: &Checkpoint) -> Vec<u32> {
    let latent = host.sample(checkpoint, PROMPT, 42);
    bits(host, &berth_tests::host::field(&latent, "samples"))
}

fn charge(host: &Host, plugin: &str) -> PerTier<u64> {
    host.compute().memory().charge(host.plugin(plugin).account())
}

/// What a node says itself.
fn failure(error: SandboxError) -> Failure {
    match error {
        SandboxError::Guest { error: GuestError::Failed(failure), .. } => *failure,
        other => panic!("{other:?}"),
    }
}

fn as_text(value: &Value) -> String {
    match value {
        Value::Text(text) => text.to_string(),
        other => panic!("{} is no text", other.kind()),
    }
}

/// The memory plugin's component.
fn component() -> &'static [u8] {
    let all = berth_stock_plugins::components();
    all.iter().find(|(name, ..)| *name == "memory").unwrap().2
}

/// Has everything leave the device.
fn clear_vram(host: &Host) {
    let flags = ["unpin", "clear_dram_cache", "clear_vram", "clear_results"];
    let flags = flags.map(|flag| (flag, Value::Boolean(flag == "clear_vram")));
    host.run("MemoryCleanup", flags.into());
}

/// The demo's file.
fn demo() -> Vec<u8> {
    std::fs::read(data().join("models/checkpoints").join(DEMO)).unwrap()
}

/// The demo's file after a little training: the same names and shapes, every second weight
/// another.
fn tuned() -> Vec<u8> {
    let mut bytes = demo();
    let header = u64::from_le_bytes(bytes[..8].try_into().unwrap());
    let begin = 8 + usize::try_from(header).unwrap();
    // The last bit of every second `f16`.
    bytes[begin..].iter_mut().step_by(4).for_each(|byte| *byte ^= 1);
    bytes
}

/// A host with these checkpoints, and the folder that they are in.
fn host_of(checkpoints: &[(&str, &[u8])]) -> (Host, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("checkpoints")).unwrap();
    for (label, bytes) in checkpoints {
        std::fs::write(folder.path().join("checkpoints").join(label), bytes).unwrap();
    }
    let options = Options { models: vec![folder.path().into()], ..Options::default() };
    (Host::with(options), folder)
}

/// The node that puts aside a part of a checkpoint, its input, and the part.
fn parts(checkpoint: &Checkpoint) -> [(&'static str, &'static str, Value); 3] {
    [
        ("OffloadModel", "model", checkpoint.model.clone()),
        ("OffloadCLIP", "clip", checkpoint.clip.clone()),
        ("OffloadVAE", "vae", checkpoint.vae.clone()),
    ]
}

#[test]
fn an_offloaded_model_leaves_the_device_and_samples_the_same_bits_again() {
    let host = Host::default();
    let checkpoint = host.checkpoint(DEMO);
    let first = sampled(&host, &checkpoint);
    let before = charge(&host, "stable-diffusion").device;
    let outputs = host.run("OffloadModel", vec![("model", checkpoint.model.clone())]);
    let after = charge(&host, "stable-diffusion").device;
    assert!(before - after > DEMO_WEIGHTS / 2, "{before} bytes before, {after} after");
    let stats = as_text(&outputs[0]);
    for part in ["VRAM: ", "DRAM: ", "spill: ", "cache: ", "stable-diffusion: "] {
        assert!(stats.contains(part), "{part} is missing in:\n{stats}");
    }
    assert_eq!(sampled(&host, &checkpoint), first);
    assert!(charge(&host, "stable-diffusion").device > after, "the weights came back");
}

#[test]
fn what_is_offloaded_stays_in_dram() {
    let host = Host::default();
    let checkpoint = host.checkpoint(DEMO);
    sampled(&host, &checkpoint);
    let before = charge(&host, "stable-diffusion");
    let outputs = host.run("OffloadModel", vec![("model", checkpoint.model.clone())]);
    let after = charge(&host, "stable-diffusion");
    let left = before.device - after.device;
    assert!(after.host >= left, "{left} bytes left the device, {} are in DRAM", after.host);
    let read = host.stats().moved.from_disk;
    host.run("LoadFromDRAM", vec![("dram_id", outputs[1].clone())]);
    assert_eq!(host.stats().moved.from_disk, read, "it came back from DRAM, not from its file");
}

#[test]
fn offloading_the_text_encoder_leaves_the_denoiser_where_it_is() {
    let host = Host::default();
    let checkpoint = host.checkpoint(DEMO);
    sampled(&host, &checkpoint);
    let before = charge(&host, "stable-diffusion").device;
    host.run("OffloadCLIP", vec![("clip", checkpoint.clip.clone())]);
    let left = before - charge(&host, "stable-diffusion").device;
    assert!(left > 0, "the text encoder left");
    host.run("OffloadModel", vec![("model", checkpoint.model.clone())]);
    let all = before - charge(&host, "stable-diffusion").device;
    assert!(all - left > DEMO_WEIGHTS / 2, "{left} bytes left with the text encoder, of {all}");
}

#[test]
fn offloading_a_vae_that_only_decoded_leaves_the_denoiser_where_it_is() {
    let host = Host::default();
    let checkpoint = host.checkpoint(DEMO);
    let latent = host.sample(&checkpoint, PROMPT, 42);
    host.decode(&checkpoint, latent);
    let before = charge(&host, "stable-diffusion").device;
    host.run("OffloadVAE", vec![("vae", checkpoint.vae.clone())]);
    let left = before - charge(&host, "stable-diffusion").device;
    assert!(left > 0 && left < DEMO_WEIGHTS / 2, "{left} bytes left with the VAE, of {before}");
}

#[test]
fn a_model_of_any_kind_comes_back_from_dram_and_works_as_before() {
    let host = Host::default();
    let checkpoint = host.checkpoint(DEMO);
    let latent = host.sample(&checkpoint, PROMPT, 42);
    let picture = host.decode(&checkpoint, latent);
    let recalled = parts(&checkpoint).map(|(node, input, part)| {
        let kind = input.to_uppercase();
        let id = host.run(node, vec![(input, part)])[1].clone();
        let before = charge(&host, "stable-diffusion").device;
        let outputs = host.run("LoadFromDRAM", vec![("dram_id", id)]);
        assert!(charge(&host, "stable-diffusion").device > before, "{kind} is on the device");
        let Value::Object(object) = &outputs[0] else { panic!("{}", outputs[0].kind()) };
        assert_eq!(object.type_name, kind);
        outputs[0].clone()
    });
    drop(checkpoint);
    let [model, clip, vae] = recalled;
    let checkpoint = Checkpoint { model, clip, vae };
    let latent = host.sample(&checkpoint, PROMPT, 42);
    let again = host.decode(&checkpoint, latent);
    assert!(picture.data == again.data, "another picture");
}

#[test]
fn an_id_says_what_a_model_is_and_is_the_same_in_another_host() {
    let ids = |host: &Host, label: &str| {
        let checkpoint = host.checkpoint(label);
        parts(&checkpoint)
            .map(|(node, input, part)| as_text(&host.run(node, vec![(input, part)])[1]))
    };
    let first = ids(&Host::default(), DEMO);
    assert!(first.iter().all(|id| id.len() == 32 && id.chars().all(|c| c.is_ascii_hexdigit())));
    assert!(first[0] != first[1] && first[1] != first[2] && first[0] != first[2]);

    // The same file, elsewhere and at another time; and once under another name.
    let (host, _folder) = host_of(&[(DEMO, &demo()), ("other.safetensors", &demo())]);
    host.sample(&host.checkpoint(DEMO), PROMPT, 42);
    assert_eq!(ids(&host, DEMO), first);
    assert!(ids(&host, "other.safetensors").iter().all(|id| !first.contains(id)));

    // The same name, and other weights.
    let (host, _folder) = host_of(&[(DEMO, &tuned())]);
    assert!(ids(&host, DEMO).iter().all(|id| !first.contains(id)));
}

#[test]
fn a_model_whose_file_was_cut_off_is_not_put_aside_and_the_file_is_named() {
    let (host, folder) = host_of(&[(DEMO, &demo())]);
    let checkpoint = host.checkpoint(DEMO);
    let path = folder.path().join("checkpoints").join(DEMO);
    std::fs::File::options().write(true).open(&path).unwrap().set_len(1 << 20).unwrap();
    let error = host.try_run("OffloadVAE", vec![("vae", checkpoint.vae.clone())]).unwrap_err();
    assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
    assert!(host.dram_cache().is_empty());
}

#[test]
fn a_model_that_had_left_the_device_is_in_dram_after_it_is_offloaded() {
    let host = Host::default();
    let checkpoint = host.checkpoint(DEMO);
    let first = sampled(&host, &checkpoint);
    clear_vram(&host);
    let before = charge(&host, "stable-diffusion");
    assert!(before.device == 0 && before.host < DEMO_WEIGHTS / 4, "it is in its file: {before:?}");

    let outputs = host.run("OffloadModel", vec![("model", checkpoint.model.clone())]);
    let after = charge(&host, "stable-diffusion");
    assert!(after.device == 0 && after.host > DEMO_WEIGHTS / 2, "it is in DRAM: {after:?}");
    let read = host.stats().moved.from_disk;
    host.run("LoadFromDRAM", vec![("dram_id", outputs[1].clone())]);
    assert!(charge(&host, "stable-diffusion").device > DEMO_WEIGHTS / 2);
    assert_eq!(host.stats().moved.from_disk, read, "it came back from DRAM, not from its file");
    assert_eq!(sampled(&host, &checkpoint), first);
}

#[test]
fn offloading_a_decoder_that_did_not_run_yet_leaves_the_denoiser_where_it_is() {
    let host = Host::default();
    let checkpoint = host.checkpoint(DEMO);
    let first = sampled(&host, &checkpoint);
    let before = charge(&host, "stable-diffusion").device;
    host.run("OffloadVAE", vec![("vae", checkpoint.vae.clone())]);
    let left = before - charge(&host, "stable-diffusion").device;
    assert!(left < DEMO_WEIGHTS / 100, "{left} bytes of {before} left");
    assert_eq!(sampled(&host, &checkpoint), first);
}

#[test]
fn a_model_without_room_in_dram_that_had_left_the_device_stays_in_its_file() {
    let host = Host::with(Options { host: 1 << 20, ..Options::default() });
    let checkpoint = host.checkpoint(DEMO);
    let first = sampled(&host, &checkpoint);
    clear_vram(&host);
    host.run("OffloadModel", vec![("model", checkpoint.model.clone())]);
    assert_eq!(charge(&host, "stable-diffusion").device, 0);
    assert_eq!(sampled(&host, &checkpoint), first);
}

/// MiB of offloaded models in DRAM, as a report tells them.
fn offloaded(report: &Value) -> f64 {
    let report = as_text(report);
    let (before, _) = report.split_once(" MiB of offloaded models").unwrap_or_else(|| {
        panic!("no MiB of offloaded models in:\n{report}");
    });
    before.rsplit(' ').next().unwrap().parse().unwrap()
}

#[test]
fn one_model_more_in_the_dram_cache_does_not_hide_another() {
    let host = Host::default();
    let checkpoint = host.checkpoint(DEMO);
    let latent = host.sample(&checkpoint, PROMPT, 42);
    host.decode(&checkpoint, latent);
    let before = host.run("OffloadVAE", vec![("vae", checkpoint.vae.clone())]);
    let after = host.run("OffloadModel", vec![("model", checkpoint.model.clone())]);
    let (before, after) = (offloaded(&before[0]), offloaded(&after[0]));
    assert!(after >= before, "{before} MiB were there before, {after} MiB after");
}

#[test]
fn a_file_that_no_function_of_a_model_used_leaves_with_the_one_that_was_used() {
    let (host, _folder) = host_of(&[(DEMO, &demo()), ("other.safetensors", &tuned())]);
    let [first, second] = [DEMO, "other.safetensors"].map(|label| {
        let checkpoint = host.checkpoint(label);
        sampled(&host, &checkpoint);
        checkpoint
    });
    // The denoiser of one file was called, the decoder of the other was not.
    let fields = vec![
        ("denoise".into(), Value::Function(host.function(&first.model, "denoise"))),
        ("decode".into(), Value::Function(host.function(&second.vae, "decode"))),
    ];
    let both = Value::Object(Arc::new(Object::new("MODEL", fields)));
    // Nobody else can call for what was loaded of the second file.
    drop(second);
    let before = charge(&host, "stable-diffusion").device;
    host.run("OffloadModel", vec![("model", both)]);
    let left = before - charge(&host, "stable-diffusion").device;
    assert!(left > DEMO_WEIGHTS, "{left} bytes left, of {before}");
    let rest = charge(&host, "stable-diffusion").device;
    assert!(rest > 0, "the first file's text encoder stays");
}

#[test]
fn a_model_that_is_not_in_the_dram_cache_is_said_to_be_missing() {
    let host = Host::default();
    let missing = |id: Value| {
        let error = host.try_run("LoadFromDRAM", vec![("dram_id", id)]).unwrap_err();
        assert_eq!(error.to_string(), "Model not found in DRAM cache");
        assert!(error.hint().unwrap().contains("Offload Model"), "{:?}", error.hint());
        let failure = failure(error);
        assert_eq!(
            (&*failure.code, &*failure.message),
            ("model-not-found", "Model not found in DRAM cache")
        );
    };
    missing(text("0123456789abcdef0123456789abcdef"));
    missing(text(""));

    let checkpoint = host.checkpoint(DEMO);
    let [model, clip, _] = parts(&checkpoint)
        .map(|(node, input, part)| host.run(node, vec![(input, part)])[1].clone());
    assert_eq!(host.dram_cache().len(), 3);
    host.run("ClearDRAMCache", vec![("dram_id", model.clone())]);
    assert_eq!(host.dram_cache().len(), 2);
    missing(model);
    let stats = host.run("ClearDRAMCache", vec![]);
    assert!(as_text(&stats[0]).contains("0 B of offloaded models"));
    assert!(host.dram_cache().is_empty());
    missing(clip);
}

#[test]
fn a_host_without_room_in_dram_says_so() {
    // A model whose weights exist on the device only, and no room for them elsewhere.
    let host = Host::with(Options { host: 1 << 20, ..Options::default() });
    let held = host.run("AllocateVRAM", vec![("size", Value::Number(4.0 / 1024.0))]);
    let model = Object::new("MODEL", vec![("weights".into(), held[0].clone())]);
    let model = Value::Object(Arc::new(model));
    let error = host.try_run("OffloadModel", vec![("model", model)]).unwrap_err();
    assert_eq!(error.to_string(), "Insufficient system memory for offloading");
    assert!(error.hint().unwrap().contains("`--dram`"), "{:?}", error.hint());
    assert_eq!(failure(error).code, "insufficient-system-memory");
    assert!(host.dram_cache().is_empty());
}

#[test]
fn a_checkpoint_that_dram_has_no_room_for_cannot_be_offloaded() {
    let host = Host::with(Options { host: 1 << 20, ..Options::default() });
    let checkpoint = host.checkpoint(DEMO);
    sampled(&host, &checkpoint);
    let inputs = vec![("model", checkpoint.model.clone())];
    let error = host.try_run("OffloadModel", inputs).unwrap_err();
    assert_eq!(error.to_string(), "Insufficient system memory for offloading");
}

/// Whether two values are the same to their last byte.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Boolean(a), Value::Boolean(b)) => a == b,
        (Value::Integer(a), Value::Integer(b)) => a == b,
        (Value::Number(a), Value::Number(b)) => a.to_bits() == b.to_bits(),
        (Value::Text(a), Value::Text(b)) => a == b,
        (Value::Bytes(a), Value::Bytes(b)) => a == b,
        (Value::Tensor(a), Value::Tensor(b)) => a.handle().id() == b.handle().id(),
        (Value::Model(a), Value::Model(b)) => a.label() == b.label(),
        (Value::Function(a), Value::Function(b)) => Arc::ptr_eq(a, b),
        (Value::Object(a), Value::Object(b)) => {
            a.type_name == b.type_name
                && a.fields.len() == b.fields.len()
                && a.fields.iter().zip(&b.fields).all(|(a, b)| a.0 == b.0 && same(&a.1, &b.1))
        }
        (Value::Items(a), Value::Items(b)) => {
            a.items.len() == b.items.len() && a.items.iter().zip(&b.items).all(|(a, b)| same(a, b))
        }
        _ => false,
    }
}

#[test]
fn every_node_passes_every_kind_of_trigger_on_untouched() {
    let host = Host::default();
    let checkpoint = host.checkpoint(DEMO);
    let function = host.function(&checkpoint.model, "denoise");
    let captured = function.captures().iter().map(|(_, value)| value);
    let model = captured.into_iter().find(|value| matches!(value, Value::Model(_))).unwrap();
    let tensor = host.tensor(&[2], &[1.0, f32::NAN]);
    let triggers = [
        Value::Boolean(true),
        Value::Integer(u64::MAX.into()),
        Value::Number(-0.0),
        text("ä\n"),
        Value::Bytes(Arc::from(&b"\0\xff"[..])),
        tensor.clone(),
        model.clone(),
        Value::Function(function.clone()),
        checkpoint.clip.clone(),
        Value::Items(Arc::new(List::new(vec![tensor, Value::Boolean(false)]))),
    ];
    let id = host.run("OffloadVAE", vec![("vae", checkpoint.vae.clone())])[1].clone();
    let nodes = |trigger: Option<&Value>| {
        let mut nodes: Vec<_> = parts(&checkpoint)
            .into_iter()
            .map(|(node, input, part)| (node, vec![(input, part)]))
            .collect();
        let none = || vec![("clear_vram", Value::Boolean(false))];
        let flags = ["unpin", "clear_dram_cache", "clear_results"];
        let flags = flags.map(|flag| (flag, Value::Boolean(false)));
        nodes.push(("LoadFromDRAM", vec![("dram_id", id.clone())]));
        nodes.push(("ClearDRAMCache", vec![("dram_id", text("none"))]));
        nodes.push(("MemoryStats", vec![]));
        nodes.push(("MemoryCleanup", [none(), flags.to_vec()].concat()));
        nodes.push(("AllocateVRAM", vec![("size", Value::Number(0.0))]));
        for (_, inputs) in &mut nodes {
            inputs.extend(trigger.map(|trigger| ("trigger", trigger.clone())));
        }
        nodes
    };
    for trigger in &triggers {
        for (node, inputs) in nodes(Some(trigger)) {
            let outputs = host.run(node, inputs);
            let passed = outputs.last().unwrap();
            assert!(same(trigger, passed), "{node}: {trigger:?} became {passed:?}");
        }
    }
    for (node, inputs) in nodes(None) {
        let outputs = host.run(node, inputs);
        let Some(Value::Items(nothing)) = outputs.last() else { panic!("{node}") };
        assert!(nothing.items.is_empty(), "{node}");
    }
}

#[test]
fn allocated_vram_is_taken_on_the_device_until_it_is_let_go() {
    let host = Host::default();
    let before = host.stats().tier(Tier::Device).used;
    let held = host.run("AllocateVRAM", vec![("size", Value::Number(1.0 / 64.0))]);
    assert_eq!(host.stats().tier(Tier::Device).used, before + (16 << 20));
    let Value::Tensor(tensor) = &held[0] else { panic!("{}", held[0].kind()) };
    assert!(tensor.handle().residency().device);
    drop(held);
    assert_eq!(host.stats().tier(Tier::Device).used, before);

    let host = Host::with(Options { device: 1 << 20, ..Options::default() });
    let error = host.try_run("AllocateVRAM", vec![("size", Value::Number(1.0))]).unwrap_err();
    assert!(error.hint().unwrap().contains("--vram"), "{error}");
}

#[test]
fn memory_stats_are_shown_and_tell_who_holds_what() {
    let host = Host::default();
    let _held = host.run("AllocateVRAM", vec![("size", Value::Number(1.0 / 64.0))]);
    host.device_quota("memory", 1 << 30);
    let heard = Arc::new(Heard::default());
    let context = RunContext::new(Cancel::new(), heard.clone());
    let outputs = host.plugin("memory").run("MemoryStats", vec![], &context).unwrap();
    let stats = as_text(&outputs[0]);
    assert_eq!(*heard.0.lock().unwrap(), std::slice::from_ref(&stats));
    assert!(stats.contains("VRAM: 16.0 MiB of 1.0 GiB, peak 16.0 MiB"), "{stats}");
    assert!(stats.contains("memory: 16.0 MiB VRAM (quota 1.0 GiB), 0 B DRAM, 0 B disk"), "{stats}");
}

/// Counts who wants results forgotten.
#[derive(Default)]
struct Clears(AtomicU32);

impl NodeEvents for Clears {
    fn clear_results(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn a_cleanup_does_what_its_flags_say_and_nothing_else() {
    let host = Host::default();
    let checkpoint = host.checkpoint(DEMO);
    host.run("OffloadVAE", vec![("vae", checkpoint.vae.clone())]);
    let clean = |chosen: &str| {
        let events = Arc::new(Clears::default());
        let context = RunContext::new(Cancel::new(), events.clone());
        let flags = ["unpin", "clear_dram_cache", "clear_vram", "clear_results"];
        let inputs = flags.map(|flag| (flag.to_owned(), Value::Boolean(flag == chosen)));
        host.plugin("memory").run("MemoryCleanup", inputs.into(), &context).unwrap();
        events.0.load(Ordering::SeqCst)
    };
    assert_eq!((clean("unpin"), host.dram_cache().len()), (0, 1));
    assert_eq!((clean("clear_results"), host.dram_cache().len()), (1, 1));
    assert_eq!((clean("clear_dram_cache"), host.dram_cache().len()), (0, 0));
}

#[test]
fn a_cleanup_of_vram_moves_what_nobody_uses() {
    let host = Host::default();
    let checkpoint = host.checkpoint(DEMO);
    let first = sampled(&host, &checkpoint);
    assert!(host.stats().tier(Tier::Device).used > 0);
    clear_vram(&host);
    assert_eq!(host.stats().tier(Tier::Device).used, 0);
    assert_eq!(sampled(&host, &checkpoint), first);
}

/// The demo's checkpoint, loaded with more inputs.
fn loaded(host: &Host, more: &[(&'static str, Value)]) -> Checkpoint {
    let inputs = [&[("ckpt_name", text(DEMO))], more].concat();
    let values = host.run("CheckpointLoaderSimple", inputs);
    let Ok([model, clip, vae]) = <[Value; 3]>::try_from(values) else { panic!("three outputs") };
    Checkpoint { model, clip, vae }
}

#[test]
fn what_a_loader_is_told_about_memory_changes_no_result() {
    let reference = {
        let host = Host::default();
        sampled(&host, &host.checkpoint(DEMO))
    };
    for on in [false, true] {
        let host = Host::default();
        let flags = ["keep_on_vram", "use_dram", "auto_free_vram", "auto_free_dram"];
        let mut inputs: Vec<_> = flags.map(|flag| (flag, Value::Boolean(on))).into();
        inputs.push(("min_free_vram_gb", Value::Number(0.5)));
        inputs.push(("min_free_dram_gb", Value::Number(0.5)));
        let checkpoint = loaded(&host, &inputs);
        assert_eq!(sampled(&host, &checkpoint), reference, "{on}");
    }
}

#[test]
fn a_model_that_is_kept_on_vram_stays_until_it_is_unpinned() {
    let host = Host::default();
    let checkpoint = loaded(&host, &[("keep_on_vram", Value::Boolean(true))]);
    sampled(&host, &checkpoint);
    let there = charge(&host, "stable-diffusion").device;
    let clean = |unpin| {
        host.run(
            "MemoryCleanup",
            vec![
                ("unpin", Value::Boolean(unpin)),
                ("clear_dram_cache", Value::Boolean(false)),
                ("clear_vram", Value::Boolean(true)),
                ("clear_results", Value::Boolean(false)),
            ],
        );
        charge(&host, "stable-diffusion").device
    };
    // The noise schedule is no weight of the file, and need not stay.
    assert!(clean(false) > there / 2, "kept");
    assert_eq!(clean(true), 0);
}

#[test]
fn a_loader_makes_room_when_it_is_told_to() {
    // 48 of 64 MiB are taken, and half of all are wanted.
    let host = Host::with(Options { device: 64 << 20, ..Options::default() });
    let held = host.run("AllocateVRAM", vec![("size", Value::Number(48.0 / 1024.0))]);
    let half = || ("min_free_vram_gb", Value::Number(32.0 / 1024.0));
    loaded(&host, &[half()]);
    let Value::Tensor(tensor) = &held[0] else { panic!("{}", held[0].kind()) };
    assert!(tensor.handle().residency().device, "nothing was asked for");
    let more = [("auto_free_vram", Value::Boolean(true)), half()];
    loaded(&host, &more);
    assert!(!tensor.handle().residency().device, "there was no room for half");
}

#[test]
fn a_plugin_that_is_not_granted_memory_is_refused_by_name() {
    let mut host = Host::empty(Options::default());
    let error = host.load("curious", component()).unwrap_err();
    let SandboxError::NotRequested { plugin, right: Right::Memory } = &error else {
        panic!("{error:?}")
    };
    assert_eq!(plugin, "curious");
    assert!(error.hint().unwrap().contains("request `memory` in its `plugin.toml`"));

    let memory = Requests { memory: true, ..Requests::default() };
    let manifest = || Some(manifest("curious", &memory));
    let error =
        host.load_under("curious", component(), manifest(), &Policy::default()).unwrap_err();
    let SandboxError::NotGranted { right: Right::Memory, .. } = &error else { panic!("{error:?}") };
    assert_eq!(
        error.to_string(),
        "plugin `curious` requests the right `memory`, which it is not granted"
    );
    assert!(error.hint().unwrap().contains("`--grant curious=memory`"));
    let plugin = host.load_granted("curious", component(), &memory).unwrap();
    plugin.rights().check(Right::Memory).unwrap();
}

#[test]
fn only_who_moves_memory_asks_for_it() {
    let host = Host::default();
    for plugin in host.plugins() {
        let asks = ["memory", "stable-diffusion"].contains(&plugin.name());
        let imports = plugin.imports().iter().any(|i| i.starts_with("berth:node/memory"));
        assert_eq!((plugin.rights().requests().memory, imports), (asks, asks), "{}", plugin.name());
    }
}

#[test]
fn models_that_were_put_aside_go_with_their_host() {
    let host = Host::default();
    let checkpoint = host.checkpoint(DEMO);
    host.run("OffloadModel", vec![("model", checkpoint.model.clone())]);
    let sandbox = Arc::downgrade(host.sandbox());
    drop((checkpoint, host));
    assert!(sandbox.upgrade().is_none(), "a model in the cache keeps its host alive");
}
