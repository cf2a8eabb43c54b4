//! Cases 31 to 36: room, identity, cancellation, and talk.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use berth_hostile::Hostile;
use berth_memory::{Cancel, Tier};
use berth_sandbox::rights::Requests;
use berth_sandbox::{
    Artifact, GuestError, Level, NodeEvents, Plugin, Policy, RunContext, RunLimits, SandboxError,
    Value,
};
use berth_tests::host::{DEMO, DEMO_WEIGHTS, Options, manifest, text};
use berth_tests::{GUESTS, HOSTILE};

use super::tensors::refusal;
use super::{Arena, Case, Guest, NAME, Outcome};

/// Nothing on any tier is charged to a plugin that is still loaded.
fn holds_nothing(arena: &Arena, guest: &Plugin) {
    let charge = arena.host.compute().memory().charge(guest.account());
    assert_eq!((charge.device, charge.host, charge.disk), (0, 0, 0));
}

/// All of its quota, and then one byte more.
pub struct ToTheByte;

impl Case for ToTheByte {
    const GUEST: Guest = Guest::Node(Hostile::ToTheByte);

    fn provoke(arena: &Arena) -> Outcome {
        let guest = arena.load(RunLimits::default()).unwrap();
        let quota = |tier, bytes| {
            arena.host.compute().memory().set_quota(guest.account(), tier, Some(bytes));
        };
        let inputs = |device: u32, host: u32| {
            vec![("device", Value::Integer(device.into())), ("host", Value::Integer(host.into()))]
        };
        let exceeded = |device, host| {
            let error = refusal(arena, &guest, inputs(device, host));
            let SandboxError::Guest { error: GuestError::QuotaExceeded(short), .. } = &error else {
                panic!("{error:?}")
            };
            holds_nothing(arena, &guest);
            (short.tier, short.requested, short.limit, error)
        };
        quota(Tier::Device, 5000);
        quota(Tier::Host, 3000);
        // One operation that is over it by itself, on either tier.
        let (tier, requested, limit, _) = exceeded(5001, 1);
        assert_eq!((tier, requested, limit), (Tier::Device, 5001, 5000));
        let (tier, requested, limit, _) = exceeded(1, 3001);
        assert_eq!((tier, requested, limit), (Tier::Host, 3001, 3000));
        // To the byte on both, and there is no room for another on either.
        let (_, _, limit, error) = exceeded(5000, 3000);
        assert!(matches!(limit, 5000 | 3000), "{error}");
        Outcome::Refused(error)
    }
}

/// More than fits, made and dropped without a pause, where everything is short.
pub struct Storms;

/// The device of the storm: four times the neighbour's weights, and less than the storm wants.
const SMALL: u64 = 32 << 20;

impl Case for Storms {
    const GUEST: Guest = Guest::Node(Hostile::Storm);

    fn options() -> Options {
        Options { device: SMALL, host: 256 << 20, ..Options::default() }
    }

    fn provoke(arena: &Arena) -> Outcome {
        let guest = arena.load(RunLimits::default()).unwrap();
        let memory = arena.host.compute().memory();
        let victim = arena.host.plugin("stable-diffusion").account().clone();
        // What the neighbour has on the device when it is left alone.
        let model = arena.host.checkpoint(DEMO).model;
        arena.host.call(&model, "denoise", step_of(arena));
        let alone = memory.charge(&victim).device;
        let begin = Instant::now();
        let inputs = vec![("rounds", Value::Integer(10))];
        let moved = arena.host.stats().moved;
        let (steps, slowest) = std::thread::scope(|threads| {
            let storm = threads.spawn(|| arena.run_in(&guest, inputs, arena.host.context()));
            let mut slowest = Duration::ZERO;
            let mut steps = 0;
            while steps == 0 || !storm.is_finished() {
                let step = Instant::now();
                arena.host.call(&model, "denoise", step_of(arena));
                slowest = slowest.max(step.elapsed());
                steps += 1;
            }
            storm.join().unwrap().unwrap();
            (steps, slowest)
        });
        // All of what the neighbour has is within its share, so the storm falls on who raised
        // it: what it made goes to the host, and the neighbour goes on.
        assert!(alone < SMALL / 4, "{alone} bytes are more than a share");
        let thrown = arena.host.stats().moved.to_host - moved.to_host;
        println!("{steps} steps, {slowest:?} at most; {thrown} bytes of the storm left");
        assert!(thrown > SMALL, "{thrown}");
        assert!(slowest < Duration::from_secs(5), "{slowest:?}");
        assert!(begin.elapsed() < Duration::from_secs(20));
        assert!(alone >= DEMO_WEIGHTS / 2);
        // Its quota is its own again.
        holds_nothing(arena, &guest);
        Outcome::Coped
    }
}

/// What a step of the demo's model takes.
fn step_of(arena: &Arena) -> Vec<(&'static str, Value)> {
    vec![
        ("latent", arena.host.tensor(&[1, 4, 8, 8], &[0.5; 256])),
        ("timestep", Value::Number(500.0)),
        ("conditioning", arena.host.tensor(&[1, 77, 64], &[0.25; 77 * 64])),
    ]
}

