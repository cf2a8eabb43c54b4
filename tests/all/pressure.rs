//! The process, its disk or its model files have less than they should, and the picture is the same
//! or the error says what is missing.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

use berth_memory::{Cancel, OffloadModeName};
use berth_sandbox::{NodeEvents, RunContext, SandboxError, Value};
use berth_tests::GUESTS;
use berth_tests::host::{DEMO, DEMO_WEIGHTS, Host, Options, text};
use berth_tests::oracle::{Array, data};
use candle_core::{D, DType, Device, Tensor};
use safetensors::SafeTensors;
use safetensors::tensor::TensorView;

const PROMPT: &str = "a red handwritten seven on a blue background";

fn demo() -> PathBuf {
    data().join("models/checkpoints").join(DEMO)
}

/// How many times as wide as the demo's UNet that of [`widen`] is: 184 MB, as `f32`.
const WIDER: usize = 4;
const WIDE: &str = "wide.safetensors";

/// Memory of a process that runs the wide model, in bytes: what the limit on data counts, which
/// is all that is private and can be written, used or not. 100 MB were enough when this was written. The
/// pool of instances that the sandbox reserves at first is not had under such a limit, so this also
/// shows that it does without.
const CAGE: u64 = 128 << 20;

/// Writes the demo's model with a wider UNet that computes the same. Each channel is there
/// several times, one after the other, so that groups and heads have what they had; what sums
/// over channels is divided by their number.
fn widen(to: &Path) {
    let bytes = std::fs::read(demo()).unwrap();
    let (_, header) = SafeTensors::read_metadata(&bytes).unwrap();
    let tensors = candle_core::safetensors::load_buffer(&bytes, &Device::Cpu).unwrap();
    let wide: Vec<_> = tensors
        .into_iter()
        .map(|(key, tensor)| {
            let tensor = tensor.to_dtype(DType::F32).unwrap();
            let wide = match key.strip_prefix("model.diffusion_model.") {
                Some(name) => wider(name, &tensor),
                None => tensor,
            };
            let numbers: Vec<f32> = wide.flatten_all().unwrap().to_vec1().unwrap();
            (key, wide.dims().to_vec(), bytemuck::cast_slice(&numbers).to_vec())
        })
        .collect();
    let views = wide.iter().map(|(key, shape, bytes): &(_, _, Vec<u8>)| {
        let view = TensorView::new(safetensors::Dtype::F32, shape.clone(), bytes).unwrap();
        (key.as_str(), view)
    });
    safetensors::serialize_to_file(views, header.metadata().clone(), to).unwrap();
}

/// One weight of the UNet, with every dimension wider that is channels of the UNet.
fn wider(name: &str, weight: &Tensor) -> Tensor {
    let repeat = |tensor: &Tensor, dim: usize| {
        let channels = 0..tensor.dims()[dim] as u32;
        let times = channels.flat_map(|channel| [channel; WIDER]);
        let times = Tensor::from_iter(times, &Device::Cpu).unwrap();
        tensor.index_select(&times, dim).unwrap()
    };
    let mut wide = weight.clone();
    let text = ["attn2.to_k.weight", "attn2.to_v.weight"].iter().any(|end| name.ends_with(end));
    if name == "time_embed.0.weight" {
        // Of more sinusoids the old ones are every fourth.
        let (rows, width) = wide.dims2().unwrap();
        let zeros = Tensor::zeros((rows, width, WIDER - 1), DType::F32, &Device::Cpu).unwrap();
        wide = Tensor::cat(&[&wide.unsqueeze(2).unwrap(), &zeros], D::Minus1).unwrap();
        wide = wide.reshape((rows, width * WIDER)).unwrap();
    } else if wide.rank() > 1 && !text && name != "input_blocks.0.0.weight" {
        wide = (repeat(&wide, 1) / WIDER as f64).unwrap();
    }
    if name.ends_with("to_q.weight") {
        // Heads are wider, and attention divides by the root of that.
        wide = (wide / (WIDER as f64).sqrt()).unwrap();
    }
    if !name.starts_with("out.2.") {
        wide = repeat(&wide, 0);
    }
    wide
}

fn render(host: &Host, label: &str) -> Array {
    let checkpoint = host.checkpoint(label);
    let latent = host.sample(&checkpoint, PROMPT, 42);
    host.decode(&checkpoint, latent)
}

fn bits(picture: &Array) -> Vec<u8> {
    picture.data.iter().flat_map(|number| number.to_bits().to_le_bytes()).collect()
}

