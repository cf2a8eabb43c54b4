//! Models that are called again and again: what moves, when, and for which rule.

use std::sync::Arc;

use super::fake::*;
use crate::offload::OffloadModeName::{Balanced, Model, Planned, Sequential};
use crate::{Call, Cancel, Event, Handle, Memory, MoveRule, Rules, Site, Source, Tier, ahead};

/// A model of weights that its calls walk in order, each with an activation.
struct Layers {
    site: Site<Fake>,
    account: crate::Account,
    weights: Vec<Handle<Fake>>,
    activation: u64,
}

impl Layers {
    fn new(memory: &Memory<Fake>, seed: u64, sizes: &[u64], activation: u64) -> Self {
        Self::labelled(memory, seed, sizes, activation, "a.safetensors", "model")
    }

    fn labelled(
        memory: &Memory<Fake>,
        seed: u64,
        sizes: &[u64],
        activation: u64,
        label: &str,
        role: &str,
    ) -> Self {
        Self::of(memory, &memory.account(label), seed, sizes, activation, label, role)
    }

    /// Of an account that has others.
    fn of(
        memory: &Memory<Fake>,
        account: &crate::Account,
        seed: u64,
        sizes: &[u64],
        activation: u64,
        label: &str,
        role: &str,
    ) -> Self {
        let account = account.clone();
        let source: Arc<dyn Source> = weights(seed);
        let mut offset = 0;
        let weights = sizes
            .iter()
            .map(|&bytes| {
                offset += bytes;
                memory.clean(&account, source.clone(), offset - bytes, bytes, 0)
            })
            .collect();
        let site = memory.site(&account, label);
        site.set_role(role);
        Self { site, account, weights, activation }
    }

    fn bytes(&self) -> u64 {
        self.weights.iter().map(Handle::bytes).sum()
    }

    fn on_device(&self) -> u64 {
        self.weights.iter().filter(|w| w.residency().device).map(Handle::bytes).sum()
    }

    fn use_one(&self, memory: &Memory<Fake>, call: &Call<Fake>, weight: &Handle<Fake>) {
        let lease = memory
            .lease_for(
                Some(call),
                &self.account,
                &[weight],
                &[(self.activation, 0)],
                0,
                &Cancel::new(),
            )
            .unwrap();
        assert_eq!(lease.input(0).unwrap().bytes, bytes_of(weight));
    }

    /// One call; between its operations the copy worker does all that it can.
    fn call(&self, memory: &Memory<Fake>) {
        let call = self.site.call();
        for weight in &self.weights {
            while ahead::bring_one(&memory.0) {}
            self.use_one(memory, &call, weight);
        }
        check(memory);
    }

    /// Bytes that a call moves to the device once its calls are known.
    fn moved_by_a_call(&self, memory: &Memory<Fake>) -> u64 {
        for _ in 0..3 {
            self.call(memory);
        }
        let before = memory.stats().moved.to_device;
        let calls = 4;
        for _ in 0..calls {
            self.call(memory);
        }
        (memory.stats().moved.to_device - before) / calls
    }
}

/// What least-recently-used would move at each call, once it is in its stride.
fn lru(sizes: &[u64], room: u64) -> u64 {
    let mut resident: Vec<usize> = Vec::new();
    let mut moved = 0;
    for round in 0..3 {
        moved = 0;
        for (index, &bytes) in sizes.iter().enumerate() {
            match resident.iter().position(|&known| known == index) {
                Some(at) => drop(resident.remove(at)),
                None => {
                    moved += bytes;
                    while resident.iter().map(|&i| sizes[i]).sum::<u64>() + bytes > room {
                        resident.remove(0);
                    }
                }
            }
            resident.push(index);
        }
        assert!(round > 0 || moved == sizes.iter().sum::<u64>());
    }
    moved
}

/// Layers as a transformer has them: large and small ones, none above half a percent.
fn transformer() -> Vec<u64> {
    (0..60).flat_map(|_| [300, 100, 300, 8, 4, 200]).collect()
}

#[test]
fn a_known_call_moves_what_does_not_fit_and_hardly_more() {
    let sizes = transformer();
    let weights: u64 = sizes.iter().sum();
    let activation = 500;
    for percent in [100, 90, 75, 50, 25, 10] {
        let room = weights * percent / 100;
        let memory = by_hand(room + activation, 1 << 30, Planned);
        let layers = Layers::new(&memory, 1, &sizes, activation);
        let moved = layers.moved_by_a_call(&memory);
        let bound = weights - room + weights / 50;
        println!(
            "room {percent} %: {moved} of {weights} bytes, bound {bound}, LRU {}",
            lru(&sizes, room)
        );
        assert!(moved <= bound, "{percent} %: {moved} bytes, more than {bound}");
        if percent < 100 {
            assert_eq!(lru(&sizes, room), weights);
        }
    }
}