/// Two plugins under one name, and one plugin under two.
pub struct Doubles;

impl Case for Doubles {
    const GUEST: Guest = Guest::Bytes(|| HOSTILE.to_vec());

    fn provoke(arena: &Arena) -> Outcome {
        let guest = arena.load(RunLimits::default()).unwrap();
        let load = |name: &str, bytes: &[u8]| {
            let manifest = manifest(name, &Requests::default());
            arena.host.sandbox().load(name, bytes, Some(manifest), &Policy::default())
        };
        let error = load("another", HOSTILE).unwrap_err();
        assert!(
            matches!(&error, SandboxError::LoadedTwice { plugin, other }
                if plugin == "another" && other == NAME),
            "{error:?}"
        );
        // A stock plugin's name is as taken as any other.
        let error = load("image", GUESTS).unwrap_err();
        assert!(matches!(&error, SandboxError::NameTaken { plugin } if plugin == "image"));
        let error = load(NAME, GUESTS).unwrap_err();
        assert!(matches!(error, SandboxError::NameTaken { .. }), "{error:?}");
        // The same under the same name is no other. When one of both is gone, the name is not.
        drop(load(NAME, HOSTILE).unwrap());
        let error = load(NAME, GUESTS).unwrap_err();
        assert!(matches!(error, SandboxError::NameTaken { .. }), "{error:?}");
        drop(guest);
        drop(load(NAME, GUESTS).unwrap());
        // Who comes at the same time does not come twice.
        let loads = [("one", HOSTILE), ("two", HOSTILE), ("three", GUESTS), ("three", HOSTILE)];
        let loaded = std::thread::scope(|threads| {
            let each = |(name, bytes)| threads.spawn(move || load(name, bytes));
            let loads = loads.map(each).map(|load| load.join().unwrap());
            loads.into_iter().flatten().collect::<Vec<_>>()
        });
        let (mut names, mut digests): (Vec<_>, Vec<_>) =
            loaded.iter().map(|plugin| (plugin.name(), plugin.digest())).unzip();
        names.sort_unstable();
        digests.sort_unstable();
        assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "{names:?}");
        assert!(digests.windows(2).all(|pair| pair[0] != pair[1]), "{names:?}");
        Outcome::Refused(error)
    }
}

/// Stops a run after so many of its steps.
struct StopsAt {
    step: usize,
    seen: AtomicUsize,
    cancel: Cancel,
}

impl NodeEvents for StopsAt {
    fn progress(&self, _: u32, _: u32) {
        if self.seen.fetch_add(1, Ordering::Relaxed) + 1 == self.step {
            self.cancel.cancel();
        }
    }
}

/// Cancelled at each of its steps, and at any moment between them.
pub struct Cancelled;

impl Case for Cancelled {
    const GUEST: Guest = Guest::Node(Hostile::Busy);

    fn provoke(arena: &Arena) -> Outcome {
        const STEPS: usize = 14;
        let guest = arena.load(RunLimits::default()).unwrap();
        let model = arena.host.checkpoint(DEMO).model;
        let run = |step: usize, late: Option<Duration>| {
            let (cancel, seen) = (Cancel::new(), AtomicUsize::new(0));
            let stops = Arc::new(StopsAt { step, seen, cancel: cancel.clone() });
            let mut inputs = step_of(arena);
            inputs.retain(|(name, _)| *name != "timestep");
            inputs.push(("model", model.clone()));
            let context = RunContext::new(cancel.clone(), stops.clone());
            let error = std::thread::scope(|threads| {
                if let Some(late) = late {
                    threads.spawn(move || {
                        std::thread::sleep(late);
                        cancel.cancel();
                    });
                }
                arena.run_in(&guest, inputs, &context).unwrap_err()
            });
            assert!(matches!(error, SandboxError::Cancelled), "{error:?}");
            holds_nothing(arena, &guest);
            stops.seen.load(Ordering::Relaxed)
        };
        for step in 1..=STEPS {
            let seen = run(step, None);
            assert!((step..=STEPS).contains(&seen), "{seen} steps, cancelled at {step}");
        }
        // Lehmer's generator, so that it is the same each time.
        let mut chance = 42u64;
        for _ in 0..30 {
            chance = chance * 48_271 % 0x7fff_ffff;
            run(0, Some(Duration::from_micros(chance % 20_000)));
        }
        Outcome::Coped
    }
}

/// Hears that it was cancelled, and goes on.
pub struct Deaf;

impl Case for Deaf {
    const GUEST: Guest = Guest::Node(Hostile::Deaf);

