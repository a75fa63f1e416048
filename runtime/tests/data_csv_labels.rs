//! Tables whose labels are names or whose classes are not counted, and what the errors advise.
#![cfg(feature = "files")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use proptest::prelude::*;
use typenet_runtime::data::{ClassOrder, Csv, Dataset};
use typenet_runtime::{Error, Result};

fn read(table: &str, csv: &Csv) -> Result<Dataset<[f32; 2]>> {
    Dataset::from_csv_reader("table", table.as_bytes(), csv)
}

#[track_caller]
fn problem<T>(result: Result<T>) -> String {
    match result {
        Err(Error::Row { row, problem, .. }) => format!("{row}: {problem}"),
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("no error"),
    }
}

#[test]
fn classes_are_counted_where_they_are_not_given() {
    let data = read("1,2,0\n3,4,7\n5,6,3.0\n", &Csv::new()).unwrap();
    assert_eq!((data.targets(), data.classes()), (&[0, 7, 3][..], 8));
    assert!(data.class_names().is_empty());
    for label in ["-1", "1.5", "1e300", "NaN", "", "1,5"] {
        let problem = problem(read(&format!("1,2,0\n1,2,\"{label}\"\n"), &Csv::new()));
        assert!(problem.starts_with(&format!("2: {label:?} is no label: labels are")), "{problem}");
    }
    // The largest label that can be read is no memory that is taken.
    let data = read(&format!("1,2,{}\n", usize::MAX), &Csv::new()).unwrap();
    assert_eq!(data.classes(), usize::MAX);
}

#[test]
fn names_are_sorted_or_as_they_appear() {
    let table = "1,2,dog\n3,4,cat\n5,6,dog\n7,8,ant eater\n";
    let sorted = read(table, &Csv::new()).unwrap();
    assert_eq!(sorted.class_names(), ["ant eater", "cat", "dog"]);
    assert_eq!((sorted.targets(), sorted.classes()), (&[2, 1, 2, 0][..], 3));
    assert_eq!(sorted, read(table, &Csv::new().class_order(ClassOrder::Sorted)).unwrap());
    let appeared = read(table, &Csv::new().class_order(ClassOrder::Appearance)).unwrap();
    assert_eq!(appeared.class_names(), ["dog", "cat", "ant eater"]);
    assert_eq!(appeared.targets(), [0, 1, 0, 2]);
    assert_eq!(sorted.inputs(), appeared.inputs());
}

#[test]
fn names_may_be_quoted_and_stand_in_any_column() {
    let names = ["a, \"b\"", "c;d", "Ü\nx"];
    let tables = [
        ("1,2,\"c;d\"\n3,4, \"a, \"\"b\"\"\" \n5,6,\"Ü\nx\"\n", Csv::new()),
        (
            " \"c;d\"\t,1,2\n  \"a, \"\"b\"\"\", 3,\t4\n\t\"Ü\nx\",5,6\n   \n",
            Csv::new().label_first(),
        ),
        ("c;d,1,2\n\"a, \"\"b\"\"\",3,4\n\"Ü\nx\",5,6\n", Csv::new().label_first()),
        ("1,\" c;d \",2\r\n3,\"a, \"\"b\"\"\",4\r\n5,\"Ü\nx\",6\r\n", Csv::new().label_column(1)),
        ("x;y;z\n1;2;\"c;d\"\n3;4;a, \"b\"\n5;6;\"Ü\nx\"", Csv::new().header(true).delimiter(b';')),
    ];
    for (table, csv) in tables {
        let data = read(table, &csv).unwrap_or_else(|error| panic!("{table:?}: {error}"));
        assert_eq!(data.class_names(), names, "{table:?}");
        assert_eq!(data.targets(), [1, 0, 2], "{table:?}");
        assert_eq!(data.inputs(), [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], "{table:?}");
    }
}

#[test]
fn names_that_look_like_numbers_are_names_if_it_is_said() {
    let table = "1,2,10\n3,4,9\n5,6,nan\n";
    let data = read(table, &Csv::new().class_order(ClassOrder::Sorted)).unwrap();
    assert_eq!((data.class_names().join(" "), data.targets()), ("10 9 nan".into(), &[0, 1, 2][..]));
    let missing = read("1,2,a\n1,2,\n", &Csv::new());
    assert_eq!(problem(missing), "2: the label is missing");
}

