//! What plugins do with files, the network, time and the rest of the system, with and without the
//! right to it. The plugin is `tests/explorer`, an ordinary program.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use berth_memory::Cancel;
use berth_sandbox::rights::{Endpoint, Folder, Grants, Requests, Right};
use berth_sandbox::{GuestError, Policy, RunContext, RunLimits, SandboxError, Value};
use berth_tests::EXPLORER;
use berth_tests::host::{Host, Options, Silent, manifest, text};

/// A host with the explorer, which requests these rights and is granted them.
fn explorer(rights: &Requests, limits: RunLimits) -> Host {
    with_folders(rights, &[], limits)
}

/// The same with folders: label, path and access.
fn with_folders(rights: &Requests, folders: &[(&str, &Path, Folder)], limits: RunLimits) -> Host {
    let mut rights = rights.clone();
    let mut grants = Grants::default();
    for (label, path, access) in folders {
        rights.folders.insert((*label).into(), *access);
        grants.paths.insert((*label).into(), (*path).into());
    }
    grants.allowed = rights.clone();
    let mut host = Host::empty(Options::default());
    let policy = Policy { grants, limits, digest: None };
    host.load_under("explorer", EXPLORER, Some(manifest("explorer", &rights)), &policy).unwrap();
    host
}

/// What a node of the explorer says.
fn said(host: &Host, node: &str, inputs: Vec<(&str, Value)>) -> String {
    as_text(host.run(node, inputs).remove(0))
}

/// What the explorer's nodes give, as a text.
pub(crate) fn as_text(value: Value) -> String {
    match value {
        Value::Text(said) => said.to_string(),
        Value::Integer(number) => number.to_string(),
        other => panic!("a {}", other.kind()),
    }
}

/// Runs a node of the explorer, and gives what it says.
pub(crate) type Ask<'a> = &'a dyn Fn(&str, Vec<(&str, Value)>) -> String;

/// The inputs of a demand for too much.
pub(crate) fn demand(what: &str) -> Vec<(&'static str, Value)> {
    vec![("what", text(what)), ("path", text(""))]
}

fn limited(limit: Duration) -> RunLimits {
    RunLimits { run_time: Some(limit), ..RunLimits::default() }
}

/// A peer that answers each of its callers with what it hears, backwards.
fn peer() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let answering = listener.try_clone().unwrap();
    std::thread::spawn(move || {
        while let Ok((mut caller, _)) = answering.accept() {
            let mut heard = String::new();
            if caller.read_to_string(&mut heard).is_ok() {
                let answer: String = heard.chars().rev().collect();
                let _ = caller.write_all(answer.as_bytes());
            }
        }
    });
    (listener, port)
}

/// A peer that takes every caller and says nothing.
fn silent_peer() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let taking = listener.try_clone().unwrap();
    std::thread::spawn(move || {
        let mut callers = Vec::new();
        while let Ok(caller) = taking.accept() {
            callers.push(caller);
        }
    });
    (listener, port)
}

fn network(host: &str, port: u16) -> Requests {
    let endpoint = Endpoint { host: host.into(), port };
    Requests { network: vec![endpoint], ..Requests::default() }
}

/// Runs a node, cancels it, and says how long it took to end after that.
fn cancelled(host: &Host, node: &str, inputs: Vec<(&str, Value)>) -> Duration {
    let cancel = Cancel::new();
    let context = RunContext::new(cancel.clone(), Arc::new(Silent));
    let inputs = inputs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    std::thread::scope(|threads| {
        let run = threads.spawn(|| host.plugin("explorer").run(node, inputs, &context));
        std::thread::sleep(Duration::from_millis(200));
        let begin = Instant::now();
        cancel.cancel();
        let error = run.join().unwrap().unwrap_err();
        assert!(error.is_cancelled(), "{error:?}");
        begin.elapsed()
    })
}

/// Late, but not by much: the machine may be busy.
const SOON: Duration = Duration::from_millis(500);

