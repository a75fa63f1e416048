//! Means of the weights, the best weights, and the statistics of batch norms for them.

use typenet::Flat;
use typenet::prelude::*;
use typenet::train::{EarlyStopping, Metric, Stopped, update_bn};

use super::support::{Net, Plain, bits, digits, trainer};

#[test]
fn the_mean_is_that_of_the_steps_and_is_what_is_evaluated() {
    let data = digits(64);
    let run = |averaging: Option<Averaging>| {
        let mut trainer = Trainer::new(Sgd::new(0.1).momentum(0.5))
            .loss(CrossEntropy::new())
            .batch(16)
            .epochs(2)
            .progress(false);
        if let Some(averaging) = averaging {
            trainer = trainer.average(averaging);
        }
        let mut net = Plain::seeded(1);
        let history = trainer.fit(&mut net, &data, Some(&data)).unwrap();
        (net, history)
    };
    // The same steps by hand: the trainer of one epoch a call shows each step's weights in a callback.
    let weights = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let seen = weights.clone();
    let mut plain = Plain::seeded(1);
    Trainer::new(Sgd::new(0.1).momentum(0.5))
        .loss(CrossEntropy::new())
        .batch(16)
        .epochs(2)
        .after_step(move |moment| {
            let weight = moment.parameter("fc2.weight").unwrap().to_vec();
            seen.lock().unwrap().push(weight);
        })
        .fit(&mut plain, &data, None)
        .unwrap();
    let weights = weights.lock().unwrap();
    assert_eq!(weights.len(), 8);

    let (net, history) = run(Some(Averaging::ema(0.75)));
    let mut mean: Vec<f64> = weights[0].iter().map(|&w| f64::from(w)).collect();
    for weights in &weights[1..] {
        mean.iter_mut().zip(weights).for_each(|(m, &w)| *m = 0.75 * *m + 0.25 * f64::from(w));
    }
    let close = |net: &Plain, mean: &[f64]| {
        let own = net.fc2.weight.as_flat();
        own.iter().zip(mean).all(|(&own, m)| (f64::from(own) - m).abs() <= 1e-6)
    };
    assert!(close(&net, &mean));
    let loss = evaluate(&net, &CrossEntropy::new(), &data).unwrap().loss;
    assert_eq!(history.epochs[1].test.as_ref().unwrap().loss, loss);

    // Every second step.
    let (net, _) = run(Some(Averaging::ema(0.75).every_steps(2)));
    let mut mean: Vec<f64> = weights[1].iter().map(|&w| f64::from(w)).collect();
    for weights in [&weights[3], &weights[5], &weights[7]] {
        mean.iter_mut().zip(weights).for_each(|(m, &w)| *m = 0.75 * *m + 0.25 * f64::from(w));
    }
    assert!(close(&net, &mean));

    // At the ends of both epochs.
    let (net, _) = run(Some(Averaging::swa(1)));
    let mean: Vec<f64> = weights[3]
        .iter()
        .zip(&weights[7])
        .map(|(&a, &b)| (f64::from(a) + f64::from(b)) / 2.0)
        .collect();
    assert!(close(&net, &mean));
    // Not begun: the last weights.
    let (net, _) = run(Some(Averaging::swa(3)));
    assert_eq!(bits(net.parameters_flat()), bits(plain.parameters_flat()));
}

#[test]
fn averages_by_hand_are_the_same() {
    let mut net = Plain::seeded(1);
    let mut mean = Averaging::swa(1).state::<Plain>();
    assert!(mean.net(&net) == net);
    net.fc1.bias = [1.0; 16];
    mean.update(&net);
    net.fc1.bias = [2.0; 16];
    mean.update(&net);
    net.fc1.bias = [6.0; 16];
    mean.update(&net);
    assert_eq!((mean.net(&net).fc1.bias, mean.count()), ([3.0; 16], 3));
    let mut ema = Averaging::ema(0.5).state::<Plain>();
    net.fc1.bias = [1.0; 16];
    ema.update(&net);
    net.fc1.bias = [3.0; 16];
    ema.update(&net);
    assert_eq!(ema.net(&net).fc1.bias, [2.0; 16]);
    assert!(Averaging::ema(1.0).check().is_err() && Averaging::ema(f64::NAN).check().is_err());
    assert!(Averaging::ema(0.9).every_steps(0).check().is_err());
}

#[test]
fn batch_norms_get_the_statistics_of_the_averaged_weights() {
    let data = digits(96);
    let mut net = Net::seeded(3);
    trainer()
        .validation(0.0)
        .average(Averaging::swa(2))
        .epochs(4)
        .fit(&mut net, &data, Some(&data))
        .unwrap();
    // What conv1 gives for all images, over images and pixels, in f64.
    let mut sums = [[0.0_f64; 2]; 4];
    let mut count = 0.0;
    for image in data.inputs() {
        let trace = net.trace(image);
        let value = trace.get("conv1").unwrap();
        for (channel, sums) in sums.iter_mut().enumerate() {
            for &x in value.channel(channel) {
                sums[0] += f64::from(x);
                sums[1] += f64::from(x).powi(2);
            }
        }
        count += 64.0;
    }
    for (channel, [sum, squares]) in sums.into_iter().enumerate() {
        let mean = sum / count;
        let variance = squares / count - mean * mean;
        let found = f64::from(net.bn1.running_mean[channel]);
        assert!((found - mean).abs() <= 1e-5 * variance.sqrt().max(1.0), "{found} {mean}");
        // The mean over batches of 16 of each one's own variance: a little less than that of all.
        let found = f64::from(net.bn1.running_var[channel]);
        assert!(found <= variance * 1.001 && found >= 0.8 * variance, "{found} {variance}");
    }
    // One batch of all is exact.
    let mut whole = net.clone();
    update_bn(&mut whole, &data, 96).unwrap();
    for (channel, [sum, squares]) in sums.into_iter().enumerate() {
        let mean = sum / count;
        let variance = (squares / count - mean * mean) * count / (count - 1.0);
        let found = f64::from(whole.bn1.running_var[channel]);
        assert!((found - variance).abs() <= 1e-4 * variance, "{found} {variance}");
    }
    assert_eq!(whole.conv1.weight, net.conv1.weight);
    assert!(update_bn(&mut whole, &data, 0).is_err());
    assert!(update_bn(&mut whole, &data.take(0), 8).is_err());
    // What is not trained keeps its statistics.
    whole.set_trainable("bn1", false).unwrap();
    whole.bn1.running_mean = [5.0; 4];
    update_bn(&mut whole, &data, 32).unwrap();
    assert_eq!(whole.bn1.running_mean, [5.0; 4]);
}