#[test]
fn numbers_and_names_are_not_mixed() {
    let found = problem(read("1,2,0\n1,2,1O\n", &Csv::new()));
    assert!(
        found.starts_with("2: \"1O\" is no label: ") && found.contains(".class_order("),
        "{found}"
    );
    let found = problem(read("1,2,cat\n1,2,dog\n1,2,1\n", &Csv::new()));
    assert!(
        found.starts_with("3: the label \"1\" is a number, and the first one, \"cat\""),
        "{found}"
    );
    assert!(found.contains(".class_order(") && !found.contains("header"), "{found}");
    // A header of numbers but for the label.
    let found = problem(read("0,1,class\n1,2,1\n", &Csv::new()));
    assert!(found.contains("`.header(true)`"), "{found}");
}

#[test]
fn a_second_table_takes_the_names_of_the_first() {
    let train = read("1,2,dog\n3,4,cat\n5,6,bird\n", &Csv::new()).unwrap();
    let csv = Csv::new().class_names(train.class_names());
    let test = read("1,2,dog\n3,4,dog\n", &csv).unwrap();
    assert_eq!((test.class_names(), test.targets()), (train.class_names(), &[2, 2][..]));
    for (label, expected) in [
        ("Cat", "the label \"Cat\" is none of \"bird\", \"cat\", \"dog\": did you mean \"cat\"?"),
        ("elephant", "the label \"elephant\" is none of \"bird\", \"cat\", \"dog\""),
        ("", "the label is missing; the classes are \"bird\", \"cat\", \"dog\""),
    ] {
        assert_eq!(
            problem(read(&format!("1,2,dog\n1,2,{label}\n"), &csv)),
            format!("2: {expected}")
        );
    }
    let found = problem(read("1,2,1\n", &csv));
    assert!(found.contains("`Dataset::with_class_names`"), "{found}");
    let many = Csv::new().class_names((0..1000).map(|i| format!("class {i}")));
    let found = problem(read(&format!("1,2,{}\n", "x".repeat(10_000)), &many));
    assert!(found.len() < 300 && found.contains(" and 992 more"), "{found}");
}

#[test]
fn class_names_that_cannot_be_are_an_error() {
    for names in [&[][..], &["a", "b", "a"], &["a", ""], &[" a"]] {
        let result = read("1,2,a\n", &Csv::new().class_names(names.iter().copied()));
        assert!(matches!(result, Err(Error::Argument { name: "class_names", .. })), "{names:?}");
    }
    let found = problem(read("1,2,a\n1,2,b\n1,2,c\n", &Csv::new().classes(2)));
    assert!(found.starts_with("3: the label \"c\" is one class more than the 2"), "{found}");
}

#[test]
fn a_header_is_recognised() {
    for table in ["width,height,class\n1,2,0\n", "1x1,1x2,label\n1,2,0\n", "a,b\n1,2,0\n"] {
        let found = problem(read(table, &Csv::new()));
        assert!(found.starts_with("1: "), "{found}");
        assert!(
            found.ends_with("; if this row names the columns, skip it with `.header(true)`"),
            "{found}"
        );
    }
    // Not where it was skipped, nor further down, nor in a row of numbers.
    for (table, csv) in [
        ("a,b,c\nwidth,2,0\n", Csv::new().header(true)),
        ("1,2,0\nwidth,2,0\n", Csv::new()),
        ("1,2\n", Csv::new()),
        ("1,?,0\n", Csv::new()),
    ] {
        let found = problem(read(table, &csv));
        assert!(!found.contains("header"), "{found}");
    }
}

#[test]
fn another_delimiter_is_recognised() {
    for (table, csv, methods) in [
        ("1;2;0\n", Csv::new(), ".delimiter(b';')"),
        ("1\t2\tcat\n", Csv::new(), ".delimiter(b'\\t')"),
        ("1|2|0\n", Csv::new(), ".delimiter(b'|')"),
        ("1 2 0\n", Csv::new(), ".delimiter(b' ')"),
        ("1,2,0\n", Csv::new().delimiter(b';'), ".delimiter(b',')"),
        ("0,5;1,5;0\n", Csv::new(), ".delimiter(b';').decimal_comma(true)"),
        ("x;y;class\n1;2;0\n", Csv::new(), ".delimiter(b';').header(true)"),
    ] {
        let found = problem(read(table, &csv));
        assert!(found.ends_with(&format!(": read it with `{methods}`")), "{table:?}: {found}");
    }
    // What is advised is right.
    let csv = Csv::new().delimiter(b';').decimal_comma(true);
    assert_eq!(read("0,5;1,5;0\n", &csv).unwrap().inputs(), [[0.5, 1.5]]);
    // Another delimiter and another number of fields.
    let found = problem(read("1;2;3;0\n", &Csv::new()));
    assert!(found.ends_with("found 1; `.delimiter(b';')` would find 4"), "{found}");
    for table in ["1,2\n", "1,2,3,0\n", "1;2,0\n"] {
        let found = problem(read(table, &Csv::new()));
        assert!(found.ends_with(['2', '4']), "{found}");
    }
}