#[test]
fn without_rights_a_plugin_sees_nothing_of_the_system() {
    let host = explorer(&Requests::default(), RunLimits::default());
    assert_eq!(said(&host, "Variable", vec![("name", text(""))]), "");
    assert!(said(&host, "Variable", vec![("name", text("PATH"))]).starts_with('!'));
    for path in ["/", "/etc", ".", "/luts"] {
        assert!(said(&host, "ListFolder", vec![("path", text(path))]).starts_with('!'), "{path}");
    }
    assert!(said(&host, "ReadFile", vec![("path", text("/etc/passwd"))]).starts_with('!'));
    let write = vec![("path", text("/tmp/x")), ("text", text("x"))];
    assert!(said(&host, "WriteFile", write).starts_with('!'));
}

#[test]
fn a_variable_is_seen_where_it_is_granted_and_no_other_is() {
    let rights = Requests { environment: vec!["PATH".into()], ..Requests::default() };
    let host = explorer(&rights, RunLimits::default());
    assert_eq!(said(&host, "Variable", vec![("name", text(""))]), "PATH");
    let value = said(&host, "Variable", vec![("name", text("PATH"))]);
    assert_eq!(value, std::env::var("PATH").unwrap());
}

#[test]
fn time_is_real_with_the_right_and_the_runs_own_without() {
    let without = explorer(&Requests::default(), RunLimits::default());
    assert_eq!(said(&without, "LookAtClocks", vec![]), "0");
    let begin = Instant::now();
    let hour = || vec![("milliseconds", Value::Integer(3_600_000))];
    assert_eq!(said(&without, "Nap", hour()), "3600000");
    assert!(begin.elapsed() < Duration::from_secs(60));
    let with = explorer(&Requests { clock: true, ..Requests::default() }, RunLimits::default());
    let now: u64 = said(&with, "LookAtClocks", vec![]).parse().unwrap();
    assert!(now > 1_600_000_000, "{now}");
    let begin = Instant::now();
    let nap: u64 = said(&with, "Nap", vec![("milliseconds", Value::Integer(50))]).parse().unwrap();
    assert!(nap >= 50 && begin.elapsed() >= Duration::from_millis(50));
    assert!(cancelled(&with, "Nap", hour()) < SOON);
}

#[test]
fn randomness_differs_with_the_right_and_is_the_same_without() {
    let without = explorer(&Requests::default(), RunLimits::default());
    assert_eq!(said(&without, "Roll", vec![]), said(&without, "Roll", vec![]));
    let rights = Requests { randomness: true, ..Requests::default() };
    let with = explorer(&rights, RunLimits::default());
    assert_ne!(said(&with, "Roll", vec![]), said(&with, "Roll", vec![]));
}

#[test]
fn a_folder_is_read_and_not_written_where_reading_is_granted() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.txt"), "alpha").unwrap();
    let granted = [("luts", folder.path(), Folder::Read)];
    let host = with_folders(&Requests::default(), &granted, RunLimits::default());
    assert_eq!(said(&host, "ReadFile", vec![("path", text("/luts/a.txt"))]), "alpha");
    assert_eq!(said(&host, "ListFolder", vec![("path", text("/luts"))]), "a.txt");
    let write = vec![("path", text("/luts/b.txt")), ("text", text("x"))];
    assert!(said(&host, "WriteFile", write).starts_with('!'));
    for (verb, other) in [
        ("remove", ""),
        ("append", "x"),
        ("resize", "0"),
        ("rename", "/luts/c"),
        ("link", "/luts/c"),
    ] {
        let change =
            vec![("verb", text(verb)), ("path", text("/luts/a.txt")), ("other", text(other))];
        assert!(said(&host, "Change", change).starts_with('!'), "{verb}");
    }
    let make = vec![("verb", text("make")), ("path", text("/luts/d")), ("other", text(""))];
    assert!(said(&host, "Change", make).starts_with('!'));
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(left.len(), 1);
    assert_eq!(std::fs::read_to_string(folder.path().join("a.txt")).unwrap(), "alpha");
}

