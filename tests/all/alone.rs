//! Tests that measure their process, and so need one in which no other test runs.

/// Says that this process has nothing else to do than one test.
const ALONE: &str = "BERTH_TEST_ALONE";

/// Whether this process is for the test of this name. Where it is not, the test has passed in one
/// that is, and has nothing left to do.
pub fn alone(test: &str) -> bool {
    if std::env::var_os(ALONE).is_some() {
        return true;
    }
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args([test, "--exact", "--nocapture"])
        .env(ALONE, "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    println!("{said}");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("1 passed"));
    false
}

/// Bytes by which the process grew while it did something, at most.
pub fn growth(work: impl FnOnce()) -> u64 {
    let status = |key: &str| {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(key)).unwrap().trim();
        line.strip_suffix(" kB").unwrap().parse::<u64>().unwrap() << 10
    };
    // From here on, the peak is this work's.
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
    let before = status("VmRSS:");
    work();
    status("VmHWM:").saturating_sub(before)
}
