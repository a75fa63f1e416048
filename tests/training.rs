//! Training: the loop by hand and the trainer, what they promise about batches, seeds, threads and
//! numbers that are not finite.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use typenet::data::Csv;
use typenet::prelude::*;
use typenet::{Error, Flat, Normalization};

network! {
    struct Small: [1, 8, 8] -> [10] {
        conv1: conv2d(8, kernel = 3, padding = 1), relu,
        max_pool2d(2),
        dropout(0.1),
        flatten,
        fc: linear(10),
    }
}

network! {
    struct Plainly: [1, 8, 8] -> [10] {
        conv1: conv2d(4, kernel = 3), relu,
        flatten,
        fc: linear(10),
    }
}

type Digits = Dataset<Input<Small>>;

fn digits() -> Digits {
    let bytes: &[u8] = include_bytes!("../data/digits.csv.gz");
    let csv = Csv::new().classes(10).scale(1.0 / 16.0);
    Dataset::from_csv_reader("digits.csv.gz", bytes, &csv).unwrap()
}

fn close(a: &[f32], b: &[f32], tolerance: f64) {
    let norm = |x: &mut dyn Iterator<Item = f64>| x.map(|x| x * x).sum::<f64>().sqrt();
    let difference = norm(&mut a.iter().zip(b).map(|(a, b)| f64::from(a - b)));
    let size = norm(&mut b.iter().map(|&b| f64::from(b)));
    assert!(a.len() == b.len() && difference <= tolerance * size, "{difference} of {size}");
}

fn trainer() -> Trainer<CrossEntropy> {
    Trainer::new(Sgd::new(0.05).momentum(0.9)).loss(CrossEntropy::new()).epochs(3).seed(5)
}

#[test]
fn the_loop_by_hand_learns_digits() {
    let (train, test) = digits().split_at(1437, 1).unwrap();
    let mut net = Small::seeded(42);
    let mut ws = Small::workspace(64);
    let mut sgd = Sgd::new(0.05).momentum(0.9).weight_decay(5e-4).state(&net);
    for epoch in 0..8 {
        for batch in train.minibatches(64, epoch) {
            net.forward(&batch.inputs, &mut ws);
            CrossEntropy::new().forward_backward(&batch.labels, &mut ws).unwrap();
            net.backward(&batch.inputs, &mut ws);
            sgd.step(&mut net, ws.gradients());
        }
    }
    let accuracy = evaluate(&net, &CrossEntropy::new(), &test).unwrap().accuracy().unwrap();
    assert!(accuracy >= 0.95, "{accuracy}");
}

#[test]
fn images_and_labels_are_enough() {
    let (train_set, test) = digits().split_at(1437, 2).unwrap();
    let mut net = Small::seeded(1);
    typenet::train::train(&mut net, train_set.inputs(), train_set.targets()).unwrap();
    let predicted = net.predict_batch(test.inputs());
    let right = predicted.iter().zip(test.targets()).filter(|(a, b)| a == b).count();
    assert!(right as f64 >= 0.95 * test.len() as f64, "{right} of {}", test.len());
}

#[test]
fn the_same_seed_gives_the_same_bits_on_any_number_of_threads() {
    let data = digits().take(300);
    let fit = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let mut net = Small::seeded(3);
            let history = trainer().batch(100).fit(&mut net, &data, None).unwrap();
            let bits: Vec<u32> = net.parameters_flat().iter().map(|x| x.to_bits()).collect();
            (bits, history.batch_losses)
        })
    };
    let one = fit(1);
    for threads in [2, 3, 8, 16] {
        assert!(fit(threads) == one, "{threads} threads give other bits");
    }
}