#[test]
fn what_is_written_counts_as_output() {
    let folder = tempfile::tempdir().unwrap();
    let granted = [("work", folder.path(), Folder::Write)];
    let limits = RunLimits { output: 10_000, ..RunLimits::default() };
    let host = with_folders(&Requests::default(), &granted, limits);
    let write = |text_: &str| vec![("path", text("/work/a")), ("text", Value::Text(text_.into()))];
    assert_eq!(said(&host, "WriteFile", write("hello")), "written");
    assert_eq!(std::fs::read_to_string(folder.path().join("a")).unwrap(), "hello");
    let error = host.try_run("WriteFile", write(&"x".repeat(20_000))).unwrap_err();
    assert!(matches!(error, SandboxError::TooMuchOutput { .. }), "{error:?}");
    let resize = vec![
        ("verb", text("resize")),
        ("path", text("/work/a")),
        ("other", text("1000000000000000")),
    ];
    let error = host.try_run("Change", resize).unwrap_err();
    assert!(matches!(error, SandboxError::TooMuchOutput { .. }), "{error:?}");
}

/// Folders, two of which are granted, and a secret between them.
pub(crate) struct Maze {
    around: tempfile::TempDir,
    inside: PathBuf,
    other: PathBuf,
}

impl Maze {
    pub(crate) fn new() -> Self {
        let around = tempfile::tempdir().unwrap();
        let (inside, other) = (around.path().join("inside"), around.path().join("read"));
        std::fs::create_dir_all(inside.join("deep")).unwrap();
        std::fs::create_dir(&other).unwrap();
        std::fs::write(around.path().join("secret"), "secret").unwrap();
        std::fs::write(inside.join("own"), "own").unwrap();
        std::fs::write(other.join("kept"), "kept").unwrap();
        std::os::unix::fs::symlink("../secret", inside.join("relative")).unwrap();
        std::os::unix::fs::symlink(around.path().join("secret"), inside.join("absolute")).unwrap();
        std::os::unix::fs::symlink("..", inside.join("up")).unwrap();
        Self { around, inside, other }
    }

    /// What is granted of it: label, path and access.
    pub(crate) fn granted(&self) -> [(&str, &Path, Folder); 2] {
        [("work", &self.inside, Folder::Write), ("kept", &self.other, Folder::Read)]
    }
}

/// Nothing outside of a granted folder is reached from it.
pub(crate) fn escapes_fail(maze: &Maze, ask: Ask<'_>) {
    let Maze { around, inside, other: kept } = maze;
    for path in [
        "/work/../secret",
        "/work/deep/../../secret",
        "/work/relative",
        "/work/absolute",
        "/work/relative/",
        "/work/up/secret",
        "/work/deep/../up/secret",
        "/work//../secret",
        "/secret",
        "../secret",
        "secret",
    ] {
        let read = ask("ReadFile", vec![("path", text(path))]);
        assert!(read.starts_with('!'), "{path}: {read}");
        let write = vec![("path", text(path)), ("text", text("gone"))];
        let wrote = ask("WriteFile", write);
        assert!(wrote.starts_with('!'), "{path}: {wrote}");
    }
    for (verb, path, other) in [
        ("rename", "/work/own", "/work/../own"),
        ("rename", "/work/own", "/work/up/own"),
        ("rename", "/work/../secret", "/work/stolen"),
        ("rename", "/kept/kept", "/work/kept"),
        ("rename", "/work/own", "/kept/own"),
        ("link", "/work/up/secret", "/work/stolen"),
        ("link", "/work/../secret", "/work/stolen"),
        ("link", "/kept/kept", "/work/linked"),
        ("symlink", "/etc", "/work/etc"),
        ("symlink", "../secret", "/work/way"),
        ("remove", "/work/../secret", ""),
        ("remove", "/kept/kept", ""),
        ("remove-folder", "/work/..", ""),
        ("make", "/work/up/made", ""),
    ] {
        let change = vec![("verb", text(verb)), ("path", text(path)), ("other", text(other))];
        let changed = ask("Change", change);
        assert!(changed.starts_with('!'), "{verb} {path} {other}: {changed}");
    }
    assert_eq!(std::fs::read_to_string(around.path().join("secret")).unwrap(), "secret");
    assert_eq!(std::fs::read_to_string(inside.join("own")).unwrap(), "own");
    assert_eq!(std::fs::read_to_string(kept.join("kept")).unwrap(), "kept");
    assert_eq!(std::fs::read_dir(around.path()).unwrap().count(), 3);
    assert_eq!(std::fs::read_dir(inside).unwrap().count(), 5);
}

