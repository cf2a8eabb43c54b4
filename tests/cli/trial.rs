//! One node alone, and a plugin's own tests.

use std::path::PathBuf;
use std::process::Output;

use berth_tests::GUESTS;
use serde_json::Value;

use crate::{Desk, data, fails};

/// A `.npy` file of this type and shape.
fn npy(descr: &str, shape: &str, bytes: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n");
    let length = u16::try_from(header.len()).unwrap().to_le_bytes();
    [b"\x93NUMPY\x01\x00", &length[..], header.as_bytes(), bytes].concat()
}

fn floats(data: &[f32]) -> Vec<u8> {
    data.iter().flat_map(|number| number.to_le_bytes()).collect()
}

impl Desk {
    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        path
    }

    /// Runs a node alone.
    fn node_alone(&self, node: &str, more: &[&str]) -> Output {
        self.berth(&[&["plugin", "run", node], more].concat()).output().unwrap()
    }

    /// The same, with what it gave.
    fn gives(&self, node: &str, more: &[&str]) -> Value {
        let output = self.node_alone(node, &[more, &["--json"]].concat());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        let last: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
        assert_eq!(last["type"], "result");
        last["data"].clone()
    }

    /// A project with the stock plugin for images, and these tests.
    fn project(&self, tests: &str) {
        let stock = berth_stock_plugins::components();
        let (_, manifest, component) = stock.iter().find(|(name, ..)| *name == "image").unwrap();
        self.write("plugin.toml", manifest);
        self.write("build/image/image.wasm", component);
        self.write("build/image/plugin.toml", manifest);
        self.write("tests/first.toml", tests);
    }

    fn test(&self, more: &[&str]) -> Output {
        self.berth(&[&["test"], more].concat()).output().unwrap()
    }
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

const RED: &[&str] = &["-i", "width=4", "-i", "height=2", "-i", "color=16711680"];

#[test]
fn an_image_goes_from_a_file_through_a_node_to_a_file() {
    let desk = Desk::new();
    let output = desk.node_alone("EmptyImage", RED);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = stdout(&output);
    for part in ["IMAGE", "f32 [1, 2, 4, 3]", "min 0", "max 1", "wrote EmptyImage-1.png"] {
        assert!(text.contains(part), "{part:?} is missing in:\n{text}");
    }
    let negative = desk.gives("ImageInvert", &["-i", "image=EmptyImage-1.png", "-o", "out"]);
    let cyan = &negative["outputs"][0];
    assert_eq!(cyan["shape"], serde_json::json!([1, 2, 4, 3]));
    assert!((cyan["mean"].as_f64().unwrap() - 2.0 / 3.0).abs() < 1e-6);
    assert_eq!(cyan["files"][0], "out/ImageInvert-1.png");
    assert!(std::fs::read(desk.path("out/ImageInvert-1.png")).unwrap().starts_with(b"\x89PNG"));
    let again = desk.gives("ImageInvert", &["-i", "image=out/ImageInvert-1.png"]);
    let first = desk.gives("EmptyImage", RED);
    assert_eq!(again["outputs"][0]["digest"], first["outputs"][0]["digest"]);
}

#[test]
fn a_batch_is_a_picture_each_and_a_photograph_is_decoded_in_the_sandbox() {
    let desk = Desk::new();
    let two = desk.gives("EmptyImage", &[RED, &["-i", "batch_size=2"]].concat());
    let files = serde_json::json!(["./EmptyImage-1-1.png", "./EmptyImage-1-2.png"]);
    assert_eq!(two["outputs"][0]["files"], files);
    let photo = data("pictures/digits.png");
    let photo = format!("image={}", photo.display());
    let inverted = desk.gives("ImageInvert", &["-i", &photo]);
    assert_eq!(inverted["outputs"][0]["dtype"], "f32");
    desk.write("broken.png", "no picture");
    let output = desk.node_alone("ImageInvert", &["-i", "image=broken.png"]);
    fails(&output, 1, &["broken.png", "cannot be read", "an image is a PNG"]);
    desk.write("pixels.txt", "");
    let output = desk.node_alone("ImageInvert", &["-i", "image=pixels.txt"]);
    fails(&output, 1, &["`image` takes IMAGE, not \"pixels.txt\"", "photo.png"]);
    let output = desk.node_alone("ImageInvert", &["-i", "image=missing.png"]);
    fails(&output, 1, &["cannot read missing.png"]);
}

