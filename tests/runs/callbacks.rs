//! What callbacks see and change.

use std::sync::{Arc, Mutex};

use typenet::prelude::*;
use typenet::train::{Callback, Moment, Stopped};

use super::support::{Net, Plain, digits, trainer};

#[test]
fn a_callback_reads_the_run() {
    let data = digits(60);
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (steps, epochs) = (seen.clone(), seen.clone());
    let mut net = Net::seeded(3);
    let history = trainer()
        .validation(0.0)
        .batch(25)
        .epochs(2)
        .after_step(move |moment| {
            assert!(moment.record().is_none());
            assert!(moment.gradient_norm().unwrap() > 0.0);
            assert_eq!(moment.parameter("fc.bias").unwrap().len(), 10);
            assert!(moment.gradient("conv1.weight").unwrap().iter().any(|&g| g != 0.0));
            assert!(moment.parameter("fc").is_none() && moment.gradient("fc3.bias").is_none());
            assert_eq!((moment.net(), moment.batches(), moment.epochs()), ("Net", 3, 2));
            assert_eq!(moment.history().batch_losses.last(), Some(&moment.loss()));
            let rate = moment.history().learning_rates.last().copied();
            assert_eq!(rate, Some(moment.learning_rate()));
            let place = (moment.epoch(), moment.batch(), moment.steps());
            steps.lock().unwrap().push(place);
        })
        .after_epoch(move |moment| {
            let record = moment.record().unwrap();
            assert_eq!((record.epoch, record.loss), (moment.epoch(), moment.loss()));
            epochs.lock().unwrap().push((moment.epoch(), 0, moment.steps()));
            let names: Vec<String> = moment.names().collect();
            assert_eq!(names[..3], ["conv1.weight", "conv1.bias", "bn1.weight"]);
        })
        .fit(&mut net, &data, None)
        .unwrap();
    let expected =
        [(1, 1, 1), (1, 2, 2), (1, 3, 3), (1, 0, 3), (2, 1, 4), (2, 2, 5), (2, 3, 6), (2, 0, 6)];
    assert_eq!(*seen.lock().unwrap(), expected);
    assert_eq!(history.learning_rates.len(), 6);
}

#[test]
fn a_callback_changes_rates_and_weights_and_stops() {
    let data = digits(64);
    let base = || {
        Trainer::new(Sgd::new(0.5)).loss(CrossEntropy::new()).batch(16).epochs(3).progress(false)
    };
    let mut net = Plain::seeded(1);
    let history = base()
        .after_step(|moment| {
            match moment.steps() {
                1 => moment.set_learning_rate(0.25),
                2 => moment.scale_learning_rate(0.5),
                _ => {}
            }
            moment.parameter_mut("fc2.bias").unwrap().fill(3.0);
        })
        .after_step(|moment| {
            if moment.steps() == 2 {
                // After the callback before it.
                assert_eq!(moment.learning_rate(), 0.125);
            }
            if moment.steps() == 6 {
                moment.stop("enough");
                moment.stop("the first reason counts");
            }
        })
        .fit(&mut net, &data, None)
        .unwrap();
    assert_eq!(history.learning_rates, [0.5, 0.25, 0.125, 0.125, 0.125, 0.125]);
    assert_eq!(net.fc2.bias, [3.0; 10]);
    assert_eq!(history.stopped, Some(Stopped::Callback("enough".into())));
    assert_eq!(history.to_string().lines().last(), Some("stopped: enough"));

    // In the last step of an epoch, the epoch is still recorded.
    let history = base()
        .after_step(|moment| {
            if moment.steps() == 4 {
                moment.stop("enough")
            }
        })
        .fit(&mut Plain::seeded(1), &data, None)
        .unwrap();
    assert_eq!((history.epochs.len(), history.batch_losses.len()), (1, 4));
}

/// Counts epochs.
#[derive(Default)]
struct Count(usize);

impl Callback for Count {
    fn after_epoch(&mut self, _: &mut Moment<'_>) {
        self.0 += 1;
    }

    fn state(&self) -> String {
        self.0.to_string()
    }

    fn resume(&mut self, state: &str) -> typenet::Result<()> {
        self.0 = state.parse().unwrap();
        Ok(())
    }
}

#[test]
fn a_callback_has_a_state_and_can_be_looked_at() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.safetensors");
    let data = digits(40);
    let count = Arc::new(Mutex::new(Count::default()));
    let mut trainer = trainer().epochs(3).callback(count.clone()).checkpoint(&path);
    trainer.fit(&mut Net::seeded(3), &data, None).unwrap();
    assert_eq!(count.lock().unwrap().0, 3);
    count.lock().unwrap().0 = 99;
    let mut net = Net::seeded(1);
    assert!(trainer.resume(&mut net).unwrap());
    assert_eq!(count.lock().unwrap().0, 3);
    trainer.fit(&mut net, &data, None).unwrap();
    trainer.fit(&mut net, &data, None).unwrap();
    assert_eq!(count.lock().unwrap().0, 6);
}

#[test]
fn a_callback_saves_the_net() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("second.safetensors");
    let to = path.clone();
    let mut net = Net::seeded(3);
    trainer()
        .epochs(2)
        .after_epoch(move |moment| {
            if moment.epoch() == 2 {
                moment.save(&to).unwrap();
            }
        })
        .fit(&mut net, &digits(40), None)
        .unwrap();
    assert!(Net::load(&path).unwrap() == net);
}