#[test]
fn nothing_outside_of_a_granted_folder_is_reached() {
    let maze = Maze::new();
    let host = with_folders(&Requests::default(), &maze.granted(), RunLimits::default());
    escapes_fail(&maze, &|node, inputs| said(&host, node, inputs));
}

#[test]
fn a_link_that_changes_all_the_time_leads_nowhere() {
    let around = tempfile::tempdir().unwrap();
    let inside = around.path().join("inside");
    std::fs::create_dir(&inside).unwrap();
    std::fs::create_dir(inside.join("real")).unwrap();
    std::fs::write(around.path().join("file"), "secret").unwrap();
    std::fs::write(inside.join("real/file"), "own").unwrap();
    let granted = [("work", &*inside, Folder::Read)];
    let host = with_folders(&Requests::default(), &granted, RunLimits::default());
    let stop = Cancel::new();
    std::thread::scope(|threads| {
        threads.spawn(|| {
            let (name, new) = (inside.join("turn"), inside.join("new"));
            for target in ["real", ".."].iter().cycle() {
                std::os::unix::fs::symlink(target, &new).unwrap();
                std::fs::rename(&new, &name).unwrap();
                if stop.is_cancelled() {
                    break;
                }
            }
        });
        for _ in 0..200 {
            let read = said(&host, "ReadFile", vec![("path", text("/work/turn/file"))]);
            assert!(read == "own" || read.starts_with('!'), "{read}");
        }
        stop.cancel();
    });
}

#[test]
fn a_folder_that_is_gone_is_an_error_that_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let granted = [("luts", folder.path(), Folder::Read)];
    let host = with_folders(&Requests::default(), &granted, RunLimits::default());
    let path = folder.path().to_owned();
    drop(folder);
    let error = host.try_run("Roll", vec![]).unwrap_err();
    assert_eq!(error.plugin(), Some("explorer"));
    let said = error.to_string();
    assert!(said.contains("`luts`") && said.contains(path.to_str().unwrap()), "{said}");
    assert!(error.hint().unwrap().contains("grant another"));
}

#[test]
fn a_granted_peer_is_reached_and_no_other_is() {
    let (_peer, port) = peer();
    let (other, another) = peer();
    let host = explorer(&network("127.0.0.1", port), RunLimits::default());
    let talk = |address: String| {
        said(&host, "Talk", vec![("address", text(&address)), ("text", text("abc"))])
    };
    assert_eq!(talk(format!("127.0.0.1:{port}")), "cba");
    for address in [
        format!("127.0.0.1:{another}"),
        format!("127.0.0.2:{port}"),
        format!("[::1]:{port}"),
        format!("localhost:{port}"),
        "192.0.2.1:80".into(),
    ] {
        assert!(talk(address.clone()).starts_with('!'), "{address}");
    }
    for address in ["127.0.0.1:0".to_owned(), format!("127.0.0.1:{port}"), "0.0.0.0:0".into()] {
        let listens = said(&host, "Listen", vec![("address", text(&address))]);
        assert!(listens.starts_with('!'), "{address}: {listens}");
    }
    let datagram =
        said(&host, "SendDatagram", vec![("address", text(&format!("127.0.0.1:{port}")))]);
    assert!(datagram.starts_with('!'), "{datagram}");
    let denied = host.sandbox().denials().counted();
    let endpoint = Endpoint { host: "127.0.0.1".into(), port: another };
    let noted = |right: &Right| denied.iter().any(|(_, denied, _)| denied.right == *right);
    assert!(noted(&Right::Network(endpoint)), "{denied:?}");
    drop(other);
}

