//! The host moves weights under a running model, and the picture does not change by a bit.

use berth_memory::{OffloadModeName, Tier};
use berth_sandbox::{GuestError, SandboxError, Value};
use berth_tests::GUESTS;
use berth_tests::host::{DEMO, DEMO_WEIGHTS, Host, Options, text};

const PROMPT: &str = "a red handwritten seven on a blue background";

fn options(device: u64, mode: OffloadModeName) -> Options {
    Options { device, mode, ..Options::default() }
}

/// The demo's picture as bits, or the first error; and the most of the device that was in use.
fn render(host: &Host) -> Result<Vec<u32>, SandboxError> {
    let mut values = host.try_run("CheckpointLoaderSimple", vec![("ckpt_name", text(DEMO))])?;
    let (vae, clip, model) = (values.remove(2), values.remove(1), values.remove(0));
    let encode = |prompt: &str| {
        host.try_run("CLIPTextEncode", vec![("clip", clip.clone()), ("text", text(prompt))])
    };
    let size = || Value::Integer(64);
    let latent = host.try_run(
        "EmptyLatentImage",
        vec![("width", size()), ("height", size()), ("batch_size", Value::Integer(1))],
    )?;
    let sampled = host.try_run(
        "KSampler",
        vec![
            ("model", model),
            ("positive", encode(PROMPT)?.remove(0)),
            ("negative", encode("")?.remove(0)),
            ("latent_image", latent.into_iter().next().unwrap()),
            ("seed", Value::Integer(42)),
            ("steps", Value::Integer(20)),
            ("cfg", Value::Number(3.0)),
            ("sampler_name", text("dpmpp_2m")),
            ("scheduler", text("karras")),
            ("denoise", Value::Number(1.0)),
        ],
    )?;
    let samples = sampled.into_iter().next().unwrap();
    let image = host.try_run("VAEDecode", vec![("samples", samples), ("vae", vae)])?;
    Ok(host.read(&image[0]).data.into_iter().map(f32::to_bits).collect())
}

fn stays_below_its_limit(host: &Host) {
    let device = *host.stats().tier(Tier::Device);
    assert!(device.peak <= device.limit.unwrap(), "{device:?}");
    assert!(device.peak > 0);
}

/// What an error says of the device: requested, limit.
fn shortage(error: &SandboxError) -> (u64, u64) {
    match error {
        SandboxError::Guest {
            error: GuestError::OutOfMemory(short) | GuestError::QuotaExceeded(short),
            ..
        } => (short.requested, short.limit),
        other => panic!("{other:?}"),
    }
}

/// The least room in which every operation of the demo fits, found by giving each that
/// fails what it says that it needs.
fn smallest_room(mode: OffloadModeName) -> u64 {
    let mut room = 1 << 10;
    loop {
        match render(&Host::with(options(room, mode))) {
            Ok(_) => return room,
            Err(error) => {
                let (requested, limit) = shortage(&error);
                assert_eq!(limit, room);
                assert!(requested > room, "{requested} bytes fit into {room}");
                room = requested;
            }
        }
    }
}

/// The modes that let something leave.
const MOVING: [OffloadModeName; 4] = [
    OffloadModeName::Model,
    OffloadModeName::Sequential,
    OffloadModeName::Balanced,
    OffloadModeName::Planned,
];

/// What DRAM there is: enough for everything, too little for what is dirty, and next to none.
const DRAM: [(&str, u64); 3] = [("ample", 4 << 30), ("short", 200 << 10), ("tiny", 32 << 10)];

/// Rooms for a part of the weights beside what else the demo takes at most, and the least
/// in which its largest operation fits.
fn rooms() -> Vec<(String, u64)> {
    let everything = Host::default();
    render(&everything).unwrap();
    stays_below_its_limit(&everything);
    let stats = everything.stats();
    let weights = stats.moved.to_device;
    let others = stats.tiers.device.peak - weights;
    let smallest = smallest_room(OffloadModeName::Sequential);
    println!("{weights} bytes of weights, {others} others, {smallest} for the largest operation");
    assert!(smallest < weights / 4);
    let mut rooms: Vec<_> = [100, 75, 50, 25, 10]
        .map(|percent| (format!("{percent} %"), others + weights * percent / 100))
        .into();
    rooms.push(("the largest operation".into(), smallest));
    rooms
}

#[test]
fn the_picture_is_the_same_bits_in_every_mode_and_every_room_with_any_dram() {
    let reference = render(&Host::default()).unwrap();
    for (part, device) in rooms() {
        for mode in MOVING {
            for (dram, host) in DRAM {
                let what = format!("{mode} with room for {part}, {dram} DRAM");
                let options = Options { host, spill: 1 << 30, ..options(device, mode) };
                let host = Host::with(options);
                let picture = render(&host).unwrap_or_else(|error| panic!("{what}: {error}"));
                assert!(picture == reference, "{what}: another picture");
                stays_below_its_limit(&host);
                let stats = host.stats();
                assert_eq!((stats.allocations, stats.tiers.disk.used), (0, 0), "{what}");
                println!("{what}: {:?}", stats.moved);
                if device < DEMO_WEIGHTS / 2 && mode != OffloadModeName::Sequential {
                    assert!(stats.moved.to_device > DEMO_WEIGHTS, "{what}: nothing came back");
                }
            }
        }
    }
}