#[test]
fn small_weights_come_and_go_so_that_large_ones_can_stay() {
    // Eleven of a sixteenth of all each, and many small ones.
    let sizes: Vec<u64> = (0..80).map(|i| if i % 7 == 3 { 997 } else { 40 + i }).collect();
    let weights: u64 = sizes.iter().sum();
    for percent in [75, 50, 25] {
        let room = weights * percent / 100;
        let memory = by_hand(room + 300, 1 << 30, Planned);
        let moved = Layers::new(&memory, 1, &sizes, 300).moved_by_a_call(&memory);
        // Once the small ones are not enough, a large one needs its room to come and go.
        let large = if percent < 75 { 997 } else { 0 };
        let bound = weights - room + weights / 50 + large;
        println!("room {percent} %: {moved} of {weights} bytes, bound {bound}");
        assert!(moved <= bound, "{percent} %: {moved} bytes, more than {bound}");
    }
}

#[test]
fn large_weights_come_and_go_where_activations_leave_room() {
    // As a U-Net has them: large activations beside small weights at both ends, and the
    // largest weights, a twentieth of all each, where activations are small.
    let memory = by_hand(10_000 + 2000, 1 << 30, Planned);
    let sizes: Vec<u64> = (0..60).map(|i| if (20..40).contains(&i) { 1000 } else { 100 }).collect();
    let layers = Layers::new(&memory, 1, &sizes, 0);
    let call = || {
        let call = layers.site.call();
        for weight in &layers.weights {
            while ahead::bring_one(&memory.0) {}
            let activation = if weight.bytes() == 1000 { 200 } else { 2000 };
            let outputs = [(activation, 0)];
            let (account, cancel) = (&layers.account, Cancel::new());
            drop(memory.lease_for(Some(&call), account, &[weight], &outputs, 0, &cancel).unwrap());
        }
    };
    (0..3).for_each(|_| call());
    let before = memory.stats().moved.to_device;
    call();
    let moved = memory.stats().moved.to_device - before;
    let bound = layers.bytes() - 10_000 + layers.bytes() / 50;
    println!("{moved} of {} bytes, bound {bound}", layers.bytes());
    assert!(moved <= bound, "{moved} bytes, more than {bound}");
}

#[test]
fn what_is_needed_next_is_there_before_it_is_needed() {
    let sizes = transformer();
    let memory = by_hand(sizes.iter().sum::<u64>() / 2, 1 << 30, Planned);
    let layers = Layers::new(&memory, 1, &sizes, 0);
    layers.call(&memory);
    let call = layers.site.call();
    for weight in &layers.weights {
        while ahead::bring_one(&memory.0) {}
        assert!(weight.residency().device, "it would have been waited for");
        layers.use_one(&memory, &call, weight);
    }
}

#[test]
fn a_call_that_departs_from_its_plan_is_right_and_becomes_the_plan() {
    let sizes: Vec<u64> = vec![10; 40];
    let memory = by_hand(200, 1 << 30, Planned);
    let layers = Layers::new(&memory, 1, &sizes, 0);
    layers.call(&memory);
    layers.call(&memory);
    for _ in 0..2 {
        let call = layers.site.call();
        for weight in layers.weights.iter().rev() {
            while ahead::bring_one(&memory.0) {}
            layers.use_one(&memory, &call, weight);
        }
    }
    let call = layers.site.call();
    for weight in layers.weights.iter().rev() {
        while ahead::bring_one(&memory.0) {}
        assert!(weight.residency().device, "the other way round was learned");
        layers.use_one(&memory, &call, weight);
    }
    drop(call);
    drop(layers);
    check_empty(&memory);
}

#[test]
fn the_same_weights_beside_larger_activations_are_another_plan() {
    let sizes = transformer();
    let weights: u64 = sizes.iter().sum();
    let memory = by_hand(weights, 1 << 30, Planned);
    let mut layers = Layers::new(&memory, 1, &sizes, 100);
    for activation in [weights / 4, weights / 2, weights / 4] {
        layers.activation = activation;
        let moved = layers.moved_by_a_call(&memory);
        let bound = activation + weights / 50;
        println!("{activation} beside the weights: {moved} of {weights} bytes, bound {bound}");
        assert!(moved <= bound, "{activation}: {moved} bytes, more than {bound}");
    }
}