/// Runs one test of this program again, with nothing beside it, through another program.
fn again(mut through: Command, test: &str, folder: &Path) -> Output {
    through
        .arg(std::env::current_exe().unwrap())
        .args([test, "--exact", "--nocapture", "--test-threads=1"])
        .env(FOLDER, folder)
        // Each thread's stack counts as the process's memory, and there may be many cores.
        .env("RAYON_NUM_THREADS", "2")
        .output()
        .unwrap()
}

fn passed(output: &Output) {
    let said = String::from_utf8_lossy(&output.stdout);
    println!("{said}");
    let failed = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("1 passed"), "{said}\n{failed}");
}

/// Says that this process is such a second run, and where its files are.
const FOLDER: &str = "BERTH_TEST_PRESSURE";

#[test]
fn a_model_larger_than_the_process_may_grow_runs_and_writes_nothing() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        return run_in_a_cage(Path::new(&folder));
    }
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("checkpoints")).unwrap();
    let file = folder.path().join("checkpoints").join(WIDE);
    widen(&file);
    assert!(std::fs::metadata(&file).unwrap().len() > CAGE);
    let models = vec![folder.path().into(), data().join("models")];
    let host = Host::with(Options { models, ..Options::default() });
    let wide = render(&host, WIDE);
    let distance = wide.mean_distance(&render(&host, DEMO));
    assert!(distance < 0.01, "a model that computes the same, and is off by {distance}");
    std::fs::write(folder.path().join("picture"), bits(&wide)).unwrap();
    drop(host);

    let this = "pressure::a_model_larger_than_the_process_may_grow_runs_and_writes_nothing";
    let limited = |option: &str, bytes: u64| {
        let mut limited = Command::new("sh");
        let limit = format!("ulimit {option} \"$0\"; exec \"$@\"");
        limited.args(["-ec", &limit, &(bytes >> 10).to_string()]);
        limited
    };
    // Without a pool plugins are compiled otherwise, for which a cage has no room: that is
    // done first, and kept.
    passed(&again(limited("-v", 16 << 30), this, folder.path()));
    passed(&again(limited("-d", CAGE), this, folder.path()));

    let scope = || {
        let mut scope = Command::new("systemd-run");
        scope.args(["--user", "--scope", "--quiet", "-p", "MemorySwapMax=0", "-p"]);
        scope.arg(format!("MemoryMax={CAGE}"));
        scope
    };
    if scope().arg("true").output().is_ok_and(|output| output.status.success()) {
        passed(&again(scope(), this, folder.path()));
    } else {
        eprintln!("skipped in a cgroup: this system lets no test make one");
    }
}

fn run_in_a_cage(folder: &Path) {
    let host = Host::with(Options {
        device: 24 << 20,
        host: 4 << 20,
        // Spilling is allowed, and nothing makes use of it.
        spill: 1 << 30,
        models: vec![folder.into()],
        ..Options::default()
    });
    let before = written();
    let picture = render(&host, WIDE);
    let written = written() - before;
    let moved = host.stats().moved;
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    for line in status.lines().filter(|line| line.starts_with("Vm")) {
        println!("{line}");
    }
    println!("{written} bytes written; {moved:?}");
    assert!(bits(&picture) == std::fs::read(folder.join("picture")).unwrap(), "another picture");
    assert!(moved.from_disk > 10 * CAGE, "the weights were read again and again");
    assert_eq!((moved.to_spill, written), (0, 0));
}

/// Bytes that this process has had written to disks.
fn written() -> u64 {
    let io = std::fs::read_to_string("/proc/self/io").unwrap();
    let line = io.lines().find_map(|line| line.strip_prefix("write_bytes: ")).unwrap();
    line.parse().unwrap()
}

#[test]
fn a_full_spill_folder_is_an_error_that_names_it_and_the_host_goes_on() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        return run_on_a_full_disk(Path::new(&folder));
    }
    let folder = tempfile::tempdir().unwrap();
    let unshare = |script: &str| {
        let mut isolated = Command::new("unshare");
        isolated.args(["--user", "--map-root-user", "--mount", "sh", "-ec", script]);
        isolated.arg(folder.path());
        isolated
    };
    let mount = "mount -t tmpfs -o size=1m none \"$0\"";
    if !unshare(mount).output().is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: this system lets no test mount a small disk");
        return;
    }
    let mut isolated = unshare(&format!("{mount}; exec \"$@\""));
    // The host's folder for spilling is a temporary one.
    isolated.env("TMPDIR", folder.path());
    let this = "pressure::a_full_spill_folder_is_an_error_that_names_it_and_the_host_goes_on";
    passed(&again(isolated, this, folder.path()));
}

