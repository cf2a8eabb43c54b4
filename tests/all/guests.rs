//! What happens to plugins that misbehave, and that nothing is left of them.

use std::sync::Arc;
use std::time::Duration;

use berth_memory::Cancel;
use berth_sandbox::rights::Requests;
use berth_sandbox::{GuestError, RunContext, SandboxError, Value};
use berth_tests::GUESTS;
use berth_tests::host::{DEMO, Heard, Host, Options, text};

use crate::alone::alone;

fn host() -> Host {
    let mut host = Host::default();
    let models = vec!["*/*".parse().unwrap()];
    let folders = [("output".into(), berth_sandbox::rights::Folder::Write)].into();
    let rights = Requests { models, folders, ..Requests::default() };
    host.load_granted("guests", GUESTS, &rights).unwrap();
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
fn a_shape_that_overflows_is_an_invalid_argument() {
    let host = host();
    let error = host.try_run("Absurd", vec![]).unwrap_err();
    let invalid = |error: &SandboxError| match error {
        SandboxError::Guest { error, .. } => matches!(error, GuestError::InvalidArgument(_)),
        _ => false,
    };
    assert!(invalid(&error), "{error:?}");
    is_unharmed(&host);
}

#[test]
fn no_path_is_a_label_and_no_prefix_leads_out() {
    let host = host();
    for path in ["/etc/passwd", "../secret.safetensors", "a/../../b.safetensors"] {
        assert!(host.try_run("Snoop", vec![("path", text(path))]).is_err(), "{path}");
    }
    for prefix in ["../mine", "/tmp/mine", "a/../../mine"] {
        assert!(host.try_run("Scribble", vec![("prefix", text(prefix))]).is_err(), "{prefix}");
    }
    assert!(!host.folder().join("mine_00001_.txt").exists());
}

#[test]
fn a_guests_texts_cannot_speak_to_a_terminal() {
    let host = host();
    let heard = Arc::new(Heard::default());
    let context = RunContext::new(Cancel::new(), heard.clone());
    let error = host.plugin("guests").run("Escape", vec![], &context).unwrap_err().to_string();
    let heard = heard.0.lock().unwrap().concat();
    assert!(heard.contains("gone") && error.contains("red"), "{heard} {error}");
    assert!(!heard.contains('\u{1b}') && !error.contains(['\u{1b}', '\u{7}']), "{heard} {error}");
}

#[test]
fn bytes_that_are_no_component_are_refused_with_a_reason() {
    let mut host = Host::empty(Options::default());
    let module = b"\0asm\x01\0\0\0";
    let cut = GUESTS[..1000].to_vec();
    for (bytes, reason) in [
        (&b"not wasm"[..], "not a component's"),
        (module, "core module"),
        (b"\0asm\x0d\0\x01\0", ""),
        (&cut, ""),
    ] {
        let error = host.load("odd", bytes).unwrap_err();
        assert!(matches!(error, SandboxError::NotAComponent { .. }), "{error:?}");
        assert!(error.to_string().contains(reason), "{error}");
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