/// Without rights there is no network, no name and no variable.
pub(crate) fn nothing_is_reached(ask: Ask<'_>) {
    let (_peer, port) = peer();
    for address in [format!("127.0.0.1:{port}"), format!("localhost:{port}")] {
        let inputs = vec![("address", text(&address)), ("text", text("abc"))];
        assert!(ask("Talk", inputs).starts_with('!'), "{address}");
    }
    for name in ["localhost", "example.com", "secret.of.mine.example"] {
        let found = ask("Resolve", vec![("name", text(name))]);
        assert!(found.starts_with('!'), "{name}: {found}");
    }
    assert_eq!(ask("Variable", vec![("name", text(""))]), "");
}

#[test]
fn without_rights_no_peer_is_reached_and_no_name_is_looked_up() {
    let host = explorer(&Requests::default(), RunLimits::default());
    nothing_is_reached(&|node, inputs| said(&host, node, inputs));
    let denied = host.sandbox().denials().counted();
    let lookup = Right::Network(Endpoint { host: "example.com".into(), port: 0 });
    assert!(denied.iter().any(|(_, denied, _)| denied.right == lookup), "{denied:?}");
}

#[test]
fn a_granted_name_is_looked_up_and_leads_to_its_peer() {
    let (_peer, port) = peer();
    let host = explorer(&network("localhost", port), RunLimits::default());
    let address = format!("localhost:{port}");
    let talk = vec![("address", text(&address)), ("text", text("abc"))];
    assert_eq!(said(&host, "Talk", talk), "cba");
    // What it leads to is not granted by itself: nobody looked the name up in this run.
    let address = format!("127.0.0.1:{port}");
    let talk = vec![("address", text(&address)), ("text", text("abc"))];
    assert!(said(&host, "Talk", talk).starts_with('!'));
    assert!(said(&host, "Resolve", vec![("name", text("example.com"))]).starts_with('!'));
}

#[test]
fn a_silent_peer_is_waited_for_no_longer_than_the_run_lasts() {
    let (_peer, port) = silent_peer();
    let address = format!("127.0.0.1:{port}");
    let hear = || vec![("address", text(&address))];
    let host = explorer(&network("127.0.0.1", port), RunLimits::default());
    assert!(cancelled(&host, "Hear", hear()) < SOON);
    let limit = Duration::from_millis(200);
    let host = explorer(&network("127.0.0.1", port), limited(limit));
    let begin = Instant::now();
    let error = host.try_run("Hear", hear()).unwrap_err();
    assert!(matches!(error, SandboxError::TimedOut { .. }), "{error:?}");
    assert!(begin.elapsed() < limit + SOON);
}

#[test]
fn what_a_run_has_open_is_bounded() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a"), "a").unwrap();
    let (_peer, port) = silent_peer();
    let granted = [("luts", folder.path(), Folder::Read)];
    let host = with_folders(&network("127.0.0.1", port), &granted, RunLimits::default());
    let count = Value::Integer(5000);
    let open = said(&host, "OpenMany", vec![("path", text("/luts/a")), ("count", count.clone())]);
    assert!((50..=256).contains(&open.parse().unwrap()), "{open}");
    let address = format!("127.0.0.1:{port}");
    let open = said(&host, "ConnectMany", vec![("address", text(&address)), ("count", count)]);
    assert!((50..=256).contains(&open.parse().unwrap()), "{open}");
    let listings = said(&host, "Demand", demand("listings"));
    assert_eq!(listings, "16");
    let path = vec![("what", text("path")), ("path", text("/luts"))];
    assert!(said(&host, "Demand", path).contains("Err"));
}