#[test]
fn what_is_larger_than_the_room_says_so_in_every_mode() {
    for mode in MOVING {
        let smallest = smallest_room(mode);
        let host = Host::with(options(smallest - 1, mode));
        let error = render(&host).unwrap_err();
        assert_eq!(shortage(&error), (smallest, smallest - 1), "{mode}");
        assert!(error.to_string().contains(&smallest.to_string()), "{error}");
        assert!(error.hint().unwrap().contains("--vram"));
        stays_below_its_limit(&host);
        assert_eq!(host.stats().leases, 0);
    }
}

/// Bytes that a sampler's step moves to the device in each mode, once it is in its stride, beside
/// what must be moved.
#[test]
fn a_planned_step_moves_what_does_not_fit_and_hardly_more() {
    let unlimited = Step::new(Host::default());
    unlimited.run(1);
    let weights = unlimited.host.stats().moved.to_device;
    // With all weights there: at the first step they come one after the other.
    let meter = unlimited.host.compute().memory().meter();
    unlimited.run(1);
    let others = meter.peak().device - weights;
    for percent in [100, 75, 50, 25, 10] {
        let room = weights * percent / 100;
        let bound = weights - room + weights / 50;
        for mode in [OffloadModeName::Planned, OffloadModeName::Balanced] {
            let step = Step::new(Host::with(options(room + others, mode)));
            step.run(3);
            let before = step.host.stats().moved.to_device;
            step.run(10);
            let moved = (step.host.stats().moved.to_device - before) / 10;
            println!("{mode} at {percent} %: {moved} of {weights} bytes a step, bound {bound}");
            if mode == OffloadModeName::Planned {
                assert!(moved <= bound, "{percent} %: {moved} bytes, more than {bound}");
            }
        }
    }
}

/// One step of the sampler: batch 2, 8 × 8 latents, 77 tokens.
struct Step {
    host: Host,
    model: Value,
    arguments: Vec<(String, Value)>,
}

impl Step {
    fn new(host: Host) -> Self {
        let model = host.checkpoint(DEMO).model;
        let arguments = host.step_inputs();
        Self { host, model, arguments }
    }

    fn run(&self, times: usize) {
        let denoise = self.host.function(&self.model, "denoise");
        for _ in 0..times {
            denoise.call(self.arguments.clone(), self.host.context()).unwrap();
        }
    }
}

#[test]
fn without_offloading_the_picture_is_the_same_or_there_is_an_error() {
    let reference = render(&Host::default()).unwrap();
    let host = Host::with(options(1 << 30, OffloadModeName::None));
    assert!(render(&host).unwrap() == reference);
    assert_eq!(host.stats().evictions, 0);
    // What it held at most is the least it needs.
    let peak = host.stats().tier(Tier::Device).peak;
    let host = Host::with(options(peak, OffloadModeName::None));
    assert!(render(&host).unwrap() == reference);
    let host = Host::with(options(peak - 1, OffloadModeName::None));
    assert_eq!(shortage(&render(&host).unwrap_err()).1, peak - 1);
    for room in [DEMO_WEIGHTS / 2, DEMO_WEIGHTS / 4] {
        let host = Host::with(options(room, OffloadModeName::None));
        let (requested, limit) = shortage(&render(&host).unwrap_err());
        assert_eq!(limit, room);
        assert!(requested > 0);
        stays_below_its_limit(&host);
    }
}

#[test]
fn a_quota_slows_its_plugin_changes_nothing_and_moves_no_neighbour() {
    let reference = render(&Host::default()).unwrap();
    let mut host = Host::default();
    host.load("guests", GUESTS).unwrap();
    let held = host.run("Hold", vec![("mebibytes", Value::Integer(4))]);
    let Value::Tensor(neighbour) = &held[0] else { panic!("a tensor") };
    let residency = neighbour.handle().residency();
    host.device_quota("stable-diffusion", DEMO_WEIGHTS / 2);
    assert!(render(&host).unwrap() == reference, "a quota changed the picture");
    assert_eq!(neighbour.handle().residency(), residency, "a neighbour's tensor moved");
    let stats = host.stats();
    assert!(stats.evictions > 0 && stats.moved.to_device > DEMO_WEIGHTS, "{stats:?}");
}

#[test]
fn an_operation_larger_than_its_plugins_quota_says_so_with_its_figures() {
    let host = Host::default();
    host.device_quota("stable-diffusion", 10_000);
    let error = render(&host).unwrap_err();
    let (requested, limit) = shortage(&error);
    assert!(requested > limit && limit == 10_000, "{error}");
    assert!(error.hint().unwrap().contains("--quota stable-diffusion="), "{:?}", error.hint());
    host.device_quota("stable-diffusion", 1 << 30);
    render(&host).expect("the process lives, and so does the plugin");
}

#[test]
fn everything_is_given_back_when_the_last_value_goes() {
    let host = Host::default();
    render(&host).unwrap();
    let stats = host.stats();
    assert_eq!((stats.allocations, stats.leases), (0, 0));
    for tier in [Tier::Device, Tier::Host, Tier::Disk] {
        assert_eq!(stats.tier(tier).used, 0, "{tier}");
    }
}
