//! The command as a user runs it.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use image::{GrayImage, RgbImage};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, serialize};

type TestResult = Result<(), Box<dyn Error>>;

fn typenet(arguments: &[&str]) -> Result<Output, Box<dyn Error>> {
    Ok(Command::new(env!("CARGO_BIN_EXE_typenet")).args(arguments).output()?)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn write_weights(path: &Path, weight: &[f32]) -> TestResult {
    let bytes: Vec<u8> = weight.iter().flat_map(|x| x.to_le_bytes()).collect();
    let half: Vec<u8> = [0x3c00u16, 0xc000].iter().flat_map(|x| x.to_le_bytes()).collect();
    let tensors = [
        ("conv1.weight", TensorView::new(Dtype::F32, vec![2, 2], &bytes)?),
        ("fc.bias", TensorView::new(Dtype::F16, vec![2], &half)?),
    ];
    let names = [("class_names".to_owned(), r#"["cat","dog"]"#.to_owned())];
    fs::write(path, serialize(tensors, Some(names.into()))?)?;
    Ok(())
}

#[test]
fn inspect_shows_tensors_and_metadata() -> TestResult {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("a.safetensors");
    write_weights(&path, &[1.0, -2.0, 0.5, 0.5])?;
    let output = typenet(&["inspect", &path.to_string_lossy()])?;
    let table = text(&output.stdout);
    assert!(output.status.success(), "{}", text(&output.stderr));
    for expected in
        ["conv1.weight", "[2, 2]", "F32", "-2.0000", "0.0000", "1.0000", "F16", "-0.5000"]
    {
        assert!(table.contains(expected), "{expected} is missing in\n{table}");
    }
    assert!(table.contains("2 tensors, 6 numbers"), "{table}");
    assert!(table.contains(r#"class_names: ["cat","dog"]"#), "{table}");

    let output = typenet(&["inspect", "--json", &path.to_string_lossy()])?;
    let json: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    assert_eq!(json["numbers"], 6);
    assert_eq!(json["tensors"][0]["range"]["min"].as_f64(), Some(-2.0));
    Ok(())
}

#[test]
fn inspect_warns_of_nan_and_says_it_by_its_status() -> TestResult {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("a.safetensors");
    write_weights(&path, &[1.0, f32::NAN, f32::INFINITY, 0.5])?;
    let output = typenet(&["inspect", &path.to_string_lossy()])?;
    assert_eq!(output.status.code(), Some(2));
    let table = text(&output.stdout);
    assert!(
        table.contains("`conv1.weight` has 2 of 4 numbers that are NaN or infinite"),
        "{table}"
    );
    Ok(())
}

#[test]
fn files_of_another_kind_are_errors_with_their_names() -> TestResult {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("a.txt");
    for content in [&b""[..], b"no weights", &[0xff; 64]] {
        fs::write(&path, content)?;
        let output = typenet(&["inspect", &path.to_string_lossy()])?;
        assert_eq!(output.status.code(), Some(1));
        let message = text(&output.stderr);
        assert!(message.contains("a.txt: not a safetensors file"), "{message}");
    }
    let missing = folder.path().join("missing.safetensors");
    let message = text(&typenet(&["inspect", &missing.to_string_lossy()])?.stderr);
    assert!(message.contains("missing.safetensors"), "{message}");
    Ok(())
}

/// `train/{cat,dog}` and `test/cat`, with different pixels in each image.
fn write_images(folder: &Path) -> TestResult {
    for (index, place) in
        ["train/cat/1.png", "train/cat/2.PNG", "train/dog/1.jpg", "test/cat/1.png"]
            .iter()
            .enumerate()
    {
        let path = folder.join(place);
        fs::create_dir_all(path.parent().ok_or("no parent")?)?;
        let shade = 50 * index as u8;
        match index {
            0 => GrayImage::from_pixel(8, 6, image::Luma([shade])).save(path)?,
            _ => RgbImage::from_pixel(8, 8, image::Rgb([shade; 3])).save(path)?,
        }
    }
    Ok(())
}

#[test]
fn data_check_counts_classes_and_sizes() -> TestResult {
    let folder = tempfile::tempdir()?;
    write_images(folder.path())?;
    let output = typenet(&["data", "check", &folder.path().to_string_lossy()])?;
    let table = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{table}{}", text(&output.stderr));
    assert!(table.contains("train: 3 images in 2 classes"), "{table}");
    assert!(table.contains("test: 1 image in 1 class"), "{table}");
    assert!(table.contains("sizes: 8×8 (2), 8×6 (1)"), "{table}");
    assert!(table.contains("colours: RGB (2), grey (1)"), "{table}");
    assert!(table.contains("2.0 times the images of the smallest"), "{table}");
    Ok(())
}

#[test]
fn data_check_names_broken_files_empty_classes_and_copies() -> TestResult {
    let folder = tempfile::tempdir()?;
    write_images(folder.path())?;
    let at = |place: &str| folder.path().join(place);
    let whole = fs::read(at("train/cat/1.png"))?;
    fs::write(at("train/cat/cut.png"), &whole[..whole.len() / 2])?;
    fs::write(at("train/cat/empty.jpg"), b"")?;
    fs::write(at("train/cat/notes.txt"), b"no image")?;
    fs::create_dir(at("train/bird"))?;
    fs::copy(at("train/dog/1.jpg"), at("test/cat/copy.jpg"))?;
    let output = typenet(&["data", "check", &folder.path().to_string_lossy()])?;
    let table = text(&output.stdout);
    assert_eq!(output.status.code(), Some(2));
    assert!(table.contains("2 files are broken"), "{table}");
    assert!(
        table.contains("cut.png: ") && table.contains("empty.jpg: the file is empty"),
        "{table}"
    );
    assert!(table.contains("the class `bird` has no image that can be read"), "{table}");
    assert!(table.contains("1 file is no PNG or JPEG by the name"), "{table}");
    assert!(table.contains("1 image stands in several places"), "{table}");

    let output = typenet(&["data", "check", "--json", &folder.path().to_string_lossy()])?;
    let json: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    let train = &json["parts"][1];
    assert_eq!((&train["name"], &train["classes"]["cat"]), (&"train".into(), &2.into()));
    assert_eq!(train["broken"].as_array().map(Vec::len), Some(2));
    Ok(())
}

#[test]
fn a_folder_without_classes_is_explained() -> TestResult {
    let folder = tempfile::tempdir()?;
    let output = typenet(&["data", "check", &folder.path().to_string_lossy()])?;
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stdout).contains("one folder a class is expected"));
    Ok(())
}

#[test]
fn report_draws_the_page_again() -> TestResult {
    let folder = tempfile::tempdir()?;
    let place = folder.path().to_string_lossy().into_owned();
    let output = typenet(&["report", &place])?;
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("has no `report.json`"));

    fs::write(folder.path().join("report.json"), r#"{"net": {"name": "A<b>"}, "seed": 7}"#)?;
    let output = typenet(&["report", &place])?;
    assert!(output.status.success(), "{}", text(&output.stderr));
    let page = fs::read_to_string(folder.path().join("report.html"))?;
    assert!(page.contains("<h1>A&lt;b&gt;</h1>") && page.contains("<td class=\"text\">7</td>"));

    fs::write(folder.path().join("report.json"), r#"{"net": 3}"#)?;
    let message = text(&typenet(&["report", &place])?.stderr);
    assert!(message.contains("report.json: not the record of a report"), "{message}");
    Ok(())
}

#[test]
fn completions_and_the_way_to_train() -> TestResult {
    for shell in ["bash", "zsh", "fish"] {
        let output = typenet(&["completions", shell])?;
        assert!(output.status.success() && text(&output.stdout).contains("inspect"));
    }
    let output = typenet(&["train", "net.rs", "--epochs", "3"])?;
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("Trainer::new"));
    Ok(())
}
