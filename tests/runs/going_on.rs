//! A second call of `fit`.

use typenet::prelude::*;
use typenet::train::{Metric, Stopped};
use typenet::{Error, Flat};

use super::support::{Net, Plain, bits, digits, same_history, trainer};

/// Runs of one optimiser in one call of six epochs and in calls of two, one and three.
#[track_caller]
fn two_calls_are_one<O: Optimizer>(optimizer: &O) {
    let data = digits(120);
    let base = || {
        Trainer::new(optimizer.clone())
            .loss(CrossEntropy::new())
            .batch(16)
            .seed(9)
            .validation(0.2)
            .average(Averaging::ema(0.9))
            .plateau(Metric::ValidationLoss, Plateau::new().patience(0).threshold(0.2).factor(0.5))
            .progress(false)
    };
    let mut whole = Net::seeded(3);
    let expected = base().epochs(6).fit(&mut whole, &data, Some(&data)).unwrap();
    let mut net = Net::seeded(3);
    let mut trainer = base().epochs(2);
    trainer.fit(&mut net, &data, Some(&data)).unwrap();
    trainer = trainer.epochs(1);
    trainer.fit(&mut net, &data, Some(&data)).unwrap();
    trainer = trainer.epochs(3);
    let history = trainer.fit(&mut net, &data, Some(&data)).unwrap();
    same_history(&history, &expected);
    assert_eq!(bits(net.parameters_flat()), bits(whole.parameters_flat()), "{}", O::NAME);
    assert_eq!(history.epochs.iter().map(|e| e.epoch).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6]);
    same_history(trainer.history().unwrap(), &expected);
}

#[test]
fn two_calls_are_one_longer_one() {
    let schedule = || Schedule::cosine(6).warmup(1.5);
    two_calls_are_one(&Sgd::new(0.05).momentum(0.9).dampening(0.2).schedule(schedule()));
    two_calls_are_one(&Adam::new(0.01).schedule(schedule()));
    two_calls_are_one(&AdamW::new(0.01).schedule(OneCycle::new(6)));
    two_calls_are_one(&RmsProp::new(0.003).momentum(0.5).centered(true));
    two_calls_are_one(&Lion::new(0.002));
    two_calls_are_one(&Muon::new(0.02).schedule(Schedule::exponential(0.8)));
}

#[test]
fn another_net_starts_anew_and_so_does_restart() {
    let data = digits(60);
    let mut trainer = trainer().epochs(2);
    let mut net = Net::seeded(3);
    let first = trainer.fit(&mut net, &data, None).unwrap();
    let after = bits(net.parameters_flat());

    // A clone of the untrained net is another net, of the same weights.
    let mut other = Net::seeded(3).clone();
    let second = trainer.fit(&mut other, &data, None).unwrap();
    same_history(&second, &first);
    assert_eq!(bits(other.parameters_flat()), after);

    // The first net's run is gone: it starts anew from its weights.
    let third = trainer.fit(&mut net, &data, None).unwrap();
    assert_eq!(third.epochs.len(), 2);
    assert_eq!(third.epochs[0].epoch, 1);

    trainer.restart();
    assert!(trainer.history().is_none());
    let mut again = Net::seeded(3);
    trainer.fit(&mut again, &data, None).unwrap();
    trainer.restart();
    again.parameters_flat_mut().copy_from_slice(Net::seeded(3).parameters_flat());
    let history = trainer.fit(&mut again, &data, None).unwrap();
    same_history(&history, &first);
    assert_eq!(bits(again.parameters_flat()), after);

    // A clone of a trainer has no run; another type of net is another net.
    let mut clone = trainer.clone();
    assert!(clone.history().is_none() && trainer.history().is_some());
    let mut plain = Plain::seeded(1);
    assert_eq!(clone.fit(&mut plain, &data, None).unwrap().epochs.len(), 2);
    assert_eq!(trainer.fit(&mut plain, &data, None).unwrap().epochs.len(), 2);
}

