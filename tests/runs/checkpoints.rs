//! Runs that are saved and resumed, and files that are not what they should be.

use std::path::Path;
use std::process::Command;

use typenet::prelude::*;
use typenet::train::{Checkpoint, Metric};
use typenet::{Error, LoadOptions};

use super::support::{Net, Plain, bits, digits, same_history, trainer};

#[test]
fn a_run_of_several_calls_is_resumed_at_every_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.safetensors");
    let data = digits(80);
    let base = || {
        trainer()
            .epochs(2)
            .average(Averaging::ema(0.9))
            .restore_best(Metric::ValidationLoss)
            .plateau(Metric::Loss, Plateau::new().patience(0).threshold(0.3))
    };
    // Three calls, unbroken.
    let mut whole = Net::seeded(3);
    let mut unbroken = base();
    let mut expected = Vec::new();
    for _ in 0..3 {
        let history = unbroken.fit(&mut whole, &data, Some(&data)).unwrap();
        expected.push((history, bits(whole.parameters_flat())));
    }
    // The same, stopped after so many steps by a panic, which leaves nothing but the file.
    let steps_in_all = expected[2].0.batch_losses.len() as u64;
    for stop in 1..=steps_in_all {
        let _ = std::fs::remove_file(&path);
        let program = |stop: Option<u64>| {
            let mut net = Net::seeded(3);
            let checkpoint = Checkpoint::to(&path).every_steps(1);
            let mut trainer = base().checkpoint(checkpoint).after_step(move |moment| {
                assert!(Some(moment.steps()) != stop, "the end");
            });
            trainer.resume(&mut net).unwrap();
            let mut found = Vec::new();
            for _ in 0..3 {
                let history = trainer.fit(&mut net, &data, Some(&data)).unwrap();
                found.push((history, bits(net.parameters_flat())));
            }
            found
        };
        let result = std::panic::catch_unwind(|| program(Some(stop)));
        assert!(result.is_err());
        assert_eq!(path.exists(), stop > 1);
        let found = program(None);
        same_history(&found[2].0, &expected[2].0);
        assert!(found[2].1 == expected[2].1, "stopped in step {stop}");
    }
    // Started once more, the program trains nothing.
    let mut net = Net::seeded(8);
    let mut trainer = base().checkpoint(&path);
    assert!(trainer.resume(&mut net).unwrap());
    for _ in 0..3 {
        let history = trainer.fit(&mut net, &data, Some(&data)).unwrap();
        same_history(&history, &expected[2].0);
        assert!(bits(net.parameters_flat()) == expected[2].1);
    }
    assert_eq!(trainer.fit(&mut net, &data, Some(&data)).unwrap().epochs.len(), 8);
}

