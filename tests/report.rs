//! The page of a training run.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::Command;

use typenet::prelude::*;
use typenet::report::{Record, Report};

network! {
    /// Tells bright rows from bright columns.
    struct Stripes: [3, 8, 8] -> [2] {
        conv1: conv2d(6, kernel = 3, padding = 1), relu,
        max_pool2d(2),
        flatten,
        fc: linear(2),
    }
}

network! {
    struct Heads: [4] -> (class: [3], size: [1]) {
        trunk: linear(8), shared: relu,
        class: linear(3),
        from(shared), size: linear(1),
    }
}

type TestResult = Result<(), Box<dyn Error>>;

fn stripes(count: usize) -> Result<Dataset<Input<Stripes>>, typenet::Error> {
    let mut images: Vec<Input<Stripes>> = vec![[[[0.0; 8]; 8]; 3]; count];
    for (i, image) in images.iter_mut().enumerate() {
        for (channel, k) in (0..3).flat_map(|channel| (0..8).map(move |k| (channel, k))) {
            let place = i / 2 % 8;
            let (y, x) = if i % 2 == 0 { (place, k) } else { (k, place) };
            image[channel][y][x] = 1.0 - 0.3 * channel as f32;
        }
    }
    // Every seventh label is wrong, so that something stays wrong.
    let labels = (0..count).map(|i| if i % 7 == 6 { 1 - i % 2 } else { i % 2 }).collect();
    Ok(Dataset::from_inputs(&images, labels)?.with_class_names(["row", "<column>"]))
}

fn record(folder: &Path) -> Result<Record, Box<dyn Error>> {
    let (train, test) = (stripes(64)?, stripes(56)?);
    let mut net = Stripes::seeded(1);
    let history = Trainer::new(Sgd::new(0.05).momentum(0.9))
        .loss(CrossEntropy::new())
        .epochs(5)
        .validation(0.25)
        .fit(&mut net, &train, None)?;
    let report = Report::new(&net)
        .history(&history)
        .seed(17)
        .setting("batch", 32)
        .test(&CrossEntropy::new(), &test)?
        .wrong_image_count(5)
        .wrong_images(&test)?;
    report.save(folder)?;
    Ok(report.record().clone())
}

#[test]
fn a_report_holds_what_happened() -> TestResult {
    let folder = tempfile::tempdir()?;
    let record = record(folder.path())?;
    assert_eq!((record.net.name.as_str(), record.net.parameters), ("Stripes", 168 + 194));
    assert_eq!((record.epochs.len(), record.seed), (5, Some(17)));
    assert!(record.epochs.iter().all(|epoch| epoch.validation_accuracy.is_some()));

    let [confusion] = &record.confusions[..] else { panic!("one matrix") };
    assert_eq!(confusion.classes, ["row", "<column>"]);
    assert_eq!(confusion.counts.iter().flatten().sum::<usize>(), 56);
    let wrong = confusion.counts[0][1] + confusion.counts[1][0];
    assert!(wrong > 0, "some labels are wrong by intent");
    assert_eq!(record.wrong.len(), wrong.min(5));
    assert!(record.wrong.is_sorted_by(|a, b| a.probability <= b.probability));
    for image in &record.wrong {
        assert_ne!(image.likeliest[0].0, image.actual);
        assert!((image.likeliest[0].1 + image.probability - 1.0).abs() < 1e-5);
        let picture = image.picture.as_ref().ok_or("no picture")?;
        assert_eq!((picture.width, picture.height), (8, 8));
    }
    let filters = record.filters.as_ref().ok_or("no filters")?;
    assert_eq!((filters.layer.as_str(), filters.picture.width), ("conv1", 6 * 4 + 1));

    assert!(Record::read(folder.path())? == record, "what is stored is what was gathered");
    Ok(())
}

#[test]
fn the_page_refers_to_nothing_outside_itself() -> TestResult {
    let folder = tempfile::tempdir()?;
    record(folder.path())?;
    let page = fs::read_to_string(folder.path().join("report.html"))?;
    for place in ["http://", "https://", "src=\"/", "<script", "<link", "url("] {
        let names_only = page.replace("http://www.w3.org/2000/svg", "");
        assert!(!names_only.contains(place), "the page has {place}");
    }
    assert!(page.contains("&lt;column&gt;") && !page.contains("<column>"));
    for title in ["Curves", "Test set", "Most wrong", "First filters", "Net", "Layers", "Run"] {
        assert!(page.contains(&format!("<h2>{title}</h2>")), "no section {title}");
    }
    Ok(())
}

#[test]
fn a_net_with_heads_has_a_matrix_for_each_head_of_classes() -> TestResult {
    let inputs: Vec<[f32; 4]> = (0..30).map(|i| [i as f32 / 30.0, 1.0, 0.0, -1.0]).collect();
    let labels: Vec<usize> = (0..30).map(|i| i / 10).collect();
    let sizes: Vec<[f32; 1]> = (0..30).map(|i| [i as f32]).collect();
    let data = Dataset::from_inputs(&inputs, HeadsTarget::zip(&labels, &sizes)?)?;
    let loss = HeadsLoss { class: CrossEntropy::new(), size: MeanSquaredError::new() };
    let net = Heads::seeded(3);
    let report = Report::new(&net).test(&loss, &data)?;
    let [confusion] = &report.record().confusions[..] else { panic!("one head has classes") };
    assert_eq!(confusion.head.as_deref(), Some("class"));
    assert!(report.record().to_html()?.contains("Test set, head class"));
    assert!(report.record().filters.is_none() && report.record().epochs.is_empty());
    Ok(())
}

#[test]
fn a_label_outside_the_net_is_an_error() -> TestResult {
    let net = Stripes::seeded(1);
    let data = Dataset::from_inputs(&[[[[0.0; 8]; 8]; 3]], vec![2])?;
    let error = Report::new(&net).wrong_images(&data).expect_err("class 2 of 2");
    assert_eq!(error.to_string(), "test target 0: label 2 is outside the 2 classes 0..=1");
    Ok(())
}

/// Skipped with a line where there is no Chromium.
#[test]
fn a_browser_shows_the_page() -> TestResult {
    let chromium = ["chromium", "chromium-browser", "google-chrome"];
    let is_there = |name: &str| Command::new(name).arg("--version").output().is_ok();
    let Some(chromium) = chromium.iter().find(|name| is_there(name)) else {
        eprintln!("skipped: no Chromium");
        return Ok(());
    };
    let folder = tempfile::tempdir()?;
    record(folder.path())?;
    let output = Command::new(chromium)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync"])
        .args(["--disable-background-networking", "--disable-component-update", "--dump-dom"])
        .arg(format!("--user-data-dir={}", folder.path().join("profile").display()))
        .arg(format!("file://{}", folder.path().join("report.html").display()))
        .output()?;
    let dom = String::from_utf8_lossy(&output.stdout);
    // What the browser made of it: every chart, every picture, no rest of a broken tag.
    assert!(dom.matches("<svg").count() >= 5, "{}", &dom[..dom.len().min(2000)]);
    assert_eq!(dom.matches("<section>").count(), dom.matches("</section>").count());
    assert!(dom.contains("<h2>Run</h2>"));
    Ok(())
}