#[test]
fn decimal_commas_are_read_or_recognised() {
    let csv = Csv::new().delimiter(b';').decimal_comma(true);
    let data = read("0,5;-1,25e1;2,0\n3;,5;1\n", &csv).unwrap();
    assert_eq!((data.inputs(), data.targets()), (&[[0.5, -12.5], [3.0, 0.5]][..], &[2, 1][..]));
    let quoted = read("\"0,5\",\"1,5\",1\n", &Csv::new().decimal_comma(true)).unwrap();
    assert_eq!(quoted.inputs(), [[0.5, 1.5]]);

    for (table, csv) in [("0,5;1;0\n", Csv::new().delimiter(b';')), ("\"0,5\",1,0\n", Csv::new())] {
        let found = problem(read(table, &csv));
        assert!(
            found.contains("\"0,5\" is no number; ") && found.contains("`.decimal_comma(true)`"),
            "{found}"
        );
    }
    let found = problem(read("0,5,1,5,1\n", &Csv::new()));
    assert!(found.contains("`.delimiter(b';').decimal_comma(true)`"), "{found}");
    // 1.000 may be 1 or 1000, and 1,000,000 is no fraction.
    for field in ["1.5", "1.000", "1.000,5"] {
        let found = problem(read(&format!("{field};1;0\n"), &csv));
        assert!(found.contains("without points"), "{found}");
    }
    let found = problem(read("1,000,000;1;0\n", &csv));
    assert_eq!(found, "1: column 1: \"1,000,000\" is no number");

    let values = "0,5;1,5;2,5\n".as_bytes();
    let csv = csv.label_first();
    let data = Dataset::<[f32; 2], f32>::from_csv_values_reader("table", values, &csv).unwrap();
    assert_eq!((data.inputs(), data.targets()), (&[[1.5, 2.5]][..], &[0.5][..]));
}

proptest! {
    #[test]
    fn names_written_are_read(labels in prop::collection::vec("[a-z ,;\"\n]{0,3}x", 1..30)) {
        let quoted = |label: &str| format!("\"{}\"", label.trim().replace('"', "\"\""));
        let table: String = labels.iter().map(|label| format!("1,2,{}\n", quoted(label))).collect();
        for order in [ClassOrder::Sorted, ClassOrder::Appearance] {
            let data = read(&table, &Csv::new().class_order(order)).unwrap();
            for (label, &class) in labels.iter().zip(data.targets()) {
                prop_assert_eq!(label.trim(), data.class_names()[class].as_str());
            }
            let again = read(&table, &Csv::new().class_names(data.class_names())).unwrap();
            prop_assert_eq!(again, data);
        }
    }

    #[test]
    fn any_bytes_never_panic(
        bytes in prop::collection::vec(prop::sample::select(&b"01,,;\t|\n\n\r\"., -eNax \xff\xc3"[..]), 0..60),
        header: bool,
        decimal_comma: bool,
        semicolon: bool,
        names in prop::option::of(prop::collection::vec("[ax]?", 0..3)),
        column in 0usize..4,
    ) {
        let csv = Csv::new().header(header).decimal_comma(decimal_comma).label_column(column);
        let csv = if semicolon { csv.delimiter(b';') } else { csv };
        let csv = match names {
            Some(names) => csv.class_names(names),
            None => csv,
        };
        if let Ok(data) = Dataset::<[f32; 2]>::from_csv_reader("table", &bytes[..], &csv) {
            prop_assert!(data.targets().iter().all(|&label| label < data.classes()));
        }
        let _ = Dataset::<[f32; 1], [f32; 2]>::from_csv_values_reader("table", &bytes[..], &csv);
    }
}