#[test]
fn a_batch_in_parts_is_the_batch() {
    let data = digits().take(150);
    let fit = |mut trainer: Trainer<CrossEntropy>| {
        let mut net = Plainly::seeded(3);
        let history = trainer.fit(&mut net, &data, None).unwrap();
        (net, history)
    };
    let weighted =
        CrossEntropy::new().class_weights(&[1.0, 2.0, 3.0, 1.0, 0.5, 1.0, 1.0, 0.0, 1.0, 1.0]);
    let base = Trainer::new(Sgd::new(0.05)).loss(weighted).epochs(2).full_batch();
    let (whole, history) = fit(base.clone());
    let (parts, history_of_parts) = fit(base.workspace(37));
    assert_eq!(history.batch_losses.len(), 2);
    close(parts.parameters_flat(), whole.parameters_flat(), 1e-5);
    let (a, b) = (history.batch_losses[1], history_of_parts.batch_losses[1]);
    assert!((a - b).abs() <= 1e-5, "{a} {b}");
}

#[test]
fn the_last_short_batch_is_used() {
    let data = digits().take(70);
    let mut net = Plainly::seeded(3);
    let history = trainer().batch(32).epochs(2).fit(&mut net, &data, None).unwrap();
    assert_eq!(history.batch_losses.len(), 6);
    let seen: usize = data.minibatches(32, 9).map(|batch| batch.labels.len()).sum();
    assert_eq!(seen, 70);
}

#[test]
fn validation_images_are_held_back_and_metadata_is_kept() {
    let mut data = digits().take(200).with_class_names((0..10).map(|i| format!("digit {i}")));
    let statistics = data.channel_statistics(1).unwrap();
    data.normalize(&statistics).unwrap();
    let mut net = Plainly::seeded(3);
    let history = trainer()
        .validation(0.25)
        .with_replacement(true)
        .fit(&mut net, &data, Some(&data))
        .unwrap();
    let last = history.epochs.last().unwrap();
    assert_eq!(last.validation.as_ref().unwrap().images, 50);
    assert_eq!(last.test.as_ref().unwrap().images, 200);
    assert_eq!(net.metadata().class_names[3], "digit 3");
    assert_eq!(net.metadata().normalization, Some(statistics));
    let top = |k| last.test.as_ref().unwrap().top_k(k).unwrap();
    assert!(top(1) == last.test.as_ref().unwrap().accuracy().unwrap());
    assert!(top(1) <= top(3) && top(3) <= top(10) && top(10) == 1.0);
}

#[test]
fn the_regulariser_is_part_of_the_loss() {
    let data = digits().take(40);
    let first_loss = |trainer: Trainer<CrossEntropy>| {
        let mut net = Plainly::seeded(3);
        trainer.epochs(1).full_batch().fit(&mut net, &data, None).unwrap().batch_losses[0]
    };
    let net = Plainly::seeded(3);
    let squares = |x: &[f32]| x.iter().map(|&x| f64::from(x * x)).sum::<f64>();
    let expected = 0.01 * (squares(net.conv1.weight.as_flat()) + squares(net.fc.weight.as_flat()));
    let share = first_loss(trainer().regularizer(Regularizer::l2(0.01))) - first_loss(trainer());
    assert!((share - expected).abs() <= 1e-6, "{share} {expected}");
}

#[test]
fn a_rate_that_is_too_large_stops_with_the_layer_and_keeps_good_weights() {
    let data = digits().take(50);
    let mut net = Plainly::seeded(3);
    let error = Trainer::new(Sgd::new(1e30))
        .loss(CrossEntropy::new())
        .full_batch()
        .epochs(9)
        .fit(&mut net, &data, None)
        .unwrap_err();
    let Error::NotFinite { epoch, batch: 1, layer, .. } = &error else { panic!("{error}") };
    assert!((2..=4).contains(epoch), "{error}");
    assert!(["conv1", "relu", "fc"].contains(&layer.as_str()), "{error}");
    assert!(net.parameters_flat().iter().all(|weight| weight.is_finite()));
    // The same images have a finite loss with the weights that are kept.
    let loss = evaluate(&net, &CrossEntropy::new(), &data).unwrap().loss;
    assert!(loss.is_finite(), "{loss}");
}

#[test]
fn a_bad_input_is_named_and_the_weights_stay() {
    let mut inputs = digits().take(64).inputs().to_vec();
    inputs[40][0][3][3] = f32::NAN;
    let data = Dataset::from_inputs(&inputs, vec![1; 64]).unwrap();
    let mut net = Plainly::seeded(3);
    let error = trainer().full_batch().fit(&mut net, &data, None).unwrap_err();
    assert!(matches!(&error, Error::NotFinite { layer, .. } if layer == "input"), "{error}");
    assert!(net == Plainly::seeded(3));
}

