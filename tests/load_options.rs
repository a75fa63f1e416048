//! Weight files whose names or numbers are not the net's, through each way to load one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use typenet::prelude::*;
use typenet::{Error, Normalization};

network! {
    struct Backbone: [4] -> [3] { fc1: linear(3), relu }
}

network! {
    struct Classifier: [4] -> [2] { features: self::Backbone, head: linear(2) }
}

/// The net's file with another start of all names.
fn renamed<N: Network>(net: &N, prefix: &str) -> Vec<u8> {
    let bytes = net.to_bytes().unwrap();
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let tensors = file.tensors().into_iter();
    let tensors = tensors.map(|(name, view)| (format!("{prefix}{name}"), view));
    safetensors::serialize(tensors, None).unwrap()
}

#[test]
fn every_way_to_load_names_the_call_that_works() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file.safetensors");
    let shown = format!("{:?}", path.display().to_string());
    let net = Classifier::seeded(1);
    let options = LoadOptions::new().strip("module.");
    let code = "&LoadOptions::new().strip(\"module.\")";

    let bytes = renamed(&net, "module.");
    std::fs::write(&path, &bytes).unwrap();
    let mistake = Classifier::load(&path).unwrap_err().to_string();
    assert!(mistake.ends_with(&format!(": `Classifier::load_with({shown}, {code})`")), "{mistake}");
    assert!(Classifier::load_with(&path, &options).unwrap() == net);
    let mistake = Classifier::from_bytes(&bytes).unwrap_err().to_string();
    assert!(
        mistake.ends_with(&format!(": `Classifier::from_bytes_with(bytes, {code})`")),
        "{mistake}"
    );
    assert!(Classifier::from_bytes_with(&bytes, &options).unwrap() == net);

    let backbone = Backbone::seeded(2);
    std::fs::write(&path, renamed(&backbone, "module.")).unwrap();
    let mut loaded = net.clone();
    let mistake = loaded.load_part("features", &path).unwrap_err().to_string();
    let call = format!(": `net.load_part_with(\"features\", {shown}, {code})`");
    assert!(mistake.ends_with(&call), "{mistake}");
    assert!(loaded == net);
    loaded.load_part_with("features", &path, &options).unwrap();
    assert_eq!(
        (loaded.features.fc1.weight, loaded.head.weight),
        (backbone.fc1.weight, net.head.weight)
    );
}

#[test]
fn a_part_is_taken_from_the_file_of_a_whole_net() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("whole.safetensors");
    let (net, mut other) = (Classifier::seeded(1), Classifier::seeded(2));
    net.save(&path).unwrap();
    let mistake = other.load_part("features", &path).unwrap_err().to_string();
    let options = LoadOptions::new().strip("features.").ignore("head.");
    let code = "&LoadOptions::new().strip(\"features.\").ignore(\"head.\"))`";
    assert!(mistake.ends_with(code), "{mistake}");
    other.load_part_with("features", &path, &options).unwrap();
    assert_eq!(other.features.fc1, net.features.fc1);
    assert_ne!(other.head, net.head);
}

network! {
    struct WithOtherHead: [4] -> [5] { features: self::Backbone, head: linear(5) }
}

#[test]
fn trained_layers_go_under_another_head() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("trained.safetensors");
    let mut trained = Classifier::seeded(1);
    let normalization = Normalization { mean: vec![0.5; 4], std: vec![2.0; 4] };
    trained.metadata_mut().normalization = Some(normalization.clone());
    trained.metadata_mut().class_names = vec!["cat".into(), "dog".into()];
    trained.save(&path).unwrap();

    let mut net = WithOtherHead::seeded(2);
    let before = net.clone();
    let mistake = WithOtherHead::load(&path).unwrap_err().to_string();
    let shown = format!("{:?}", path.display().to_string());
    let call = format!("`net.load_weights({shown}, &LoadOptions::new().keep(\"head.\"))`");
    assert!(mistake.ends_with(&format!("and load all else: {call}")), "{mistake}");
    let mistake = net.load_weights(&path, &LoadOptions::new()).unwrap_err().to_string();
    assert!(mistake.ends_with(&call), "{mistake}");
    assert!(net == before);

    net.load_weights(&path, &LoadOptions::new().keep("head.")).unwrap();
    assert_eq!(net.features.fc1, trained.features.fc1);
    assert_eq!(net.head, before.head);
    assert_eq!(net.metadata().normalization, Some(normalization));
    assert!(net.metadata().class_names.is_empty());

    // A file without the head does as well; what else it lacks is named.
    let parts = renamed(&Backbone::seeded(3), "features.");
    std::fs::write(&path, parts).unwrap();
    net.load_weights(&path, &LoadOptions::new().keep("head.")).unwrap();
    assert_eq!(net.features.fc1, Backbone::seeded(3).fc1);
    let mistake = net.load_weights(&path, &LoadOptions::new().keep("tail.")).unwrap_err();
    assert!(mistake.to_string().contains("missing: head.weight [5, 3]"), "{mistake}");

    let mistake = Classifier::load_with(&path, &LoadOptions::new().keep("head.")).unwrap_err();
    assert!(matches!(mistake, Error::Argument { name: "LoadOptions::keep", .. }), "{mistake}");
    assert!(mistake.to_string().contains("call `load_weights` on it"), "{mistake}");
}

#[test]
fn a_diverged_net_is_not_loaded_by_mistake() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("diverged.safetensors");
    let mut net = Classifier::seeded(1);
    net.head.weight[1][2] = f32::NAN;
    net.features.fc1.bias[0] = f32::INFINITY;
    net.save(&path).unwrap();
    let check = |mistake: Error| match mistake {
        Error::NotFiniteWeights { tensor, position, others, help, .. } => {
            assert_eq!(
                (tensor.as_str(), &position[..], others),
                ("features.fc1.bias", &[0][..], 1)
            );
            assert!(help.call.contains(".allow_not_finite()"), "{help}");
        }
        other => panic!("{other:?}"),
    };
    check(Classifier::load(&path).unwrap_err());
    check(Classifier::from_bytes(&net.to_bytes().unwrap()).unwrap_err());
    let options = LoadOptions::new().allow_not_finite();
    let loaded = Classifier::load_with(&path, &options).unwrap();
    assert!(loaded.head.weight[1][2].is_nan());

    let mut backbone = Backbone::seeded(1);
    backbone.fc1.weight[2][3] = f32::NAN;
    backbone.save(&path).unwrap();
    let before = Classifier::seeded(3);
    let mut net = before.clone();
    let mistake = net.load_part("features", &path).unwrap_err();
    assert!(matches!(mistake, Error::NotFiniteWeights { .. }) && net == before, "{mistake}");
    net.load_part_with("features", &path, &options).unwrap();
    assert!(net.features.fc1.weight[2][3].is_nan());
}