#[test]
fn an_array_is_taken_as_it_is_or_not_at_all() {
    let desk = Desk::new();
    desk.write("bytes.npy", npy("|u1", "(1, 1, 1, 3)", &[1, 2, 3]));
    let output = desk.node_alone("ImageInvert", &["-i", "image=bytes.npy"]);
    let is = "IMAGE is f32 [batch, height, width, channels], 0…1, and this is u8 [1, 1, 1, 3]";
    fails(&output, 1, &["`image`", is, "nothing is converted in silence"]);
    desk.write("flat.npy", npy("<f4", "(1, 1, 3)", &floats(&[0.25, 0.5, 1.0])));
    let output = desk.node_alone("ImageInvert", &["-i", "image=flat.npy"]);
    fails(&output, 1, &["the batch is missing", "x[None]"]);
    desk.write("fine.npy", npy("<f4", "(1, 1, 1, 3)", &floats(&[0.25, 0.5, 1.0])));
    let fine = desk.gives("ImageInvert", &["-i", "image=fine.npy"]);
    assert_eq!(fine["outputs"][0]["max"], 0.75);
    desk.write("cut.npy", npy("<f4", "(1, 1, 2, 3)", &floats(&[0.25, 0.5, 1.0])));
    let output = desk.node_alone("ImageInvert", &["-i", "image=cut.npy"]);
    fails(&output, 1, &["cut.npy", "12 bytes", "takes 24", "incomplete"]);
}

#[test]
fn a_latent_goes_from_file_to_file() {
    let desk = Desk::new();
    let size = ["-i", "width=64", "-i", "height=32"];
    let output = desk.node_alone("EmptyLatentImage", &size);
    let text = stdout(&output);
    assert!(text.contains("samples") && text.contains("f32 [1, 4, 4, 8]"), "{text}");
    let file = "EmptyLatentImage-1.samples.npy";
    assert!(text.contains(&format!("wrote {file}")), "{text}");
    let more = ["-i", &format!("samples={file}"), "-i", "amount=3"];
    let repeated = desk.gives("RepeatLatentBatch", &more);
    let latent = &repeated["outputs"][0];
    assert_eq!(latent["type"], "LATENT");
    assert_eq!(latent["fields"]["samples"]["shape"], serde_json::json!([3, 4, 4, 8]));

    let header = r#"{"a":{"dtype":"F32","shape":[1,4,1,1],"data_offsets":[0,16]},"b":{"dtype":"F32","shape":[1],"data_offsets":[16,20]}}"#;
    let length = (header.len() as u64).to_le_bytes();
    let file = [&length[..], header.as_bytes(), &floats(&[0.5; 5])].concat();
    desk.write("latents.safetensors", file);
    let repeat = |samples: &str| desk.node_alone("RepeatLatentBatch", &["-i", samples]);
    assert!(repeat("samples=latents.safetensors#a").status.success());
    fails(&repeat("samples=latents.safetensors"), 1, &["2 tensors: ", "#KEY"]);
    fails(&repeat("samples=latents.safetensors#aa"), 1, &["no tensor `aa`", "did you mean `a`?"]);
    let photo = format!("samples={}", data("pictures/digits.png").display());
    fails(&repeat(&photo), 1, &["a LATENT is what a VAE makes of an image"]);
}