#[test]
fn bad_arguments_and_labels_are_errors_that_say_what_and_where() {
    let data = digits().take(20);
    let mut net = Plainly::seeded(3);
    let mut message = |mut trainer: Trainer<CrossEntropy>, data: &Digits| {
        let before = net.clone();
        let error = trainer.fit(&mut net, data, None).unwrap_err().to_string();
        assert!(net == before);
        error
    };
    for (trainer, expected) in [
        (trainer().batch(0), "`batch` = 0"),
        (trainer().workspace(0), "`workspace` = 0"),
        (trainer().validation(1.0), "`validation` = 1"),
        (trainer().validation(f64::NAN), "`validation` = NaN"),
        (Trainer::new(Sgd::new(f32::NAN)).loss(CrossEntropy::new()), "learning_rate"),
        (Trainer::new(Sgd::new(0.1).momentum(-1.0)).loss(CrossEntropy::new()), "momentum"),
        (trainer().regularizer(Regularizer::l2(-1.0)), "lambda"),
        (
            Trainer::new(Sgd::new(0.1)).loss(CrossEntropy::new().label_smoothing(2.0)),
            "label_smoothing",
        ),
        (
            Trainer::new(Sgd::new(0.1)).loss(CrossEntropy::new().class_weights(&[1.0])),
            "class_weights",
        ),
    ] {
        let text = message(trainer, &data);
        assert!(text.contains(expected), "{text}");
    }
    let labels = Dataset::from_inputs(data.inputs(), (0..20).map(|i| i % 11).collect()).unwrap();
    let text = message(trainer(), &labels);
    assert!(text.contains("training target 10") && text.contains("label 10"), "{text}");
    let empty = digits().take(0);
    assert!(message(trainer(), &empty).contains("training images"));
}

#[test]
fn every_form_of_prediction_agrees() {
    let data = digits().take(53);
    let mut net = Plainly::seeded(3);
    trainer().fit(&mut net, &data, None).unwrap();
    let classes = net.predict_batch(data.inputs());
    let outputs = net.outputs(data.inputs());
    let mut ws = Plainly::workspace(20);
    let (mut into, mut rows) = (vec![99; 53], vec![[0.0; 10]; 53]);
    net.predict_into(&mut ws, data.inputs(), &mut into).unwrap();
    net.outputs_into(&mut ws, data.inputs(), &mut rows).unwrap();
    assert_eq!(into, classes);
    assert_eq!(rows, outputs);
    for (i, image) in data.inputs().iter().enumerate() {
        assert_eq!(net.predict(image), classes[i]);
        assert_eq!(net.predict_with(&mut ws, image), classes[i]);
        // Other kernels, so the last bits differ.
        for (one, of_many) in net.output(image).iter().zip(&outputs[i]) {
            assert!((one - of_many).abs() <= 1e-5 * of_many.abs().max(1.0), "{one} {of_many}");
        }
        let p = net.probabilities(image);
        assert!((p.iter().sum::<f32>() - 1.0).abs() <= 1e-6);
        let top = net.top_k(image, 3);
        assert_eq!((top[0].0, top[0].1), (classes[i], p[classes[i]]));
        assert!(top[0].1 >= top[1].1 && top[1].1 >= top[2].1);
        assert_eq!(net.top_k(image, 99).len(), 10);
    }
    let text = net.predict_into(&mut ws, data.inputs(), &mut into[1..]).unwrap_err().to_string();
    assert!(text.contains("expected 53, found 52"), "{text}");
}