#[test]
fn heads_are_resumed_too() {
    network! {
        struct Two: [1, 8, 8] -> (class: [10], ink: [1]) {
            flatten, linear(12), trunk: relu, class: linear(10), from(trunk), ink: linear(1),
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.safetensors");
    let data = digits(60);
    let ink: Vec<[f32; 1]> = data
        .inputs()
        .iter()
        .map(|image| [image[0].as_flattened().iter().sum::<f32>() / 64.0])
        .collect();
    let targets = TwoTarget::zip(data.targets(), &ink).unwrap();
    let data = Dataset::from_inputs(data.inputs(), targets).unwrap();
    let base = || {
        Trainer::new(Sgd::new(0.05).momentum(0.9))
            .loss(TwoLoss { class: CrossEntropy::new(), ink: MeanSquaredError::new() })
            .batch(16)
            .progress(false)
    };
    let mut whole = Two::seeded(1);
    let expected = base().epochs(4).fit(&mut whole, &data, Some(&data)).unwrap();
    let mut trainer = base().epochs(2).checkpoint(&path);
    trainer.fit(&mut Two::seeded(1), &data, Some(&data)).unwrap();
    let mut net = Two::seeded(2);
    let mut trainer = base().epochs(4);
    trainer.resume_from(&mut net, &path).unwrap();
    let history = trainer.fit(&mut net, &data, Some(&data)).unwrap();
    same_history(&history, &expected);
    assert_eq!(history.epochs[0].head("ink").unwrap().name, "ink");
    assert!(net == whole);
}

#[test]
fn the_weights_alone_are_read_from_a_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.safetensors");
    let data = digits(40).with_class_names((0..10).map(|i| format!("digit {i}")));
    let mut net = Net::seeded(3);
    trainer().epochs(1).checkpoint(&path).fit(&mut net, &data, None).unwrap();
    let loaded = Net::load_with(&path, &LoadOptions::new().ignore("run.")).unwrap();
    assert!(loaded == net);
    assert_eq!(loaded.metadata().class_names[3], "digit 3");
    let error = Net::load(&path).unwrap_err().to_string();
    assert!(error.contains("LoadOptions::new().ignore(\"run.\")"), "{error}");
}

#[track_caller]
fn resume_error(path: &Path) -> Error {
    let mut net = Net::seeded(5);
    let before = net.clone();
    let mut trainer = trainer().checkpoint(path);
    let error = trainer.resume(&mut net).unwrap_err();
    assert!(net == before && trainer.history().is_none());
    error
}

#[test]
fn files_that_are_no_checkpoint_of_this_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.safetensors");
    let data = digits(40);
    let mut none = trainer();
    let error = none.resume(&mut Net::seeded(1)).unwrap_err().to_string();
    assert!(error.contains("`checkpoint` says where"), "{error}");
    let mut trainer = trainer().checkpoint(&path).epochs(1);
    assert!(!trainer.resume(&mut Net::seeded(1)).unwrap());
    let error = trainer.resume_from(&mut Net::seeded(1), &path).unwrap_err();
    assert!(matches!(error, Error::Io { .. }));

    // Weights, another net, a net with other tensors, another optimiser, other settings of it.
    Net::seeded(1).save(&path).unwrap();
    assert!(resume_error(&path).to_string().contains("no checkpoint of a run"));
    trainer.fit(&mut Plain::seeded(1), &data, None).unwrap();
    let text = resume_error(&path).to_string();
    assert!(text.contains("the net is `Plain`, not `Net`"), "{text}");
    {
        network! {
            struct Net: [1, 8, 8] -> [10] {
                flatten, fc: linear(10), bn1: batch_norm,
            }
        }
        trainer.fit(&mut Net::seeded(1), &data, None).unwrap();
        let error = resume_error(&path);
        assert!(matches!(&error, Error::Weights { .. }), "{error}");
        let text = error.to_string();
        assert!(text.contains("missing: conv1.weight [4, 1, 3, 3]"), "{text}");
        assert!(text.contains("different: bn1.weight: [4] in the net, [10] in the file"), "{text}");
    }
    let mut sgd = Trainer::new(Sgd::new(0.1).momentum(0.9))
        .loss(CrossEntropy::new())
        .epochs(1)
        .checkpoint(&path);
    sgd.fit(&mut Net::seeded(1), &data, None).unwrap();
    let text = resume_error(&path).to_string();
    assert!(text.contains("the optimiser is `SGD`, not `AdamW`"), "{text}");
    let mut plain = Trainer::new(Sgd::new(0.1)).loss(CrossEntropy::new());
    let text = plain.resume_from(&mut Net::seeded(1), &path).unwrap_err().to_string();
    assert!(text.contains("other settings of SGD") && text.contains("momentum_buffer"), "{text}");
    let nothing_kept = Trainer::new(Sgd::new(0.1)).loss(CrossEntropy::new()).checkpoint(&path);
    nothing_kept.epochs(1).fit(&mut Net::seeded(1), &data, None).unwrap();
    let text = sgd.resume(&mut Net::seeded(1)).unwrap_err().to_string();
    assert!(text.contains("other settings of SGD") && text.contains("momentum_buffer"), "{text}");
}

