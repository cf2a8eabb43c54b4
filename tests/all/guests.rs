//! What happens to plugins that misbehave, and that nothing is left of them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use berth_memory::Cancel;
use berth_sandbox::{RunContext, RunLimits, SandboxError, Value};
use berth_tests::GUESTS;
use berth_tests::host::{DEMO, Heard, Host, Options, text};

fn host() -> Host {
    host_with(RunLimits::default())
}

fn host_with(limits: RunLimits) -> Host {
    let mut host = Host::with(Options { limits, ..Options::default() });
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
fn a_panic_is_an_error_with_the_plugins_name_and_last_words() {
    let host = host();
    let error = host.try_run("Trap", vec![("message", text("no such luck"))]).unwrap_err();
    let SandboxError::Trapped { plugin, stderr, .. } = &error else { panic!("{error:?}") };
    assert_eq!(plugin, "guests");
    assert!(stderr.contains("no such luck"), "{stderr}");
    assert!(error.hint().unwrap().contains("no such luck"));
    is_unharmed(&host);
}

#[test]
fn what_a_trapped_plugin_held_is_given_back_at_once() {
    let host = host();
    let before = host.stats().allocations;
    let error = host.try_run("HoldAndTrap", vec![("mebibytes", Value::Integer(32))]).unwrap_err();
    assert!(error.to_string().contains("crashed"), "{error}");
    assert_eq!(host.stats().allocations, before);
    is_unharmed(&host);
}

#[test]
fn an_endless_loop_ends_at_its_time_limit() {
    let limit = Duration::from_millis(200);
    let host = host_with(RunLimits { run_time: Some(limit), ..RunLimits::default() });
    let begin = Instant::now();
    let error = host.try_run("Spin", vec![]).unwrap_err();
    assert!(matches!(error, SandboxError::TimedOut { .. }), "{error:?}");
    assert!(begin.elapsed() < Duration::from_secs(5));
    is_unharmed(&host);
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
fn a_guest_that_grows_meets_its_own_limit_and_not_the_hosts() {
    let host = host_with(RunLimits { linear_memory: 64 << 20, ..RunLimits::default() });
    host.run("Grow", vec![("mebibytes", Value::Integer(16))]);
    let error = host.try_run("Grow", vec![("mebibytes", Value::Integer(128))]).unwrap_err();
    assert!(matches!(error, SandboxError::GuestMemory { .. }), "{error:?}");
    is_unharmed(&host);
}

#[test]
fn a_guest_that_hoards_handles_gets_no_more_of_them() {
    let host = host();
    let error = host.try_run("Hoard", vec![]).unwrap_err();
    assert!(error.to_string().contains("too many handles"), "{error}");
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

/// Bytes of memory that the process has, and its open files.
fn process() -> (u64, usize) {
    let status = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: u64 = status.split_whitespace().nth(1).unwrap().parse().unwrap();
    (pages * 4096, std::fs::read_dir("/proc/self/fd").unwrap().count())
}

/// Says that this process has nothing else to do than one test.
const ALONE: &str = "BERTH_TEST_ALONE";

#[test]
fn a_thousand_leaky_and_trapping_runs_leave_nothing() {
    if std::env::var_os(ALONE).is_none() {
        // What a process takes says something only where no other test runs.
        let this = "guests::a_thousand_leaky_and_trapping_runs_leave_nothing";
        let output = std::process::Command::new(std::env::current_exe().unwrap())
            .args([this, "--exact", "--nocapture"])
            .env(ALONE, "1")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        println!("{said}");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert!(said.contains("1 passed"));
        return;
    }
    let host = host();
    let run = |round: usize| {
        let mebibytes = || vec![("mebibytes", Value::Integer(4))];
        if round.is_multiple_of(2) {
            let _ = host.try_run("HoldAndTrap", mebibytes()).unwrap_err();
        } else {
            host.run("Leak", mebibytes());
        }
    };
    for round in 0..100 {
        run(round);
    }
    let (memory, files) = process();
    for round in 0..1000 {
        run(round);
    }
    let (memory_after, files_after) = process();
    println!("{memory} bytes before, {memory_after} after; {files} and {files_after} files");
    is_unharmed(&host);
    assert_eq!(host.stats().allocations, 0);
    assert!(files_after <= files, "{files} files before, {files_after} after");
    // One run in fifty that kept its 4 MiB would show.
    assert!(memory_after < memory + (64 << 20), "{memory} bytes before, {memory_after} after");
}
