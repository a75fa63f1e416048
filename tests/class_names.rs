//! Names of classes on their way from a data set through training to a file and a table.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use typenet::prelude::*;

network! {
    struct Pets: [2] -> [3] { fc: linear(3) }
}

const NAMES: [&str; 3] = ["bird", "cat", "dog"];

fn trainer() -> Trainer<CrossEntropy> {
    Trainer::new(Sgd::new(0.5)).loss(CrossEntropy::new()).epochs(20).batch(4).progress(false)
}

fn pets() -> Dataset<[f32; 2]> {
    let inputs: Vec<[f32; 2]> =
        (0..12).map(|i| [(i % 3 == 0).into(), (i % 3 == 1).into()]).collect();
    Dataset::from_inputs(&inputs, (0..12).map(|i| i % 3).collect()).unwrap()
}

#[test]
fn names_of_a_table_are_stored_with_the_weights() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("train.csv"), "1,0,dog\n0,1,cat\n1,1,bird\n1,0,dog\n").unwrap();
    std::fs::write(path("test.csv"), "0,1,cat\n1,0,dog\n").unwrap();
    let train = Dataset::from_csv(path("train.csv"), &Csv::new()).unwrap();
    let known = Csv::new().class_names(train.class_names());
    let test = Dataset::from_csv(path("test.csv"), &known).unwrap();
    let mut net = Pets::seeded(1);
    trainer().fit(&mut net, &train, Some(&test)).unwrap();
    assert_eq!(net.metadata().class_names, NAMES);
    net.save(path("pets.safetensors")).unwrap();
    let net = Pets::load(path("pets.safetensors")).unwrap();
    assert_eq!(net.metadata().class_names, NAMES);
    assert_eq!(net.metadata().class_names[net.predict(&[0.0, 1.0])], "cat");

    // Read by itself, the test set would number its classes in another way.
    let own = Dataset::from_csv(path("test.csv"), &Csv::new()).unwrap();
    let mistake = evaluate(&net, &CrossEntropy::new(), &own).unwrap_err().to_string();
    let expected =
        "`class_names` = class 0 is \"cat\" in the data set and \"bird\" in the net: the same";
    assert!(mistake.starts_with(expected) && mistake.contains("Csv::class_names"), "{mistake}");
    for train in [&train, &pets()] {
        let before = net.fc.weight;
        let mut net = net.clone();
        let mistake = trainer().fit(&mut net, train, Some(&own)).unwrap_err().to_string();
        assert!(mistake.contains("class 0 is \"cat\" in the test set and \"bird\""), "{mistake}");
        assert_eq!(net.fc.weight, before);
    }
}

#[test]
fn a_confusion_matrix_has_the_names_of_the_set_or_the_net() {
    let mut net = Pets::seeded(1);
    trainer().fit(&mut net, &pets(), None).unwrap();
    let confusion = |net: &Pets, data: &Dataset<[f32; 2]>| {
        evaluate(net, &CrossEntropy::new(), data).unwrap().confusion.unwrap()
    };
    let plain = confusion(&net, &pets());
    assert_eq!(plain.name(0), None);
    let expected = "\
actual │ 0 1 2  ← predicted
───────┼──────
     0 │ 4 · ·
     1 │ · 4 ·
     2 │ · · 4";
    assert_eq!(plain.to_string(), expected);

    let of_set = confusion(&net, &pets().with_class_names(NAMES));
    net.metadata_mut().class_names = NAMES.map(String::from).to_vec();
    let of_net = confusion(&net, &pets());
    assert_eq!(of_set, of_net);
    assert_eq!((of_net.name(1), of_net.name(3)), (Some("cat"), None));
    let expected = "\
actual │ 0 1 2  ← predicted
───────┼──────
bird 0 │ 4 · ·
 cat 1 │ · 4 ·
 dog 2 │ · · 4";
    assert_eq!(of_net.to_string(), expected);
    // Names for the first classes only.
    net.metadata_mut().class_names.truncate(1);
    assert!(confusion(&net, &pets()).to_string().contains("\n     1 │ · 4 ·"));
}

#[test]
fn results_are_short_to_look_at() {
    let mut net = Pets::seeded(1);
    let data = pets();
    let history = trainer().fit(&mut net, &data, Some(&data)).unwrap();
    let result = evaluate(&net, &CrossEntropy::new(), &data).unwrap();
    let loss = result.loss;
    assert_eq!(
        format!("{result:?}"),
        format!("Evaluation {{ loss: {loss:?}, images: 12, accuracy: 1.0, .. }}")
    );
    assert_eq!(result.to_string(), format!("loss {loss:.4}  accuracy 100.00 %  12 images"));
    let confusion = result.confusion.unwrap();
    assert_eq!(
        format!("{confusion:?}"),
        "ConfusionMatrix { classes: 3, images: 12, accuracy: 1.0, .. }"
    );

    let last = history.epochs.last().unwrap();
    let debug = format!("{history:?}");
    assert_eq!(debug, format!("History {{ epochs: 20, batches: 60, last: Some(Epoch({last})) }}"));
    assert!(debug.len() < 250, "{debug}");
    let lines: Vec<String> = history.to_string().lines().map(String::from).collect();
    assert_eq!((lines.len(), &lines[19]), (20, &last.to_string()));
    assert!(
        lines[19].contains(&format!("  test loss {loss:.4}  accuracy 100.00 %")),
        "{}",
        lines[19]
    );
    assert_eq!(typenet::train::History::default().to_string(), "");
}

#[test]
fn a_minibatch_can_be_changed_in_the_loop() {
    let data = pets();
    let mut net = Pets::seeded(1);
    let mut ws = Pets::workspace(4);
    let mut sgd = Sgd::new(0.5).state(&net);
    let mut loss = f64::NAN;
    for epoch in 0..40 {
        for mut batch in data.minibatches(4, epoch) {
            // Every input turned round, and every class another one: only this can be learnt.
            batch.inputs.iter_mut().for_each(|input| input.swap(0, 1));
            batch.labels.iter_mut().for_each(|label| *label = 2 - *label);
            net.forward(&batch.inputs, &mut ws);
            loss = CrossEntropy::new().forward_backward(&batch.labels, &mut ws).unwrap();
            net.backward(&batch.inputs, &mut ws);
            sgd.step(&mut net, ws.gradients());
        }
    }
    assert!(loss < 0.2, "{loss}");
    assert_eq!(net.predict_batch(&[[0.0, 1.0], [1.0, 0.0], [0.0, 0.0]]), [2, 1, 0]);
    assert_eq!(data, pets());
}
