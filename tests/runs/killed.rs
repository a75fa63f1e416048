//! A process that is killed, again and again, and its run.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use typenet::prelude::*;
use typenet::train::{Checkpoint, History};

use super::support::{Net, bits, digits, same_history, trainer};

/// The program that is killed: what a user would write.
fn program(path: &Path) -> (Net, History) {
    let data = digits(200);
    let mut net = Net::seeded(3);
    let mut trainer = trainer()
        .epochs(5)
        .average(Averaging::ema(0.95))
        .checkpoint(Checkpoint::to(path).every_steps(3));
    trainer.resume(&mut net).unwrap();
    let history = trainer.fit(&mut net, &data, Some(&data)).unwrap();
    (net, history)
}

/// Started by the tests below, in a process of its own.
#[test]
#[ignore = "started by another test"]
fn the_program() {
    let Some(path) = std::env::var_os("TYPENET_TEST_CHECKPOINT") else { return };
    program(Path::new(&path));
}

fn start(path: &Path) -> std::process::Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "killed::the_program"])
        .env("TYPENET_TEST_CHECKPOINT", path)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

#[test]
fn a_killed_run_ends_with_the_bits_of_an_unbroken_one() {
    let folder = tempfile::tempdir().unwrap();
    let (whole, expected) = program(&folder.path().join("unbroken.safetensors"));
    // How long an unbroken process takes, so that kills come at all of its moments.
    let clock = std::time::Instant::now();
    let finished = start(&folder.path().join("timed.safetensors")).wait().unwrap();
    assert!(finished.success());
    let micros = clock.elapsed().as_micros() as u64;

    let mut random = 88_172_645_463_325_252_u64;
    let mut draw = |below: u64| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random % below.max(1)
    };
    let (mut kills, mut runs, mut with_progress) = (0, 0, 0);
    while kills < 50 {
        runs += 1;
        let path = folder.path().join(format!("run-{runs}.safetensors"));
        loop {
            let mut child = start(&path);
            std::thread::sleep(Duration::from_micros(draw(micros)));
            if child.try_wait().unwrap().is_some() {
                break;
            }
            child.kill().unwrap();
            child.wait().unwrap();
            kills += 1;
            with_progress += usize::from(path.exists());
            if kills >= 50 {
                break;
            }
        }
        let (net, history) = program(&path);
        same_history(&history, &expected);
        let entries = std::fs::read_dir(folder.path()).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let left: Vec<String> = names.filter(|name| name.ends_with("tmp")).collect();
        assert!(left.is_empty(), "what a kill left was not taken by the next save: {left:?}");
        assert!(
            bits(net.parameters_flat()) == bits(whole.parameters_flat()),
            "other bits after {kills} kills"
        );
    }
    assert!(with_progress >= 10, "only {with_progress} of {kills} kills came after a checkpoint");
    println!("{runs} runs, {kills} kills, {with_progress} of them after a checkpoint");
}

/// Listens to Ctrl-C in a run whose steps take a while. Started by the tests below.
#[cfg(unix)]
#[test]
#[ignore = "started by another test"]
fn the_program_that_listens() {
    use std::io::Write;

    let Some(path) = std::env::var_os("TYPENET_TEST_CHECKPOINT") else { return };
    let wait = std::env::var("TYPENET_TEST_WAIT").unwrap().parse().unwrap();
    let say = |text: &str| {
        println!("\n{text}");
        std::io::stdout().flush().unwrap();
    };
    let mut net = Net::seeded(3);
    let mut trainer = trainer().epochs(3).checkpoint(Path::new(&path)).stop_on_ctrl_c().after_step(
        move |moment| {
            if moment.steps() == 5 {
                say("five steps");
                std::thread::sleep(Duration::from_millis(wait));
            }
        },
    );
    trainer.resume(&mut net).unwrap();
    let history = trainer.fit(&mut net, &digits(100), None).unwrap();
    say(&format!("{} steps, {:?}", history.batch_losses.len(), history.stopped));
    std::thread::sleep(Duration::from_secs(20));
}

/// Starts it, and presses Ctrl-C each time that it has said something; what it said, and how it ended.
#[cfg(unix)]
fn pressed(path: &Path, wait: u64, presses: &[&str]) -> (Vec<String>, std::process::ExitStatus) {
    use std::io::{BufRead, BufReader};

    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "--nocapture", "killed::the_program_that_listens"])
        .env("TYPENET_TEST_CHECKPOINT", path)
        .env("TYPENET_TEST_WAIT", wait.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let pid = child.id().to_string();
    let press = || {
        assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    };
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let mut said = Vec::new();
    for words in presses {
        if words.is_empty() {
            std::thread::sleep(Duration::from_millis(300));
        }
        while !words.is_empty() {
            let line = lines.next().unwrap();
            said.push(line.clone());
            if line.contains(words) {
                break;
            }
        }
        press();
    }
    said.extend(lines);
    (said, child.wait().unwrap())
}

#[cfg(unix)]
#[test]
fn ctrl_c_saves_the_run_and_stops() {
    use std::os::unix::process::ExitStatusExt;

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.safetensors");
    // Once while it trains, which it survives, and once when it no longer does.
    let (said, status) = pressed(&path, 300, &["five steps", "steps, Some(Interrupted)"]);
    assert!(said.iter().any(|line| line == "5 steps, Some(Interrupted)"), "{said:?}");
    assert_eq!(status.signal(), Some(2), "outside of a run Ctrl-C does what it always does");
    let mut net = Net::seeded(1);
    let mut resumed = trainer().epochs(3).checkpoint(&path);
    assert!(resumed.resume(&mut net).unwrap());
    assert_eq!(resumed.history().unwrap().batch_losses.len(), 5);
    let history = resumed.fit(&mut net, &digits(100), None).unwrap();
    let mut whole = Net::seeded(3);
    let expected = trainer().epochs(3).fit(&mut whole, &digits(100), None).unwrap();
    same_history(&history, &expected);
    assert_eq!(bits(net.parameters_flat()), bits(whole.parameters_flat()));

    // Twice while it trains: the second one ends it at once.
    let other = folder.path().join("other.safetensors");
    let (said, status) = pressed(&other, 20_000, &["five steps", ""]);
    assert!(!said.iter().any(|line| line.contains("Interrupted")), "{said:?}");
    assert_eq!(status.signal(), Some(2));
}