#[test]
fn what_does_not_fit_is_told_with_what_the_node_takes() {
    let desk = Desk::new();
    let output = desk.node_alone("EmptyImage", &["-i", "widht=4"]);
    fails(
        &output,
        1,
        &["no input `widht`", "did you mean `width`?", "batch_size", "from 1 to 4096"],
    );
    let output = desk.node_alone("ImageInvert", &[]);
    fails(&output, 1, &["lacks `image`", "image IMAGE", "What is in capitals is a file"]);
    let output = desk.node_alone("EmptyImage", &["-i", "width=0"]);
    fails(&output, 1, &["`width` takes an integer from 1 to 16384", "not \"0\""]);
    let output = desk.node_alone("EmptyImage", &["-i", "width=1", "-i", "width=2"]);
    fails(&output, 1, &["`width` is given twice"]);
    let picture = format!("image={}", data("pictures/digits.png").display());
    let more = ["-i", &picture, "-i", "upscale_method=bilinaer", "-i", "scale_by=0.5"];
    let output = desk.node_alone("ImageScaleBy", &more);
    fails(&output, 1, &["no option `bilinaer`", "did you mean `bilinear`?"]);
    let output = desk.node_alone("ImageInvrt", &[]);
    fails(&output, 1, &["no stock plugin has a node `ImageInvrt`", "did you mean `ImageInvert`?"]);
    fails(&desk.node_alone("EmptyImage", &["-i", "width"]), 2, &["NAME=VALUE"]);
}

#[test]
fn a_component_is_tried_with_the_rights_and_the_room_that_it_is_given() {
    let desk = Desk::new();
    desk.write("guests.wasm", GUESTS);
    let guest = |node: &str, more: &[&str]| {
        desk.node_alone(node, &[&["--plugin", "guests.wasm"], more].concat())
    };
    fails(&guest("Trap", &["-i", "message=oh no"]), 1, &["Trap", "crashed", "oh no"]);
    fails(&guest("Trop", &[]), 1, &["has no node `Trop`", "did you mean `Trap`?"]);
    let output = guest("Snoop", &["-i", "path=a.safetensors"]);
    fails(&output, 1, &["does not request `models:checkpoints/"]);
    assert!(guest("Hold", &["-i", "mebibytes=2"]).status.success());
    let output = guest("Hold", &["-i", "mebibytes=2", "--vram", "1MiB"]);
    fails(&output, 1, &["out of memory", "2097152", "--vram"]);
    let output = guest("Hold", &["-i", "mebibytes=2", "--quota", "1MiB"]);
    fails(&output, 1, &["quota exceeded", "1048576"]);
    assert!(guest("Hold", &["-i", "mebibytes=1", "--quota", "1MiB"]).status.success());
    fails(&guest("Idle", &["--grant", "everything"]), 2, &["is no right"]);
    fails(&guest("Idle", &["--grant", "read:luts"]), 1, &["names no folder", "read:luts=DIR"]);
}

#[test]
fn a_node_that_reads_and_writes_files_itself_does_so_here() {
    let desk = Desk::new();
    desk.node_alone("EmptyImage", RED);
    let output = desk.node_alone("SaveImage", &["-i", "images=EmptyImage-1.png", "-o", "out"]);
    let text = stdout(&output);
    assert!(text.contains("wrote out/ComfyUI_00001_.png"), "{text}");
    let loaded = desk.gives("LoadImage", &["-i", "image=EmptyImage-1.png"]);
    assert_eq!(loaded["outputs"][1]["files"][0], "./LoadImage-2.npy");
    let output = desk.node_alone("LoadImage", &["-i", "image=missing.png"]);
    fails(&output, 1, &["missing.png"]);
}

#[test]
fn a_project_is_found_where_one_stands() {
    let desk = Desk::new();
    desk.write("plugin.toml", "name = \"image\"\nversion = \"1.0.0\"\ncontract = \"0.2.0\"\n");
    fails(&desk.node_alone("Mine", &[]), 1, &["`image`", "is not built", "berth plugin build"]);
    // Where the project has nothing, the stock plugins' nodes are there.
    assert!(desk.node_alone("EmptyImage", RED).status.success());
    desk.project("");
    fails(&desk.node_alone("Mine", &[]), 1, &["plugin `image` has no node `Mine`"]);
    assert!(desk.node_alone("EmptyImage", RED).status.success());
    let wrong = "name = \"image\"\nversion = 1\ncontract = \"0.2.0\"\n";
    desk.write("plugin.toml", wrong);
    fails(&desk.node_alone("EmptyImage", RED), 1, &["plugin.toml, line 2"]);
}

