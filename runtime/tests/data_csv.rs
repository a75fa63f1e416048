//! Reading tables: good ones, and everything that can be wrong with one.
#![cfg(feature = "files")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::Write;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use typenet_runtime::data::{Csv, Dataset};
use typenet_runtime::{Error, Result};

fn read(table: &str, csv: &Csv) -> Result<Dataset<[f32; 2]>> {
    Dataset::from_csv_reader("table", table.as_bytes(), csv)
}

fn three() -> Csv {
    Csv::new().classes(3)
}

/// The row and the problem of a table's error.
#[track_caller]
fn row_error<T>(result: Result<T>) -> (u64, String) {
    match result {
        Err(Error::Row { path, row, problem }) => {
            assert_eq!(path, Path::new("table"));
            (row, problem)
        }
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("no error"),
    }
}

#[test]
fn the_digits_load() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../data/digits.csv.gz");
    let csv = Csv::new().classes(10).scale(1.0 / 16.0);
    let digits = Dataset::<[[[f32; 8]; 8]; 1]>::from_csv(path, &csv).unwrap();
    assert_eq!(digits.len(), 1797);
    let mut counts = [0; 10];
    digits.targets().iter().for_each(|&label| counts[label] += 1);
    assert_eq!(counts, [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]);
    // The first row starts 0,0,5,13,9,1,0,0,0,0,13 and ends in 0.
    assert_eq!(digits.targets()[0], 0);
    let image = &digits.inputs()[0][0];
    assert_eq!(image[0], [0.0, 0.0, 5.0, 13.0, 9.0, 1.0, 0.0, 0.0].map(|x| x / 16.0));
    assert_eq!(image[1][2], 13.0 / 16.0);
    let numbers = digits.inputs().iter().flatten().flatten().flatten();
    let (least, most) = numbers.fold((1.0f32, 0.0f32), |(a, b), &x| (a.min(x), b.max(x)));
    assert_eq!((least, most), (0.0, 1.0));
}

#[test]
fn the_label_may_be_any_column() {
    let inputs = [[1.0, 2.0], [3.0, 4.0]];
    let tables = [
        ("1,2,0\n3,4,2\n", three()),
        ("0,1,2\n2,3,4\n", three().label_first()),
        ("1,0,2\n3,2,4\n", three().label_column(1)),
        ("1,2,0\n3,4,2\n", three().label_column(2)),
        ("x;y;class\n1;2;0\n3;4;2\n", three().header(true).delimiter(b';')),
        ("1\t2\t0\n3\t4\t2", three().delimiter(b'\t')),
    ];
    for (table, csv) in tables {
        let data = read(table, &csv).unwrap();
        assert_eq!(data.inputs(), inputs, "{table:?}");
        assert_eq!(data.targets(), [0, 2], "{table:?}");
    }
    let beyond = read("1,2,0\n", &three().label_column(3));
    assert!(matches!(beyond, Err(Error::Argument { name: "label_column", .. })));
}

#[test]
fn tables_as_other_programs_write_them_load() {
    let tables = [
        "1,2,0\r\n3,4,2\r\n",
        "\u{feff}1,2,0\n3,4,2\n",
        " 1 , 2 , 0\n\n3,\t4,2 \n\n",
        "\"1\",\"2\",\"0\"\n\"3\",\"4\",\"2\"\n",
        "1.000000000000000000e+00,2.000000000000000000e+00,0.000000000000000000e+00\n\
         3.000000000000000000e+00,4.000000000000000000e+00,2.000000000000000000e+00\n",
    ];
    for table in tables {
        let data = read(table, &three()).unwrap();
        assert_eq!(data.inputs(), [[1.0, 2.0], [3.0, 4.0]], "{table:?}");
        assert_eq!(data.targets(), [0, 2], "{table:?}");
    }
}

#[test]
fn inputs_are_scaled_and_targets_are_not() {
    let table = "2,4,6,8\n1,2,3,4\n".as_bytes();
    let csv = Csv::new().scale(0.5);
    let data = Dataset::<[f32; 3], f32>::from_csv_values_reader("table", table, &csv).unwrap();
    assert_eq!(data.inputs(), [[1.0, 2.0, 3.0], [0.5, 1.0, 1.5]]);
    assert_eq!(data.targets(), [8.0, 4.0]);
    let csv = Csv::new().label_first();
    let data = Dataset::<[f32; 1], [f32; 3]>::from_csv_values_reader("table", table, &csv).unwrap();
    assert_eq!(data.inputs(), [[8.0], [4.0]]);
    assert_eq!(data.targets(), [[2.0, 4.0, 6.0], [1.0, 2.0, 3.0]]);
}

#[test]
fn fields_that_are_no_numbers_are_named_by_row_and_column() {
    for (field, text) in [
        ("", "missing"),
        ("two", "\"two\" is no number"),
        ("NaN", "not finite"),
        ("-inf", "not finite"),
        ("1e39", "not finite"),
        ("0x10", "no number"),
        ("1 2", "no number"),
    ] {
        let (row, problem) = row_error(read(&format!("1,2,0\n1,{field},0\n"), &three()));
        assert_eq!(row, 2, "{problem}");
        assert!(problem.starts_with("column 2: ") && problem.contains(text), "{field}: {problem}");
    }
    let (row, problem) = row_error(read("x,y,class\n1,2,0\n", &three()));
    assert_eq!(row, 1, "{problem}");
    let (_, problem) = row_error(read("3e38,2,0\n", &three().scale(10.0)));
    assert!(problem.contains("overflows"), "{problem}");
    let latin1: &[u8] = b"1,\xfc,0\n";
    let (row, problem) = row_error(Dataset::<[f32; 2]>::from_csv_reader("table", latin1, &three()));
    assert_eq!((row, problem.as_str()), (1, "column 2 is no text"));
    let (_, problem) = row_error(read(&format!("1,{},0\n", "ü".repeat(10_000)), &three()));
    assert!(problem.len() < 200, "{problem}");
}

