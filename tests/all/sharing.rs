//! A model is on the device once, whoever opens it and by whatever name; what only looks
//! like it is another model.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use berth_memory::OffloadModeName;
use berth_sandbox::{Manifest, Plugin, SandboxError, Value, manifest};
use berth_tests::host::{DEMO, DEMO_WEIGHTS, Host, Options, text};
use berth_tests::oracle::data;

/// The plugin of the demo's model, and the same component by another name.
const PLUGINS: [&str; 2] = ["stable-diffusion", "twin"];

/// A host with the demo's model, and a folder of models of its own.
struct Shop {
    host: Host,
    folder: tempfile::TempDir,
}

impl Shop {
    fn new() -> Self {
        Self::with(Options::default())
    }

    fn with(mut options: Options) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("checkpoints")).unwrap();
        options.models.push(folder.path().into());
        let mut host = Host::with(options);
        let components = berth_stock_plugins::components();
        let (_, text, bytes) = components.iter().find(|(name, ..)| *name == PLUGINS[0]).unwrap();
        let rights = Manifest::parse("", text).unwrap().requests;
        // With a manifest inside of it, it is another component.
        let bytes = manifest::embed(bytes, text);
        host.load_granted(PLUGINS[1], &bytes, &rights).unwrap();
        Self { host, folder }
    }

    fn path(&self, label: &str) -> PathBuf {
        self.folder.path().join("checkpoints").join(label)
    }

    /// A copy of the demo's model, with the last weight's last bit as it is or turned.
    fn copy(&self, label: &str, turned: bool) {
        let mut bytes = std::fs::read(demo()).unwrap();
        *bytes.last_mut().unwrap() ^= u8::from(turned);
        std::fs::write(self.path(label), bytes).unwrap();
    }

    /// A model that is open.
    fn open(&self, plugin: &str, label: &str) -> Value {
        let plugin: &Arc<Plugin> = self.host.plugin(plugin);
        let inputs = vec![("ckpt_name".into(), text(label))];
        plugin.run("CheckpointLoaderSimple", inputs, self.host.context()).unwrap().remove(0)
    }

    /// The bits of what a model says of noise, or what went wrong.
    fn step(&self, model: &Value) -> Result<Vec<u32>, SandboxError> {
        self.host.try_step(model)
    }

    /// Bytes on the device.
    fn used(&self) -> u64 {
        self.host.stats().tiers.device.used
    }

    fn charge(&self, plugin: &str) -> u64 {
        let account = self.host.plugin(plugin).account();
        self.host.compute().memory().charge(account).device
    }
}

fn demo() -> PathBuf {
    data().join("models/checkpoints").join(DEMO)
}

/// Leaves a file's place and name, and changes everything else.
fn truncate(path: &Path) {
    std::fs::File::options().write(true).open(path).unwrap().set_len(100_000).unwrap();
}

#[test]
fn two_plugins_hold_one_copy_of_a_model_and_each_is_charged_for_all_of_it() {
    let shop = Shop::new();
    let models = PLUGINS.map(|plugin| shop.open(plugin, DEMO));
    let noise = shop.step(&models[0]).unwrap();
    let one = shop.used();
    assert!(one > DEMO_WEIGHTS / 2);
    assert!(shop.step(&models[1]).unwrap() == noise);
    assert_eq!(shop.used(), one);
    assert_eq!(PLUGINS.map(|plugin| shop.charge(plugin)), [one; 2]);
    let [first, second] = models;
    drop(first);
    assert_eq!((shop.used(), shop.charge(PLUGINS[0])), (one, 0));
    drop(second);
    assert_eq!((shop.used(), shop.charge(PLUGINS[1])), (0, 0));
}

#[test]
fn a_copy_of_a_file_is_the_same_model() {
    let shop = Shop::new();
    shop.copy("downloaded again.safetensors", false);
    let first = shop.open(PLUGINS[0], DEMO);
    let noise = shop.step(&first).unwrap();
    let one = shop.used();
    for plugin in PLUGINS {
        let copy = shop.open(plugin, "downloaded again.safetensors");
        assert!(shop.step(&copy).unwrap() == noise);
        assert_eq!(shop.used(), one, "{plugin}");
        assert_eq!(shop.charge(plugin), one, "{plugin}");
    }
}

#[test]
fn a_file_that_differs_by_a_bit_is_another_model() {
    let shop = Shop::new();
    shop.copy("turned.safetensors", true);
    let first = shop.open(PLUGINS[0], DEMO);
    shop.step(&first).unwrap();
    let one = shop.used();
    let turned = shop.open(PLUGINS[0], "turned.safetensors");
    shop.step(&turned).unwrap();
    assert_eq!(shop.used(), 2 * one);
}

#[test]
fn a_file_that_was_replaced_is_another_model_while_the_old_one_runs_on() {
    // So little room that each step reads most weights again.
    let room = Options { device: DEMO_WEIGHTS / 2, host: 1 << 20, ..Options::default() };
    let shop = Shop::with(Options { mode: OffloadModeName::Sequential, ..room });
    shop.copy("x.safetensors", false);
    let before = shop.open(PLUGINS[0], "x.safetensors");
    let noise = shop.step(&before).unwrap();
    std::fs::remove_file(shop.path("x.safetensors")).unwrap();
    assert!(shop.step(&before).unwrap() == noise, "deleted while it is open");
    shop.copy("x.safetensors", true);
    let after = shop.open(PLUGINS[0], "x.safetensors");
    shop.step(&after).unwrap();
    assert!(shop.step(&before).unwrap() == noise, "replaced while it is open");
    let stats = || shop.host.stats().allocations;
    let both = stats();
    drop(before);
    assert_eq!(2 * stats(), both, "they shared nothing");
}

#[test]
fn the_loss_of_a_file_is_no_loss_while_a_copy_is_open() {
    let room = Options { device: DEMO_WEIGHTS / 2, host: 1 << 20, ..Options::default() };
    let shop = Shop::with(Options { mode: OffloadModeName::Sequential, ..room });
    let labels = ["x.safetensors", "y.safetensors"];
    labels.iter().for_each(|label| shop.copy(label, false));
    let models = labels.map(|label| shop.open(PLUGINS[0], label));
    let noise = shop.step(&models[0]).unwrap();
    truncate(&shop.path(labels[0]));
    for model in &models {
        assert!(shop.step(model).unwrap() == noise);
    }
    truncate(&shop.path(labels[1]));
    let error = shop.step(&models[0]).unwrap_err().to_string();
    assert!(error.contains(shop.path(labels[1]).to_str().unwrap()), "{error}");
    // Whoever opens another file of these bytes meets nothing of that.
    shop.copy("z.safetensors", false);
    let other = shop.open(PLUGINS[1], "z.safetensors");
    assert!(shop.step(&other).unwrap() == noise);
}
