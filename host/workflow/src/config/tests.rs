//! What files say, and what becomes of it.

use std::num::NonZeroU32;
use std::time::Duration;

use berth_memory::{Amount, PerTier};
use berth_sandbox::Folders;
use berth_sandbox::rights::{Folder, Right};

use super::*;
use crate::host::Share;

fn config(text: &str) -> Config {
    toml::from_str(text).unwrap()
}

fn settings(config: Config) -> Result<Settings, ConfigError> {
    let folders = Folders { input: "i".into(), output: "o".into(), temporary: "t".into() };
    let mut settings = Settings::new(folders);
    config.apply(&mut settings)?;
    Ok(settings)
}

#[test]
fn an_empty_file_is_all_defaults() {
    assert_eq!(config(""), Config::default());
    let settings = settings(Config::default()).unwrap();
    assert_eq!(settings.offload, OffloadModeName::Planned);
    assert_eq!(settings.watermarks, Watermarks::default());
    assert_eq!(settings.release, Release::Demote);
    assert_eq!(settings.rules.refiners, ["refiner"]);
    assert!(settings.decided.is_empty());
    let spill = settings.spill.unwrap();
    assert!(spill.folder.is_dir() && spill.limit > 0, "{spill:?}");
}

#[test]
fn everything_in_a_file_reaches_the_settings() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("berth.toml");
    for name in ["spill", "luts"] {
        std::fs::create_dir(folder.path().join(name)).unwrap();
    }
    let text = r#"
        [memory]
        vram = "8GiB"
        reserve-vram = "1GiB"
        dram = 17179869184
        ram-headroom = "2 GiB"
        offload = "balanced"
        high-watermark = 0.5
        low-watermark = "1GiB"
        offload-always = ["clip"]
        offload-never = ["vae"]
        move = ["base-for-refiner", "base-for-vae", "refiner-when-idle"]
        refiner = ["xl-refine"]
        spill-dir = "spill"
        spill-limit = "32GiB"
        release = 2

        [plugins.stable-diffusion]
        weight = 3
        share = "2GiB"
        quota = "4GiB"
        dram-quota = "5GiB"
        spill-quota = "6GiB"
        digest = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
        path = "sd.wasm"
        limits = { run-time = "5m", handles = 1000 }

        [plugins.stable-diffusion.grants]
        memory = true
        models = ["checkpoints/*"]
        network = ["example.com:443"]
        environment = ["LANG"]
        folders = { input = "read", luts = { path = "luts", access = "write" } }

        [limits]
        linear-memory = "256MiB"
        handles = 5
    "#;
    std::fs::write(&path, text).unwrap();
    let config = Config::read(&path).unwrap();
    let settings = settings(config).unwrap();
    assert_eq!((settings.limits.device, settings.limits.host), (7 << 30, 16 << 30));
    assert_eq!(settings.headroom, 2 << 30);
    assert_eq!(settings.offload, OffloadModeName::Balanced);
    let watermarks = Watermarks { high: Amount::Fraction(0.5), low: Some(Amount::Bytes(1 << 30)) };
    assert_eq!(settings.watermarks, watermarks);
    assert_eq!(settings.rules.always, ["clip"]);
    assert_eq!(settings.rules.never, ["vae"]);
    let moves = [MoveRule::BaseForRefiner, MoveRule::BaseForVae, MoveRule::RefinerWhenIdle];
    assert_eq!(settings.rules.moves, moves);
    assert_eq!(settings.rules.refiners, ["xl-refine"]);
    let spill = settings.spill.unwrap();
    assert_eq!((spill.folder, spill.limit), (folder.path().join("spill"), 32 << 30));
    assert_eq!(settings.release, Release::AfterUse);
    let quota = PerTier { device: Some(4 << 30), host: Some(5 << 30), disk: Some(6 << 30) };
    let share = Share { weight: Some(3), soft: Some(2 << 30), quota };
    let decided = &settings.decided["stable-diffusion"];
    assert_eq!((decided.share, &decided.path), (share, &Some(folder.path().join("sd.wasm"))));
    assert!(decided.policy.digest.unwrap().to_string().starts_with("0123"));
    let limits = &decided.policy.limits;
    assert_eq!((limits.run_time, limits.handles), (Some(Duration::from_secs(300)), 1000));
    assert_eq!((limits.linear_memory, settings.limits_of_runs.handles), (256 << 20, 5));
    let grants = &decided.policy.grants;
    let rights: Vec<String> = grants.allowed.rights().iter().map(Right::to_string).collect();
    assert_eq!(
        rights,
        [
            "memory",
            "environment:LANG",
            "network:example.com:443",
            "models:checkpoints/*",
            "read:input",
            "write:luts"
        ]
    );
    assert_eq!(grants.paths["luts"], folder.path().join("luts"));
}

#[test]
fn the_upper_of_two_wins_where_it_says_something() {
    let upper = config(
        "[memory]\nvram = 5\nmove = ['base-for-vae']\n[plugins.a]\nquota = 1\ngrants = { clock = true, folders = { a = 'write' } }\n[plugins.b]\nweight = 2",
    );
    let lower = config(
        "[memory]\nvram = 6\ndram = 7\nmove = ['refiner-when-idle']\nrefiner = ['r']\n\
         [plugins.a]\nquota = 3\nshare = 4\ngrants = { memory = true, folders = { a = 'read', b = 'write' } }",
    );
    let both = upper.over(lower);
    assert_eq!((both.memory.vram, both.memory.dram), (Some(Size(5)), Some(Size(7))));
    assert_eq!(both.memory.moves, [Move(MoveRule::BaseForVae)]);
    assert_eq!(both.memory.refiner, ["r"]);
    let a = &both.plugins["a"];
    assert_eq!((a.quota, a.share), (Some(Size(1)), Some(Size(4))));
    assert!(a.grants.memory && a.grants.clock);
    let own = FolderGrant::Own(Folder::Write);
    assert_eq!(a.grants.folders, [("a".into(), own.clone()), ("b".into(), own)].into());
    assert_eq!(both.plugins["b"].weight.map(NonZeroU32::get), Some(2));
}