/// Demands that end the run, or get an answer of a sensible size: at once, and without the host's
/// memory.
#[test]
fn absurd_demands_end_the_run_and_not_the_host() {
    let host = explorer(&Requests::default(), RunLimits::default());
    for what in ["zeroes", "zeroes-blocking", "random", "polls"] {
        let begin = Instant::now();
        let error = host.try_run("Demand", demand(what)).unwrap_err();
        assert!(matches!(error, SandboxError::Trapped { .. }), "{what}: {error:?}");
        assert_eq!(error.plugin(), Some("explorer"), "{what}");
        assert!(begin.elapsed() < Duration::from_secs(20), "{what}");
    }
    assert!(said(&host, "Demand", demand("write")).contains("Ok"));
    assert!(said(&host, "Demand", demand("read")).contains("Closed"));
    let error = host.try_run("Demand", demand("timers")).unwrap_err();
    assert_eq!(error.plugin(), Some("explorer"), "{error:?}");
}

#[test]
fn a_guest_that_polls_or_waits_for_ever_ends_with_its_run() {
    for clock in [false, true] {
        let rights = Requests { clock, ..Requests::default() };
        let limit = Duration::from_millis(200);
        let host = explorer(&rights, limited(limit));
        let begin = Instant::now();
        let error = host.try_run("Demand", demand("spin")).unwrap_err();
        assert!(matches!(error, SandboxError::TimedOut { .. }), "{error:?}");
        let error = host.try_run("Demand", demand("forever")).unwrap_err();
        assert!(matches!(error, SandboxError::TimedOut { .. }), "{error:?}");
        assert!(begin.elapsed() < 2 * (limit + SOON));
        assert!(cancelled_spin(&rights) < SOON);
    }
}

fn cancelled_spin(rights: &Requests) -> Duration {
    let host = explorer(rights, RunLimits::default());
    cancelled(&host, "Demand", demand("spin"))
}

#[test]
fn of_a_flood_of_output_the_end_is_kept() {
    let host = explorer(&Requests::default(), RunLimits::default());
    let error = host.try_run("Flood", vec![("mebibytes", Value::Integer(8))]).unwrap_err();
    let SandboxError::Trapped { stderr, .. } = &error else { panic!("{error:?}") };
    assert!(stderr.len() < 20_000 && stderr.contains("the last words"), "{stderr}");
}

#[test]
fn a_guest_that_exits_ends_its_run_with_an_error_that_says_so() {
    let host = explorer(&Requests::default(), RunLimits::default());
    for status in [0, 1] {
        let error = host.try_run("Leave", vec![("status", Value::Integer(status))]).unwrap_err();
        let SandboxError::Trapped { plugin, reason, .. } = &error else { panic!("{error:?}") };
        assert_eq!(plugin, "explorer");
        assert!(reason.contains(&format!("exit status {status}")), "{reason}");
    }
}

#[test]
fn runs_see_nothing_of_each_other_but_what_lies_in_a_granted_folder() {
    let folder = tempfile::tempdir().unwrap();
    let granted = [("work", folder.path(), Folder::Write)];
    let host = with_folders(&Requests::default(), &granted, RunLimits::default());
    for path in ["/work/mine", "/mine", "mine", "/tmp/mine"] {
        let write = vec![("path", text(path)), ("text", text("mine"))];
        let written = said(&host, "WriteFile", write) == "written";
        let read = said(&host, "ReadFile", vec![("path", text(path))]);
        assert_eq!(
            (written, read == "mine"),
            (path == "/work/mine", path == "/work/mine"),
            "{path}"
        );
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_denied_right_is_an_error_of_the_guests_own_kind() {
    // Denials of WASI are errno values: the guest handles them, and goes on.
    let host = explorer(&Requests::default(), RunLimits::default());
    let inputs = vec![("address", text("127.0.0.1:1")), ("text", text(""))];
    let denied = said(&host, "Talk", inputs);
    assert!(denied.starts_with("!PermissionDenied"), "{denied}");
    let error = host.try_run("Demand", demand("nothing")).unwrap_err();
    let SandboxError::Guest { error: GuestError::InvalidArgument(_), .. } = error else {
        panic!("{error:?}")
    };
}