#[test]
fn damaged_files_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.safetensors");
    trainer().epochs(1).checkpoint(&path).fit(&mut Net::seeded(3), &digits(40), None).unwrap();
    let good = std::fs::read(&path).unwrap();
    for length in [0, 1, 7, 8, 100, good.len() / 2, good.len() - 1] {
        std::fs::write(&path, &good[..length]).unwrap();
        let error = resume_error(&path);
        assert!(matches!(&error, Error::Format { .. }), "{length}: {error}");
    }
    let mut longer = good.clone();
    longer.push(0);
    std::fs::write(&path, &longer).unwrap();
    assert!(matches!(resume_error(&path), Error::Format { .. }));
    // One bit anywhere.
    let header = 8 + u64::from_le_bytes(good[..8].try_into().unwrap()) as usize;
    let mut at: Vec<usize> = (0..header).step_by(7).collect();
    at.extend((header..good.len()).step_by(good.len() / 300));
    for at in at {
        let mut bad = good.clone();
        bad[at] ^= 1 << (at % 8);
        std::fs::write(&path, &bad).unwrap();
        let error = resume_error(&path);
        assert!(matches!(&error, Error::Format { .. }), "byte {at}: {error}");
    }
    std::fs::write(&path, &good).unwrap();
    let mut trainer = trainer().checkpoint(&path);
    assert!(trainer.resume(&mut Net::seeded(1)).unwrap());
    // Another version.
    let text = String::from_utf8_lossy(&good[..header]).into_owned();
    let place = text.find(r#""version":"1""#).unwrap() + r#""version":""#.len();
    let mut other = good;
    other[place] = b'2';
    std::fs::write(&path, &other).unwrap();
    let text = resume_error(&path).to_string();
    assert!(text.contains("damaged") || text.contains("version 2"), "{text}");
}

/// Fills the disk that the checkpoint is on. Started by `a_full_disk_keeps_the_last_checkpoint`, where a
/// small file system is mounted.
#[test]
#[ignore = "started by another test"]
fn on_a_small_disk() {
    let Some(folder) = std::env::var_os("TYPENET_TEST_SMALL_DISK") else { return };
    let folder = Path::new(&folder);
    let path = folder.join("run.safetensors");
    let data = digits(40);
    let mut net = Net::seeded(3);
    let mut training = trainer().epochs(1).checkpoint(&path);
    training.fit(&mut net, &data, None).unwrap();
    let saved = std::fs::read(&path).unwrap();
    // What is left of the disk, but for a little.
    let mut filler = Vec::new();
    while std::fs::write(folder.join("filler"), &filler).is_ok() {
        filler.resize(filler.len() + 4096, 1);
    }
    let error = training.fit(&mut net, &data, None).unwrap_err();
    assert!(matches!(&error, Error::Io { path: named, .. } if *named == path), "{error}");
    assert!(error.to_string().to_lowercase().contains("no space"), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), saved);
    let left: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "{left:?}");
    // With room again the run goes on as if nothing had been.
    std::fs::remove_file(folder.join("filler")).unwrap();
    let history = training.fit(&mut net, &data, None).unwrap();
    let mut whole = Net::seeded(3);
    let expected = trainer().epochs(2).fit(&mut whole, &data, None).unwrap();
    same_history(&history, &expected);
    assert_eq!(bits(net.parameters_flat()), bits(whole.parameters_flat()));
    println!("the small disk was full");
}

#[test]
fn a_full_disk_keeps_the_last_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().display();
    let test = std::env::current_exe().unwrap();
    let script = format!(
        "mount -t tmpfs -o size=96k none '{place}' || exit 77
         TYPENET_TEST_SMALL_DISK='{place}' '{}' --ignored --exact --nocapture \
         checkpoints::on_a_small_disk",
        test.display()
    );
    // In namespaces of its own, so that nothing stays mounted.
    let output = Command::new("unshare").args(["-rm", "sh", "-c", &script]).output();
    let Ok(output) = output else {
        println!("skipped: this system has no `unshare`");
        return;
    };
    let (stdout, stderr) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    if output.status.code() == Some(77) || stderr.contains("unshare") {
        println!("skipped: no file system may be mounted here: {stderr}");
        return;
    }
    assert!(stdout.contains("the small disk was full"), "{stdout}{stderr}");
}
