//! Whether the demo draws what it is asked for, as a reader of handwriting sees it.

use berth_tests::host::{DEMO, Host};
use berth_tests::judge::Judge;
use berth_tests::oracle::data;

const DIGITS: [&str; 10] =
    ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];

const COLOURS: [&str; 8] = ["black", "white", "red", "green", "blue", "yellow", "purple", "orange"];

#[test]
fn at_least_28_of_30_prompts_give_their_digit_and_both_colours() {
    let host = Host::default();
    let checkpoint = host.checkpoint(DEMO);
    let judge = Judge::load(&data().join("digits")).unwrap();
    let mut wrong = Vec::new();
    for index in 0..30 {
        let digit = index % 10;
        let ink = COLOURS[(index * 3 + index / 8) % 8];
        let background = COLOURS[(index * 3 + index / 8 + 1 + index % 7) % 8];
        let prompt = format!("a {ink} handwritten {} on a {background} background", DIGITS[digit]);
        let sampled = host.sample(&checkpoint, &prompt, 1000 + index as u64);
        let image = host.decode(&checkpoint, sampled);
        let pixels: Vec<u8> = image.data.iter().map(|x| (x * 255.0).round() as u8).collect();
        let reading = judge.read(&pixels, 64, 64);
        if (reading.digit, reading.ink, reading.background) != (digit, ink, background) {
            wrong.push(format!("{prompt}: {reading:?}"));
        }
    }
    assert!(wrong.len() <= 2, "{} of 30 are wrong:\n{}", wrong.len(), wrong.join("\n"));
}
