//! What happens to plugins that misbehave, and that nothing is left of them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use berth_memory::Cancel;
use berth_sandbox::{RunContext, RunLimits, SandboxError, Value};
use berth_tests::GUESTS;
use berth_tests::host::{DEMO, Heard, Host, Options};

fn host() -> Host {
    let mut host = Host::default();
    host.load("guests", GUESTS).unwrap();
    host
}

/// Nothing on any tier is charged to the misbehaving plugin, and the host still works.
fn is_unharmed(host: &Host) {
    let charge = host.compute().memory().charge(host.plugin("guests").account());
    assert_eq!((charge.device, charge.host, charge.disk), (0, 0, 0));
    assert_eq!(host.stats().leases, 0);
    assert_eq!(host.run("Hold", vec![("mebibytes", Value::Integer(1))]).len(), 1);
}

#[test]
fn an_endless_loop_can_be_cancelled_from_outside() {
    let host = host();
    let cancel = Cancel::new();
    let context = RunContext::new(cancel.clone(), Arc::new(Heard::default()));
    let error = std::thread::scope(|threads| {
        let run = threads.spawn(|| host.plugin("guests").run("Spin", vec![], &context));
        std::thread::sleep(Duration::from_millis(50));
        cancel.cancel();
        run.join().unwrap().unwrap_err()
    });
    assert!(error.is_cancelled(), "{error:?}");
    is_unharmed(&host);
}

#[test]
fn functions_that_call_each_other_without_end_are_stopped() {
    // As deep as the depth limit goes, on a stack as large as the host gives its runs.
    let error = std::thread::Builder::new()
        .stack_size(berth_sandbox::STACK_SIZE)
        .spawn(|| {
            let host = host();
            let error = host.try_run("Dive", vec![]).unwrap_err();
            is_unharmed(&host);
            error
        })
        .unwrap()
        .join()
        .unwrap();
    assert!(error.to_string().contains("deep"), "{error}");
}

#[test]
fn an_error_of_a_called_function_names_its_own_plugin() {
    let host = host();
    let checkpoint = host.checkpoint(DEMO);
    let size = || Value::Integer(64);
    let latent = host.run(
        "EmptyLatentImage",
        vec![("width", size()), ("height", size()), ("batch_size", Value::Integer(1))],
    );
    host.device_quota("stable-diffusion", 10_000);
    let inputs = vec![("vae", checkpoint.vae.clone()), ("samples", latent[0].clone())];
    let error = host.try_run("Relay", inputs).unwrap_err();
    assert_eq!(error.plugin(), Some("stable-diffusion"), "{error}");
    assert!(error.hint().unwrap().contains("--quota stable-diffusion="));
}

#[test]
fn objects_inside_of_objects_end_before_the_hosts_stack_does() {
    let host = host();
    let error = host.try_run("Burrow", vec![]).unwrap_err();
    assert!(error.to_string().contains("deep"), "{error}");
    is_unharmed(&host);
}

#[test]
fn what_its_functions_and_objects_give_is_the_runs_own_output() {
    let limits = RunLimits { output: 16 << 20, ..RunLimits::default() };
    let mut host = Host::with(Options { limits, ..Options::default() });
    host.load("guests", GUESTS).unwrap();
    for node in ["Gush", "Pile"] {
        let begin = Instant::now();
        let error = host.try_run(node, vec![]).unwrap_err();
        assert!(matches!(error, SandboxError::TooMuchOutput { .. }), "{node}: {error:?}");
        assert!(begin.elapsed() < Duration::from_secs(20), "{node}");
        is_unharmed(&host);
    }
}

#[test]
fn no_weight_enters_guest_memory_while_a_model_runs() {
    let host = Host::default();
    let checkpoint = host.checkpoint(DEMO);
    let sampled = host.sample(&checkpoint, "a red handwritten seven", 42);
    host.decode(&checkpoint, sampled);
    for plugin in host.plugins() {
        let peak = plugin.guest_memory_peak();
        println!("{}: {} KiB", plugin.name(), peak >> 10);
        assert!(peak < 8 << 20, "{} used {peak} bytes", plugin.name());
    }
    assert!(host.plugin("stable-diffusion").guest_memory_peak() > 0);
}