#[test]
fn rows_of_another_length_are_an_error() {
    for (table, row, found) in
        [("1,2,0\n1,2\n", 2, 2), ("1,2,0,\n", 1, 4), ("x,y\n1,2,0\n1,2,0,1\n", 3, 4)]
    {
        let (at, problem) = row_error(read(table, &three().header(table.starts_with('x'))));
        assert_eq!(at, row);
        assert_eq!(problem, format!("expected 3 fields (2 inputs and the label), found {found}"));
    }
    let two: Result<Dataset<[f32; 1], [f32; 2]>> =
        Dataset::from_csv_values_reader("table", &b"1,2"[..], &Csv::new());
    assert_eq!(row_error(two).1, "expected 3 fields (1 inputs and 2 targets), found 2");
}

#[test]
fn labels_that_are_no_class_are_an_error() {
    for label in ["-1", "1.5", "cat", "", "NaN", "1e300", "99999999999999999999999"] {
        let (row, problem) = row_error(read(&format!("1,2,0\n1,2,{label}\n"), &three()));
        assert_eq!(row, 2);
        assert!(problem.starts_with(&format!("{label:?} is no label 0..=2")), "{problem}");
    }
    for label in ["3", "3.0", "1000000"] {
        match read(&format!("1,2,0\n1,2,{label}\n"), &three()) {
            Err(Error::Label { place, classes: 3, .. }) => assert_eq!(place, "table: row 2"),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_table_without_rows_is_an_error() {
    assert_eq!(row_error(read("", &three())).0, 1);
    assert_eq!(row_error(read("\n\n", &three())).0, 1);
    assert_eq!(row_error(read("", &three().header(true))).0, 1);
    assert_eq!(row_error(read("x,y,class\n", &three().header(true))).0, 2);
}

#[test]
fn choices_that_make_no_sense_are_an_error() {
    let table = "1,2,0\n";
    for delimiter in *b"1eE.-+\"\n\r" {
        let result = read(table, &three().delimiter(delimiter));
        assert!(matches!(result, Err(Error::Argument { name: "delimiter", .. })), "{delimiter}");
    }
    for scale in [f32::NAN, f32::INFINITY] {
        let result = read(table, &three().scale(scale));
        assert!(matches!(result, Err(Error::Argument { name: "scale", .. })));
    }
    let nothing: Result<Dataset<[f32; 2], [f32; 0]>> =
        Dataset::from_csv_values_reader("table", table.as_bytes(), &Csv::new());
    assert!(matches!(nothing, Err(Error::Size { .. })));
}

#[test]
fn files_are_read_compressed_or_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("table.csv");
    let table = "1,2,0\n3,4,2\n";
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(table.as_bytes()).unwrap();
    let compressed = encoder.finish().unwrap();
    for bytes in [table.as_bytes(), &compressed] {
        std::fs::write(&path, bytes).unwrap();
        let data = Dataset::<[f32; 2]>::from_csv(&path, &three()).unwrap();
        assert_eq!(data.targets(), [0, 2]);
        let data = Dataset::<[f32; 2], f32>::from_csv_values(&path, &Csv::new()).unwrap();
        assert_eq!(data.targets(), [0.0, 2.0]);
    }
    for len in 2..compressed.len() {
        std::fs::write(&path, &compressed[..len]).unwrap();
        match Dataset::<[f32; 2]>::from_csv(&path, &three()) {
            Err(Error::Format { path: named, problem, .. }) => {
                assert_eq!(named, path);
                assert!(problem.contains("gzip"), "{problem}");
            }
            other => panic!("{len}: {other:?}"),
        }
    }
    for path in [folder.path().join("missing"), folder.path().to_owned()] {
        match Dataset::<[f32; 2]>::from_csv(&path, &three()) {
            Err(Error::Io { path: named, .. }) => assert_eq!(named, path),
            other => panic!("{other:?}"),
        }
    }
}

proptest! {
    #[test]
    fn numbers_written_are_read(rows in prop::collection::vec((-1e30f32..1e30, any::<f32>()), 1..20)) {
        let finite = |x: f32| if x.is_finite() { x } else { 0.0 };
        let rows: Vec<[f32; 2]> = rows.into_iter().map(|(a, b)| [a, finite(b)]).collect();
        let table: String = rows.iter().map(|[a, b]| format!("{a},{b:e},1\n")).collect();
        let data = read(&table, &three()).unwrap();
        prop_assert_eq!(data.inputs(), rows.as_slice());
    }

    #[test]
    fn any_bytes_never_panic(
        bytes in prop::collection::vec(prop::sample::select(&b"0123,,,\n\n\r\".-eNa \x1f\x8b\xff"[..]), 0..60),
        header: bool,
        delimiter: u8,
        label in prop::option::of(0usize..5),
    ) {
        let csv = three().header(header).delimiter(delimiter);
        let csv = match label {
            Some(label) => csv.label_column(label),
            None => csv,
        };
        if let Ok(data) = Dataset::<[f32; 2]>::from_csv_reader("table", &bytes[..], &csv) {
            prop_assert!(!data.is_empty());
            prop_assert!(data.inputs().iter().flatten().all(|x| x.is_finite()));
            prop_assert!(data.targets().iter().all(|&label| label < 3));
        }
        let _ = Dataset::<[f32; 1], [f32; 2]>::from_csv_values_reader("table", &bytes[..], &csv);
    }
}