#[test]
fn a_weight_that_went_away_ends_nothing_but_its_plan() {
    let memory = by_hand(100, 1 << 30, Planned);
    let mut layers = Layers::new(&memory, 1, &[10; 30], 0);
    layers.call(&memory);
    layers.weights.drain(5..15);
    layers.call(&memory);
    layers.call(&memory);
}

#[test]
fn an_early_weight_takes_no_room_from_the_activations_of_the_steps_between() {
    let memory = by_hand(200, 1 << 30, Planned);
    let layers = Layers::new(&memory, 1, &[10; 40], 100);
    let before = memory.stats().waits;
    for _ in 0..4 {
        layers.call(&memory);
    }
    assert_eq!(memory.stats().waits, before);
    assert_eq!(memory.stats().moved.to_host, 0, "nothing dirty was pushed out");
}

#[test]
fn an_idle_model_leaves_before_the_running_one() {
    let memory = by_hand(250, 1 << 30, Planned);
    let plugin = memory.account("plugin");
    let encoder = Layers::of(&memory, &plugin, 1, &[10; 10], 0, "a", "clip");
    let unet = Layers::of(&memory, &plugin, 2, &[10; 20], 0, "a", "model");
    encoder.call(&memory);
    unet.call(&memory);
    assert_eq!((encoder.on_device(), unet.on_device()), (50, 200));
}

#[test]
fn of_idle_models_the_one_that_the_graph_needs_last_leaves_first() {
    let memory = by_hand(300, 1 << 30, Planned);
    let plugin = memory.account("plugin");
    let soon = Layers::of(&memory, &plugin, 1, &[10; 10], 0, "a", "vae");
    let never = Layers::of(&memory, &plugin, 2, &[10; 10], 0, "a", "clip");
    let running = Layers::of(&memory, &plugin, 3, &[10; 20], 0, "a", "model");
    soon.call(&memory);
    never.call(&memory);
    soon.site.set_next_use(Some(1));
    never.site.set_next_use(None);
    running.call(&memory);
    assert_eq!((soon.on_device(), never.on_device()), (100, 0));
}

#[test]
fn whole_models_come_and_go_as_a_whole() {
    let memory = by_hand(350, 1 << 30, Model);
    let plugin = memory.account("plugin");
    let encoder = Layers::of(&memory, &plugin, 1, &[10; 10], 0, "a", "clip");
    let unet = Layers::of(&memory, &plugin, 2, &[10; 20], 0, "a", "model");
    let vae = Layers::of(&memory, &plugin, 3, &[10; 10], 0, "a", "vae");
    encoder.call(&memory);
    unet.call(&memory);
    assert_eq!((encoder.on_device(), unet.on_device()), (100, 200));
    vae.call(&memory);
    assert_eq!(encoder.on_device(), 0, "not a part of it, but all");
    assert_eq!((unet.on_device(), vae.on_device()), (200, 100));
    // The encoder is known by now: it is there as a whole before its first operation.
    let call = encoder.site.call();
    while ahead::bring_one(&memory.0) {}
    assert_eq!((encoder.on_device(), unet.on_device(), vae.on_device()), (100, 0, 100));
    drop(call);
}

#[test]
fn a_model_that_does_not_fit_as_a_whole_runs_part_by_part() {
    let memory = by_hand(100, 1 << 30, Model);
    let unet = Layers::new(&memory, 2, &[10; 20], 5);
    let moved = unet.moved_by_a_call(&memory);
    assert!(moved <= 150, "{moved}");
}

fn ruled(rules: Rules, device: u64) -> Memory<Fake> {
    set_up(device, 1 << 30, Balanced, |setup| setup.rules = rules)
}

#[test]
fn the_base_model_goes_to_dram_while_the_refiner_or_the_vae_runs() {
    for (rule, role, label) in [
        (MoveRule::BaseForRefiner, "model", "sd_xl_refiner.safetensors"),
        (MoveRule::BaseForVae, "vae", "b.safetensors"),
    ] {
        let refiners = vec!["refiner".to_owned()];
        let rules = Rules { moves: vec![rule], refiners, ..Rules::default() };
        let memory = ruled(rules, 1000);
        let base = Layers::new(&memory, 1, &[10; 10], 0);
        let other = Layers::labelled(&memory, 2, &[10; 10], 0, label, role);
        base.call(&memory);
        other.call(&memory);
        assert_eq!((base.on_device(), other.on_device()), (0, 100), "{rule:?}");
        assert!(base.weights.iter().all(|weight| weight.residency().host), "to DRAM");
        base.call(&memory);
        assert_eq!(other.on_device(), 100, "{rule:?} goes one way");
    }
}