#[test]
fn no_spilling_is_a_limit_of_nothing() {
    assert_eq!(settings(config("[memory]\nspill-limit = 0")).unwrap().spill, None);
}

#[test]
fn settings_that_contradict_each_other_are_refused() {
    let refused = |text: &str| settings(config(text)).unwrap_err().to_string();
    assert_eq!(
        refused("[memory]\nvram = '1GiB'\nreserve-vram = '1GiB'"),
        "nothing is left of the device: of 1.0 GiB, 1.0 GiB are reserved"
    );
    assert_eq!(
        refused("[memory]\nvram = '8GiB'\nlow-watermark = '7GiB'"),
        "the low watermark, 7.0 GiB, is above the high one, 75%"
    );
    let error = refused("[memory]\nspill-dir = '/nowhere/at/all'");
    assert_eq!(
        error,
        "cannot use the folder /nowhere/at/all to spill to: No such file or directory (os error 2)"
    );
}

#[test]
fn a_mistake_is_told_with_its_line_and_what_was_meant() {
    let wrong = |text: &str| {
        let error = Config::parse("b.toml", text.into()).unwrap_err();
        let ConfigError::Content(misread) = &error else { panic!() };
        let at = text[misread.span.clone()].to_owned();
        (error.to_string(), at, error.hint().unwrap_or_default())
    };
    for (text, says, at, hint) in [
        (
            "[memory]\nvrma = 5",
            "b.toml, line 2: there is no setting `vrma` here",
            "vrma",
            "did you mean `vram`?",
        ),
        (
            "[memory]\n\nlowvram = true",
            "b.toml, line 3: there is no setting `lowvram` here",
            "lowvram",
            "write: offload = \"sequential\"",
        ),
        (
            "[server]\n",
            "b.toml, line 1: there is no setting `server` here",
            "server",
            "there are: memory, limits, plugin-folders, plugins",
        ),
        (
            "[memory]\nvram = 'much'",
            "b.toml, line 2: a size is a number and a unit, such as 512MiB, 2GB or 1.5GiB",
            "'much'",
            "",
        ),
        (
            "[memory]\nmove = ['base-for-vae', 'up']",
            "b.toml, line 2: there is no move `up`; \
             the moves are: base-for-refiner, base-for-vae, refiner-when-idle",
            "'up'",
            "",
        ),
        (
            "[plugins.a]\ngrants = ['memory']",
            "b.toml, line 2: grants are a table, not a list: write `grants = { memory = true }`",
            "['memory']",
            "",
        ),
        (
            "[plugins.a]\ngrants = ['memory']",
            "b.toml, line 2: grants are a table, not a list: write `grants = { memory = true }`",
            "['memory']",
            "",
        ),
        (
            "[plugins.a]\nweight = 0",
            "b.toml, line 2: a whole number from 1 on is expected here, not 0",
            "0",
            "",
        ),
    ] {
        assert_eq!(wrong(text), (says.into(), at.into(), hint.into()));
    }
}

#[test]
fn a_folder_that_cannot_be_granted_is_told_with_its_plugin_and_label() {
    let refused = |grants: &str| {
        let text = format!("[plugins.tidy.grants]\n{grants}");
        let error = settings(config(&text)).unwrap_err();
        (error.to_string(), error.hint().unwrap())
    };
    let (says, hint) = refused("folders = { luts = 'read' }");
    assert_eq!(says, "plugin `tidy` is granted the folder `luts`, but not which one it is");
    assert!(hint.contains("--grant tidy=read:luts=DIR"), "{hint}");
    let (says, hint) = refused("folders = { input = { path = '/', access = 'read' } }");
    assert!(says.contains("folder `input` with a path"), "{says}");
    assert!(hint.contains("--input"), "{hint}");
    let (says, _) = refused("folders = { luts = { path = '/no/where', access = 'read' } }");
    for part in ["`tidy`", "`luts`", "/no/where", "No such file"] {
        assert!(says.contains(part), "{part} is missing in {says}");
    }
    let (says, _) = refused("environment = ['PATH=x']");
    assert!(says.contains("`tidy`") && says.contains("a variable's name has"), "{says}");
    let (says, _) = refused("folders = { '../x' = { path = '/', access = 'read' } }");
    assert!(says.contains("`../x`"), "{says}");
}

#[test]
fn a_plugins_own_limits_stand_over_those_of_all() {
    let text = "[limits]\nhandles = 5\nrun-time = '1m'\n[plugins.a.limits]\nhandles = 9";
    let settings = settings(config(text)).unwrap();
    let minute = Some(Duration::from_secs(60));
    let own = &settings.policy("a").limits;
    assert_eq!((own.handles, own.run_time), (9, minute));
    let other = &settings.policy("b").limits;
    assert_eq!((other.handles, other.run_time), (5, minute));
}