#[test]
fn bytes_and_numbers_become_inputs() {
    let mut net = Plainly::seeded(3);
    let bytes: Vec<u8> = (0..64).collect();
    assert_eq!(net.input_from_u8(&bytes).unwrap()[0][1][2], 10.0 / 255.0);
    net.metadata_mut().normalization = Some(Normalization { mean: vec![0.5], std: vec![0.25] });
    let normalised = net.input_from_u8(&bytes).unwrap()[0][1][2];
    assert!((normalised - (10.0 / 255.0 - 0.5) / 0.25).abs() <= 1e-6);
    assert!(net.input_from_u8(&bytes[1..]).is_err());
    let numbers: Vec<f32> = (0..64u8).map(f32::from).collect();
    assert_eq!(Plainly::input(&numbers).unwrap()[0][7][7], 63.0);
    assert!(
        Plainly::input(&numbers[..63]).unwrap_err().to_string().contains("expected 64, found 63")
    );
}

#[test]
fn a_saved_net_is_the_same_net() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("net.safetensors");
    let mut net = Plainly::seeded(3);
    net.metadata_mut().class_names = (0..10).map(|i| format!("\"{i}\"\n,é")).collect();
    net.metadata_mut().normalization = Some(Normalization { mean: vec![0.1], std: vec![1e-7] });
    net.save(&path).unwrap();
    assert!(Plainly::load(&path).unwrap() == net);
    let text = Small::load(&path).unwrap_err().to_string();
    assert!(text.contains("conv1.weight") && text.contains("fc.weight"), "{text}");
    std::fs::write(&path, b"nonsense").unwrap();
    assert!(matches!(Plainly::load(&path), Err(Error::Format { .. })));
    assert!(matches!(Plainly::load(folder.path().join("none")), Err(Error::Io { .. })));
}

network! {
    /// Every kernel that threads without a group of their own can help with.
    struct Helped: [3, 32, 32] -> [10] {
        conv1: conv2d(32, kernel = 3, padding = 1, bias = false), batch_norm, relu,
        residual {
            conv2d(32, kernel = 3, padding = 1, bias = false), batch_norm, relu,
            conv2d(32, kernel = 3, padding = 1, bias = false), batch_norm,
        },
        relu,
        max_pool2d(2),
        conv2: conv2d(64, kernel = 1), silu,
        depthwise: conv2d(64, kernel = 3, padding = 1, groups = 64), batch_norm, relu,
        grouped: conv2d(96, kernel = 3, padding = 1, groups = 8), relu,
        conv3: conv2d(48, kernel = 5, stride = 2, padding = 2), tanh,
        avg_pool2d(2),
        flatten,
        fc1: linear(256), relu,
        fc2: linear(10),
    }
}

#[test]
fn threads_without_a_group_change_no_bit() {
    use typenet::kernels::team::Team;

    let numbers: Vec<f32> = (0..64 * 3 * 32 * 32).map(|i| (i as f32 * 0.3).sin()).collect();
    let images = Input::<Helped>::slice_from_flat(&numbers).unwrap();
    // 4 groups, of which the last is not full.
    let step = |count: usize| -> Vec<u32> {
        let mut net = Helped::seeded(1);
        let mut ws = Helped::workspace(count);
        net.forward(&images[..count], &mut ws);
        let (outputs, gradient) = ws.output_rows();
        gradient.iter_mut().zip(outputs).for_each(|(g, y)| *g = 0.5 - y);
        let mut all = outputs.to_vec();
        net.backward(&images[..count], &mut ws);
        all.extend_from_slice(ws.gradients().as_flat());
        all.extend_from_slice(net.parameters_flat());
        all.extend(net.outputs(&images[..count]).iter().flatten());
        all.iter().map(|number| number.to_bits()).collect()
    };
    for count in [60, 64] {
        let expected = Team::rehearse(1, || step(count)).0;
        let cut = |threads| {
            let (found, pieces) = Team::rehearse(threads, || step(count));
            assert!(found == expected, "{count} images, {threads} threads");
            pieces
                .iter()
                .flat_map(|piece| &piece.tasks)
                .map(|task| task.shared.len())
                .sum::<usize>()
        };
        // As many groups as threads keep to themselves; where there are more threads, most layers are cut.
        assert_eq!(cut(4), 0);
        for threads in [3, 8, 12, 64] {
            assert!(cut(threads) > 20, "{threads} threads");
        }
        for threads in [5, 12] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            assert!(pool.install(|| step(count)) == expected, "{count} images, {threads} threads");
        }
    }
}