#[test]
fn the_refiner_goes_to_dram_when_it_is_not_in_use() {
    let refiners = vec!["refine".to_owned()];
    let moves = vec![MoveRule::RefinerWhenIdle];
    let memory = ruled(Rules { moves, refiners, ..Rules::default() }, 1000);
    let refiner = Layers::labelled(&memory, 1, &[10; 10], 0, "My-Refiner.safetensors", "model");
    let vae = Layers::labelled(&memory, 2, &[10; 10], 0, "vae", "vae");
    refiner.call(&memory);
    assert_eq!(refiner.on_device(), 100, "its next step may follow");
    vae.call(&memory);
    assert_eq!(refiner.on_device(), 0);
}

#[test]
fn some_models_always_leave_and_some_never_unless_nothing_else_can() {
    let names = |name: &str| vec![name.to_owned()];
    let rules = Rules { always: names("clip"), never: names("b.safetensors"), ..Rules::default() };
    let memory = ruled(rules, 400);
    let plugin = memory.account("plugin");
    let clip = Layers::of(&memory, &plugin, 1, &[10; 10], 0, "a", "clip");
    let kept = Layers::of(&memory, &plugin, 2, &[10; 10], 0, "b.safetensors", "vae");
    let unet = Layers::of(&memory, &plugin, 3, &[10; 35], 0, "c", "model");
    clip.call(&memory);
    assert_eq!(clip.on_device(), 0);
    kept.call(&memory);
    unet.call(&memory);
    assert_eq!(kept.on_device(), 100, "the others are made to fit");
    let a = memory.account("a");
    drop(memory.lease(&a, &[], &[], 350, &Cancel::new()).unwrap());
    assert!(kept.on_device() <= 50, "an operation could not run otherwise");
}

#[test]
fn a_site_knows_its_weights_and_only_those() {
    let memory = by_hand(1000, 1000, Planned);
    let (first, second) =
        (Layers::new(&memory, 1, &[10; 3], 0), Layers::new(&memory, 1, &[10; 5], 0));
    assert!(first.site.weights().is_empty());
    first.call(&memory);
    let ids: Vec<_> = first.site.weights().iter().map(Handle::id).collect();
    assert_eq!(ids, first.weights.iter().map(Handle::id).collect::<Vec<_>>());
    assert!(second.site.weights().is_empty());
    assert_eq!(memory.stow(&first.site.weights().iter().collect::<Vec<_>>()).unwrap(), 30);
    assert_eq!(used(&memory), tiers(0, 30, 0));
}

#[test]
fn the_worker_ends_with_its_memory_and_brings_weights_meanwhile() {
    let memory = crate::Memory::new(
        Fake::default(),
        crate::Limits { device: 200, host: 1000 },
        crate::offload::mode(Planned),
    );
    let layers = Layers::new(&memory, 1, &[10; 40], 0);
    memory.record(100_000);
    let ahead = || {
        let early = |event: &&Event| matches!(event, Event::Move { ahead: true, .. });
        let recording = memory.recording();
        memory.record(100_000);
        recording.events.iter().filter(early).count()
    };
    let mut brought = 0;
    // Operations take time, in which the worker can work.
    for _ in 0..200 {
        let call = layers.site.call();
        for weight in &layers.weights {
            layers.use_one(&memory, &call, weight);
            std::thread::yield_now();
        }
        drop(call);
        brought += ahead();
        if brought > 50 {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    assert!(brought > 50, "{brought} weights came early");
    let live = memory.device().meter.clone();
    drop((layers, memory));
    until(|| live.live.load(std::sync::atomic::Ordering::SeqCst) == 0);
}

#[test]
fn every_mode_walks_a_model_that_is_called_with_the_same_bytes() {
    for mode in [Model, Sequential, Balanced, Planned] {
        for room in [35, 100, 400] {
            let memory = by_hand(room, 1000, mode);
            let layers = Layers::new(&memory, 1, &[10, 30, 10, 20, 10], 5);
            for _ in 0..3 {
                layers.call(&memory);
            }
            assert_eq!(layers.bytes(), 80);
            assert!(memory.charge(&layers.account).get(Tier::Device) <= &room);
        }
    }
}