const TESTS: &str = r#"
[[test]]
name = "black turns white"
node = "ImageInvert"
inputs = { image = { full = 0.0, shape = [1, 2, 3, 3] } }
outputs = [{ shape = [1, 2, 3, 3], dtype = "f32", min = 1.0, max = 1.0, mean = 1.0 }]

[[test]]
name = "half and half is what it was"
node = "ImageBlend"
outputs = [{ same-as = "image1" }]

[test.inputs]
image1 = { uniform = 7, shape = [2, 4, 4, 3] }
image2 = { uniform = 8, shape = [2, 4, 4, 3] }
blend_factor = 0.0
blend_mode = "normal"

[[test]]
name = "a picture stays itself"
node = "ImageInvert"
inputs = { image = { file = "red.png" } }
outputs = [{ data = [0, 1, 1, 0, 1, 1], file = "cyan.npy" }]

[[test]]
name = "a device that is too small is no device"
node = "EmptyImage"
inputs = { width = 1024, height = 1024 }
vram = "64KiB"
offload = "sequential"
error = "out of memory"

[[test]]
name = "what is given is counted"
node = "EmptyImage"
inputs = { width = 2, height = 1, color = 0xff }
quota = "1MiB"
outputs = [{ data = [0, 0, 1, 0, 0, 1], tolerance = 0 }]
"#;

#[test]
fn a_projects_tests_run_each_in_a_host_of_its_own() {
    let desk = Desk::new();
    desk.node_alone("EmptyImage", &["-i", "width=2", "-i", "height=1", "-i", "color=16711680"]);
    desk.project(TESTS);
    std::fs::rename(desk.path("EmptyImage-1.png"), desk.path("tests/red.png")).unwrap();
    desk.write("tests/cyan.npy", npy("<f4", "(1, 1, 2, 3)", &floats(&[0., 1., 1., 0., 1., 1.])));
    let output = desk.test(&[]);
    let text = stdout(&output);
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.contains("image: 5 tests") && text.contains("5 ok in "), "{text}");
    assert!(text.contains("ok      black turns white  ImageInvert, first.toml, "), "{text}");
    let output = desk.test(&[".", "--filter", "white", "--json"]);
    let lines: Vec<Value> =
        stdout(&output).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let [begin, test, summary] = &lines[..] else { panic!("{lines:?}") };
    assert_eq!((&begin["data"]["tests"], &begin["data"]["left_out"]), (&1.into(), &4.into()));
    assert_eq!(test["data"]["passed"], true);
    assert_eq!(summary["data"]["left_out"], 4);
    fails(&desk.test(&["--filter", "purple"]), 1, &["no test of 5 has `purple`"]);
}

#[test]
fn a_test_that_fails_says_what_was_expected_and_found() {
    let desk = Desk::new();
    let test = |name: &str, rest: &str| {
        format!(
            "[[test]]\nname = \"{name}\"\nnode = \"ImageInvert\"\n\
             inputs = {{ image = {{ full = 0.25, shape = [1, 1, 2, 3] }} }}\n{rest}\n"
        )
    };
    let digest = "0".repeat(64);
    desk.project(
        &[
            test("the mean", "outputs = [{ mean = 0.5 }]"),
            test("the shape", "outputs = [{ shape = [1, 2, 1, 3], dtype = 'f16' }]"),
            test("the elements", "outputs = [{ data = [0.75, 0.75, 0.75, 0.75, 1, 2] }]"),
            test("the same", "outputs = [{ same-as = 'image' }]"),
            test("the digest", &format!("outputs = [{{ digest = '{digest}' }}]")),
            test("the error", "error = 'something'"),
            test("the progress", "progress = 3"),
            test("the kind", "outputs = [{ type = 'LATENT', value = 3 }]"),
            test("the file", "outputs = [{ file = 'missing.npy' }]"),
            test("all is well", "outputs = [{ mean = 0.75 }]"),
        ]
        .concat(),
    );
    let output = desk.test(&[]);
    let text = stdout(&output);
    for part in [
        "FAILED  the mean",
        "output 0 `IMAGE`: mean: expected 0.5 ± 1e-6, found 0.75",
        "expected [1, 2, 1, 3], found [1, 1, 2, 3]",
        "expected f16, found f32",
        "expected 1 ± 1e-6 at [0, 0, 1, 1], found 0.75; 2 of 6 elements differ, by 1.25 at most",
        "same as `image`: expected 0.25 at [0, 0, 0, 0], found 0.75; 6 of 6",
        "digest: expected 0000",
        "error: expected \"something\", and nothing failed",
        "progress: expected 3, and none was reported",
        "expected LATENT, found tensor",
        "missing.npy",
        "ok      all is well",
        "1 ok, 9 FAILED in ",
    ] {
        assert!(text.contains(part), "{part:?} is missing in:\n{text}");
    }
    fails(&output, 1, &["9 of 10 tests failed"]);
}