    fn provoke(arena: &Arena) -> Outcome {
        let guest = arena.load(RunLimits::default()).unwrap();
        for _ in 0..3 {
            let cancel = Cancel::new();
            let context = RunContext::new(cancel.clone(), Arc::new(Chatter::default()));
            let (error, late) = std::thread::scope(|threads| {
                let run = threads.spawn(|| arena.run_in(&guest, vec![], &context));
                std::thread::sleep(Duration::from_millis(50));
                let begin = Instant::now();
                cancel.cancel();
                (run.join().unwrap().unwrap_err(), begin.elapsed())
            });
            assert!(matches!(error, SandboxError::Cancelled), "{error:?}");
            println!("ended after {late:?}");
            // Ten ticks on a machine with nothing else to do; here it has other tests.
            assert!(late < Duration::from_secs(1), "{late:?}");
            holds_nothing(arena, &guest);
        }
        Outcome::Coped
    }
}

/// Counts what a guest says, and keeps the texts.
#[derive(Default)]
struct Chatter {
    texts: std::sync::Mutex<Vec<String>>,
    progress: AtomicUsize,
    previews: AtomicUsize,
    files: AtomicUsize,
}

impl NodeEvents for Chatter {
    fn progress(&self, _: u32, _: u32) {
        self.progress.fetch_add(1, Ordering::Relaxed);
    }

    fn log(&self, _: Level, message: &str) {
        self.texts.lock().unwrap().push(message.to_owned());
    }

    fn text(&self, text: &str) {
        self.texts.lock().unwrap().push(text.to_owned());
    }

    fn preview(&self, _: &berth_compute::Tensor) {
        self.previews.fetch_add(1, Ordering::Relaxed);
    }

    fn artifact(&self, _: &Artifact) {
        self.files.fetch_add(1, Ordering::Relaxed);
    }
}

/// Whether a terminal would obey any of it, or show it in another order.
fn is_obeyed(text: &str, lines: bool) -> bool {
    text.chars().any(|character| {
        let line = lines && matches!(character, '\n' | '\t');
        character.is_control() && !line || matches!(character, '\u{2028}' | '\u{202e}')
    })
}

/// Talks without end, in escapes, and in the voice of the host.
pub struct Floods;

impl Case for Floods {
    const GUEST: Guest = Guest::Node(Hostile::Flood);

    fn provoke(arena: &Arena) -> Outcome {
        let limits = RunLimits { output: 4 << 20, ..RunLimits::default() };
        let guest = arena.load(limits).unwrap();
        let flood = |way: &str| {
            let chatter = Arc::new(Chatter::default());
            let context = RunContext::new(Cancel::new(), chatter.clone());
            let begin = Instant::now();
            let result = arena.run_in(&guest, vec![("way", text(way))], &context);
            holds_nothing(arena, &guest);
            let texts = std::mem::take(&mut *chatter.texts.lock().unwrap());
            assert!(texts.iter().all(|text| !is_obeyed(text, way == "text")), "{way}");
            let silenced = format!("messages of plugin `{NAME}` were left out");
            let (left_out, said): (Vec<String>, Vec<String>) =
                texts.into_iter().partition(|text| text.ends_with(&silenced));
            // What time adds to what a run may say.
            let more = |rate: usize| rate + begin.elapsed().as_secs() as usize * rate;
            (result, chatter, said, left_out.len(), more(100))
        };
        for way in ["log", "text"] {
            let (result, _, said, left_out, more) = flood(way);
            result.unwrap();
            assert!(said.len() <= 200 + more, "{} messages", said.len());
            assert!(said[0].contains("gone"), "{}", said[0]);
            assert_eq!(left_out, 1);
        }
        for way in ["progress", "done", "preview"] {
            let (result, chatter, _, left_out, more) = flood(way);
            result.unwrap();
            let told = chatter.progress.load(Ordering::Relaxed);
            let shown = chatter.previews.load(Ordering::Relaxed);
            assert!(told + shown <= 400 + more, "{way}: {told} and {shown}");
            assert_eq!(left_out, 1);
        }
        let (result, _, said, ..) = flood("long");
        result.unwrap();
        assert!(said[0].len() < 20_000, "{}", said[0].len());
        // A file takes its place on the disk, however little is in it.
        let (result, chatter, ..) = flood("files");
        let error = result.unwrap_err();
        assert!(matches!(error, SandboxError::TooMuchOutput { .. }), "{error:?}");
        let files = chatter.files.load(Ordering::Relaxed);
        assert!((1..=1024).contains(&files), "{files} files");
        let error = flood("error").0.unwrap_err();
        let SandboxError::Guest { error: GuestError::Other(said), .. } = &error else {
            panic!("{error:?}")
        };
        assert!(said.len() < 20_000 && !is_obeyed(said, true), "{} bytes", said.len());
        let error = flood("stderr").0.unwrap_err();
        let SandboxError::Trapped { stderr, .. } = &error else { panic!("{error:?}") };
        assert!(stderr.contains("gone") && !is_obeyed(stderr, true), "{stderr}");
        // What is kept is four kilobytes, and an escape is longer than what it stands for.
        assert!(stderr.len() <= 4096 * 8, "{} bytes", stderr.len());
        Outcome::Refused(error)
    }
}