fn run_on_a_full_disk(disk: &Path) {
    let reference = bits(&render(&Host::default(), DEMO));
    let room = Options { device: 5 << 20, host: 1 << 20, spill: 1 << 30, ..Options::default() };
    let mut host = Host::with(room);
    assert!(host.folder().starts_with(disk));
    host.load("guests", GUESTS).unwrap();
    let hold = || host.try_run("Hold", vec![("mebibytes", Value::Integer(2))]);
    let held = [hold().unwrap(), hold().unwrap()];
    let error = hold().unwrap_err().to_string();
    println!("{error}");
    assert!(error.contains("full") && error.contains(host.folder().to_str().unwrap()), "{error}");
    for values in &held {
        let Value::Tensor(tensor) = &values[0] else { panic!("a tensor") };
        let mut bytes = vec![1; 2 << 20];
        tensor.read(0, &mut bytes).unwrap();
        assert!(bytes.iter().all(|&byte| byte == 0), "what was there before is there");
    }
    drop(held);
    assert!(bits(&render(&host, DEMO)) == reference);
}

/// Does something to a file when the sampler says that it has done a few steps.
struct Harm<F>(F);

impl<F: Fn() + Send + Sync + 'static> NodeEvents for Harm<F> {
    fn progress(&self, value: u32, _: u32) {
        if value == 3 {
            self.0();
        }
    }
}

/// The latent of a sampler during whose run something happens to its model file.
fn sample_while(host: &Host, harm: fn(&Path), file: PathBuf) -> Result<Vec<u8>, SandboxError> {
    let checkpoint = host.checkpoint(file.file_name().unwrap().to_str().unwrap());
    let size = || Value::Integer(64);
    let latent = host.run(
        "EmptyLatentImage",
        vec![("width", size()), ("height", size()), ("batch_size", Value::Integer(1))],
    );
    let inputs = vec![
        ("model", checkpoint.model.clone()),
        ("positive", host.encode(&checkpoint.clip, PROMPT)),
        ("negative", host.encode(&checkpoint.clip, "")),
        ("latent_image", latent.into_iter().next().unwrap()),
        ("seed", Value::Integer(42)),
        ("steps", Value::Integer(20)),
        ("cfg", Value::Number(3.0)),
        ("sampler_name", text("dpmpp_2m")),
        ("scheduler", text("karras")),
        ("denoise", Value::Number(1.0)),
    ];
    let inputs = inputs.into_iter().map(|(name, value)| (name.into(), value)).collect();
    let context = RunContext::new(Cancel::new(), Arc::new(Harm(move || harm(&file))));
    let samples = host.plugin("stable-diffusion").run("KSampler", inputs, &context)?.remove(0);
    Ok(bits(&host.decode(&checkpoint, samples)))
}

#[test]
fn a_model_file_that_is_lost_in_mid_run_is_named_and_nothing_else_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("checkpoints")).unwrap();
    // So little room that weights are read again at each step.
    let host = Host::with(Options {
        device: DEMO_WEIGHTS / 2,
        host: 1 << 20,
        mode: OffloadModeName::Sequential,
        models: vec![folder.path().into(), data().join("models")],
        ..Options::default()
    });
    let reference = bits(&render(&Host::default(), DEMO));
    let sample = |harm: fn(&Path)| {
        let path = folder.path().join("checkpoints/lost.safetensors");
        std::fs::copy(demo(), &path).unwrap();
        let result = sample_while(&host, harm, path.clone());
        (path.display().to_string(), result)
    };

    let (_, removed) = sample(|path| std::fs::remove_file(path).unwrap());
    assert!(removed.unwrap() == reference, "who has a file open has it after its removal");
    for harm in [
        |path: &Path| File::options().write(true).open(path).unwrap().set_len(1000).unwrap(),
        |path: &Path| std::fs::write(path, vec![0; 10_000_000]).unwrap(),
    ] {
        let (path, result) = sample(harm);
        let error = result.unwrap_err().to_string();
        println!("{error}");
        assert!(error.contains(&path), "{error}");
        assert_eq!((host.stats().leases, host.stats().allocations), (0, 0));
        assert!(bits(&render(&host, DEMO)) == reference);
    }
}