#[test]
fn a_test_with_a_mistake_in_it_is_found_before_any_runs() {
    let desk = Desk::new();
    let expects = "outputs = [{ min = 0 }]\n";
    let good = format!("[[test]]\nname = \"good\"\nnode = \"EmptyImage\"\n{expects}");
    let wrong = |text: &str, says: &[&str]| {
        desk.project(&format!("{good}[[test]]\nname = \"n\"\n{text}\n"));
        let output = desk.test(&[]);
        assert_eq!(stdout(&output), "", "nothing runs");
        fails(&output, 1, says);
    };
    let invert = |inputs: &str| format!("node = \"ImageInvert\"\ninputs = {{ {inputs} }}");
    wrong(
        "node = \"ImageInvrt\"",
        &["line 7", "no node `ImageInvrt`", "did you mean `ImageInvert`?"],
    );
    wrong(
        &invert("imag = 1"),
        &["line 8", "no such input", "did you mean `image`?", "image IMAGE"],
    );
    wrong(&invert(""), &["line 7", "needs the input `image`"]);
    wrong(&invert("image = 1"), &["line 8", "`image` takes IMAGE, not 1"]);
    wrong(
        &invert("image = { full = 0, shape = [2, 3] }"),
        &["line 8", "IMAGE is f32", "this is f32 [2, 3]"],
    );
    wrong(
        &invert("image = { full = 0, shape = [1, 99999999, 99999999, 99999999] }"),
        &["line 8", "more elements than can be addressed"],
    );
    wrong(
        &invert("image = { full = 0, shape = [1, 99999, 99999, 3] }"),
        &["line 8", "bytes, more than"],
    );
    wrong(
        &invert("image = { data = [1, 2], shape = [1, 1, 1, 3] }"),
        &["`data` has 2 numbers", "takes 3"],
    );
    wrong(&invert("image = { file = 'x.txt' }"), &["`x.txt` is no file that is read", "photo.png"]);
    wrong(
        &invert("image = { type = 'LATENT', fields = {} }"),
        &["line 8", "`image` takes IMAGE, not an object LATENT"],
    );
    wrong(&invert("image = [1, 2]"), &["line 8", "`image` takes IMAGE, not a list"]);
    wrong("node = \"EmptyImage\"\ninputs = { width = 0 }", &["line 8", "from 1 to 16384"]);
    wrong("node = \"EmptyImage\"\noutputs = [{ min = 0 }, {}]", &["line 8", "has 1 outputs"]);
    wrong("node = \"EmptyImage\"\noutputs = [{ same-as = 'x' }]", &["`same-as` names no input"]);
    wrong("node = \"EmptyImage\"\noutput = []", &["line 8", "no setting `output`", "outputs = ["]);
    wrong(
        "node = \"EmptyImage\"\n\n[[test]]\nname = \"good\"\nnode = \"EmptyImage\"",
        &["this name already"],
    );
}

#[test]
fn a_test_that_checks_nothing_is_no_test() {
    let desk = Desk::new();
    let wrong = |expects: &str, says: &[&str]| {
        desk.project(&format!("[[test]]\nname = \"n\"\nnode = \"EmptyImage\"\n{expects}\n"));
        let output = desk.test(&[]);
        assert_eq!(stdout(&output), "", "nothing runs");
        fails(&output, 1, says);
    };
    for expects in ["", "outputs = []"] {
        wrong(expects, &["line 2", "this test expects nothing", "outputs = [{ shape"]);
    }
    for expects in ["{}", "{ tolerance = 0.1 }", "{ fields = {} }", "{ items = [{}] }"] {
        let expects = format!("outputs = [{expects}]");
        wrong(&expects, &["line 4", "nothing is expected here", "{ type = \"tensor\" }"]);
    }
    desk.project(
        "[[test]]\nname = \"n\"\nnode = \"EmptyImage\"\noutputs = [{ type = \"tensor\" }]",
    );
    assert!(desk.test(&[]).status.success());
}