#[test]
fn a_stepped_rate_does_not_jump_back() {
    let data = digits(40);
    let sgd = Sgd::new(0.02).schedule(Schedule::step(2, 0.1));
    let mut trainer = Trainer::new(sgd).loss(CrossEntropy::new()).epochs(2).progress(false);
    let mut net = Plain::seeded(1);
    trainer.fit(&mut net, &data, None).unwrap();
    let history = trainer.fit(&mut net, &data, None).unwrap();
    let rates: Vec<f64> = history.epochs.iter().map(|epoch| epoch.learning_rate).collect();
    let expected = [0.02_f32, 0.02, 0.002, 0.002].map(f64::from);
    assert!(rates.iter().zip(expected).all(|(a, b)| (a - b).abs() <= 1e-9), "{rates:?}");
}

#[test]
fn smooth_schedules_change_in_every_step() {
    let data = digits(64);
    let sgd = Sgd::new(1.0).schedule(Schedule::linear(0.0, 1.0, 2));
    let mut trainer = Trainer::new(sgd).loss(CrossEntropy::new()).batch(16).epochs(3);
    let history = trainer.fit(&mut Plain::seeded(1), &data, None).unwrap();
    let expected: Vec<f32> = (0..12).map(|step| (step as f32 / 8.0).min(1.0)).collect();
    assert_eq!(history.learning_rates, expected);
    assert_eq!(history.epochs[0].learning_rate, 0.375);
}

#[test]
fn what_was_changed_between_two_calls_stays() {
    let data = digits(60);
    let mut trainer = trainer().average(Averaging::ema(0.5)).epochs(1);
    let mut net = Net::seeded(3);
    trainer.fit(&mut net, &data, None).unwrap();
    net.fc.bias = [7.0; 10];
    net.set_trainable("fc.bias", false).unwrap();
    trainer.fit(&mut net, &data, None).unwrap();
    // The mean of the weights before and of 7.
    assert!(net.fc.bias.iter().all(|&bias| (3.0..=7.0).contains(&bias)), "{:?}", net.fc.bias);
    // Other settings of the optimiser, for the same run.
    let mut trainer = trainer.optimizer(AdamW::new(0.0).amsgrad(true)).epochs(1);
    let before = net.fc.weight;
    let history = trainer.fit(&mut net, &data, None).unwrap();
    assert_eq!(history.epochs.len(), 3);
    assert_eq!(history.epochs[2].learning_rate, 0.0);
    assert!(before.as_flat() != net.fc.weight.as_flat(), "the mean still moves");
}

#[test]
fn an_epoch_goes_on_where_it_was_stopped() {
    let data = digits(120);
    let mut whole = Net::seeded(3);
    let expected = trainer().epochs(4).fit(&mut whole, &data, None).unwrap();
    let mut net = Net::seeded(3);
    let mut stopping = trainer().epochs(4).after_step(|moment| {
        if moment.steps() == 9 {
            moment.stop("a pause");
        }
    });
    let history = stopping.fit(&mut net, &data, None).unwrap();
    assert_eq!(history.stopped, Some(Stopped::Callback("a pause".into())));
    assert_eq!((history.epochs.len(), history.batch_losses.len()), (1, 9));
    // Another batch would be another epoch.
    stopping = stopping.batch(20);
    let error = stopping.fit(&mut net, &data, None).unwrap_err().to_string();
    assert_eq!(
        error,
        "`batch` = 20, and epoch 2 was begun with 16: an epoch is finished as it was begun; `restart` \
         starts anew"
    );
    let fewer = digits(119);
    stopping = stopping.batch(16);
    let error = stopping.fit(&mut net, &fewer, None).unwrap_err();
    assert!(matches!(&error, Error::Argument { name: "images", .. }), "{error}");
    // The unfinished epoch counts as the first of three.
    stopping = stopping.epochs(3);
    let history = stopping.fit(&mut net, &data, None).unwrap();
    same_history(&history, &expected);
    assert_eq!(bits(net.parameters_flat()), bits(whole.parameters_flat()));
}

#[test]
fn a_run_that_diverged_is_over() {
    let data = digits(40);
    let mut trainer =
        Trainer::new(Sgd::new(1e30)).loss(CrossEntropy::new()).full_batch().progress(false);
    let mut net = Plain::seeded(1);
    assert!(matches!(trainer.fit(&mut net, &data, None), Err(Error::NotFinite { .. })));
    assert!(trainer.history().is_none());
    let mut trainer = trainer.optimizer(Sgd::new(0.01)).epochs(2);
    assert_eq!(trainer.fit(&mut net, &data, None).unwrap().epochs.len(), 2);
}