#[test]
fn the_best_weights_come_back_and_training_goes_on_from_the_last() {
    let data = digits(100);
    let base = || {
        // A rate that soon does harm.
        Trainer::new(Sgd::new(0.02).schedule(Schedule::function(|epoch| 1.0 + 40.0 * epoch)))
            .loss(CrossEntropy::new())
            .batch(20)
            .validation(0.3)
            .progress(false)
    };
    let mut net = Plain::seeded(1);
    let mut trainer = base().epochs(8).restore_best(Metric::ValidationLoss);
    let history = trainer.fit(&mut net, &data, None).unwrap();
    let losses: Vec<f64> =
        history.epochs.iter().map(|epoch| epoch.validation.as_ref().unwrap().loss).collect();
    let best = losses.iter().copied().fold(f64::INFINITY, f64::min);
    assert!(best < losses[7], "{losses:?}");
    let (_, held_back) = data.split(0.3, 0).unwrap();
    assert_eq!(evaluate(&net, &CrossEntropy::new(), &held_back).unwrap().loss, best);

    let mut whole = Plain::seeded(1);
    let expected = base().epochs(10).fit(&mut whole, &data, None).unwrap();
    let mut trainer = trainer.epochs(2);
    let history = trainer.fit(&mut net, &data, None).unwrap();
    super::support::same_history(&history, &expected);
}

#[test]
fn training_stops_when_nothing_gets_better() {
    let data = digits(100);
    let mut net = Plain::seeded(1);
    let harm = Sgd::new(0.02).schedule(Schedule::function(|epoch| 1.0 + 40.0 * epoch));
    let mut trainer = Trainer::new(harm)
        .loss(CrossEntropy::new())
        .batch(20)
        .epochs(50)
        .validation(0.3)
        .early_stopping(EarlyStopping::on(Metric::ValidationLoss).patience(2))
        .progress(false);
    let history = trainer.fit(&mut net, &data, None).unwrap();
    let Some(Stopped::Early { best_epoch }) = history.stopped else { panic!("{history:?}") };
    assert_eq!(history.epochs.len(), best_epoch + 2);
    assert!(history.to_string().ends_with(&format!("no improvement since epoch {best_epoch}")));
    // Another call gives it another chance.
    let more = trainer.fit(&mut net, &data, None).unwrap();
    assert!(more.epochs.len() >= history.epochs.len() + 2);
}

#[test]
fn a_metric_that_a_run_lacks_is_refused() {
    let data = digits(40);
    let mut net = Plain::seeded(1);
    let base = || Trainer::new(Sgd::new(0.1)).loss(CrossEntropy::new()).progress(false);
    let mut refused = |mut trainer: Trainer<CrossEntropy>, expected: &str| {
        let before = net.clone();
        let error = trainer.fit(&mut net, &data, None).unwrap_err().to_string();
        assert_eq!(error, expected);
        assert!(net == before);
    };
    let early = |metric| EarlyStopping::on(metric);
    refused(
        base().early_stopping(early(Metric::ValidationLoss)),
        "`metric` = ValidationLoss: it needs images held back by `validation`",
    );
    refused(
        base().restore_best(Metric::TestAccuracy),
        "`metric` = TestAccuracy: it needs a test set",
    );
    refused(
        base().plateau(Metric::TestLoss, Plateau::new()),
        "`metric` = TestLoss: it needs a test set",
    );
    refused(
        base().plateau(Metric::Loss, Plateau::new().factor(1.0)),
        "`factor` = 1: a number between 0 and 1 is needed",
    );
    refused(
        base().early_stopping(early(Metric::Loss).patience(0)),
        "`patience` = 0: 1 epoch or more is needed",
    );
    refused(
        base().early_stopping(early(Metric::Loss).min_delta(f64::NAN)),
        "`min_delta` = NaN: a finite number, 0 or more",
    );
    refused(base().clip_grad_norm(0.0), "`clip_grad_norm` = 0: a finite number above 0 is needed");
    refused(
        base().clip_grad_value(f32::NAN),
        "`clip_grad_value` = NaN: a finite number above 0 is needed",
    );
    refused(base().average(Averaging::ema(2.0)), "`decay` = 2: 0 or more, below 1, is allowed");
    let numbers = Dataset::from_inputs(data.inputs(), vec![[0.5; 10]; 40]).unwrap();
    let error = Trainer::new(Sgd::new(0.1))
        .loss(MeanSquaredError::new())
        .restore_best(Metric::Accuracy)
        .fit(&mut net, &numbers, None)
        .unwrap_err();
    assert!(error.to_string().contains("targets that are classes"), "{error}");
}