#[test]
fn no_file_of_tests_is_left_out_in_silence() {
    let desk = Desk::new();
    desk.project("");
    for index in 0..256 {
        desk.write(&format!("tests/{index}.toml"), "");
    }
    fails(&desk.test(&[]), 1, &["there are 257 files of tests in ./tests, more than 256", "join"]);
}

#[test]
fn a_manifest_that_changed_since_the_build_is_told() {
    let desk = Desk::new();
    desk.project(TESTS);
    let manifest = std::fs::read_to_string(desk.path("plugin.toml")).unwrap();
    desk.write("plugin.toml", format!("# A remark changes nothing.\n{manifest}"));
    assert!(desk.node_alone("EmptyImage", RED).status.success());
    let (before, requests) = manifest.split_once("[requests]\n").unwrap();
    let requests = format!("{before}[requests]\nmodels = [\"vae/*\"]\n{requests}");
    desk.write("plugin.toml", requests);
    let says = ["plugin.toml of `image` changed since it was built", "`berth plugin build .`"];
    fails(&desk.test(&[]), 1, &says);
    fails(&desk.node_alone("EmptyImage", &[RED, &["--grant", "models:vae/*"]].concat()), 1, &says);
}

#[test]
fn a_plugin_without_tests_says_where_they_go() {
    let desk = Desk::new();
    desk.project("");
    fails(&desk.test(&[]), 1, &["there are no tests in ./tests", "[[test]]", "negative.toml"]);
    std::fs::remove_dir_all(desk.path("tests")).unwrap();
    fails(&desk.test(&["."]), 1, &["there are no tests in ./tests"]);
}

#[test]
fn a_plugins_rights_and_models_are_those_of_its_test() {
    let desk = Desk::new();
    let requests = "\n[requests]\nmodels = [\"checkpoints/*\"]\n\
                    folders = { input = \"read\", scratch = \"write\", luts = \"read\" }\n";
    let manifest =
        format!("name = \"guests\"\nversion = \"1.0.0\"\ncontract = \"0.1.0\"\n{requests}");
    desk.write("plugin.toml", manifest);
    desk.write("guests.wasm", GUESTS);
    let model = "tiny-sd-digits.safetensors";
    let checkpoint = std::fs::read(data("models/checkpoints").join(model)).unwrap();
    desk.write(&format!("models/checkpoints/{model}"), checkpoint);
    let snoop = |name: &str, more: &str| {
        format!(
            "[[test]]\nname = \"{name}\"\nnode = \"Snoop\"\ninputs = {{ path = \"{model}\" }}\n{more}\n"
        )
    };
    desk.write(
        "tests/a.toml",
        [
            snoop("with its models it opens one", "models = 'models'"),
            snoop("without them it finds none", "error = 'not found'"),
            snoop(
                "without the right it is denied",
                "models = 'models'\ngrant = []\nerror = 'denied'",
            ),
            "[[test]]\nname = \"it traps\"\nnode = \"Trap\"\nerror = \"crashed\"\n".into(),
            "[[test]]\nname = \"it traps in vain\"\nnode = \"Trap\"\n".into(),
        ]
        .concat(),
    );
    let text = stdout(&desk.test(&["--filter", "in vain"]));
    assert!(text.contains("tests/luts that plugin `guests` is granted"), "{text}");
    desk.write("tests/luts/a.cube", "");
    let output = desk.test(&[]);
    let text = stdout(&output);
    assert!(!desk.path("tests/scratch").exists(), "a test writes to a folder of its own");
    assert!(text.contains("4 ok, 1 FAILED"), "{text}");
    assert!(text.contains("on purpose"), "what a plugin wrote is told: {text}");
    fails(&output, 1, &["1 of 5 tests failed"]);
}
