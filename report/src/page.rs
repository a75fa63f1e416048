//! The HTML of a report.

use std::fmt::Write as _;

use typenet_runtime::inspect::thousands;

use crate::record::{Confusion, Picture, Record, WrongImage};
use crate::{Result, charts};

const STYLE: &str = include_str!("style.css");

impl Record {
    /// The page, which refers to nothing outside itself.
    ///
    /// # Errors
    /// [`Error::Draw`](crate::Error::Draw) when a chart cannot be drawn.
    pub fn to_html(&self) -> Result<String> {
        write(self)
    }
}

/// The page of a record.
fn write(record: &Record) -> Result<String> {
    let name = escaped(&record.net.name);
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{name}: training report</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
         <header><h1>{name}</h1><p>training report</p></header>\n<main>\n"
    );
    page += &facts(record);
    let curves = [charts::loss(record)?, charts::accuracy(record)?, charts::learning_rate(record)?];
    let curves: String = curves.into_iter().flatten().map(|svg| figure(&svg, "")).collect();
    section(&mut page, "Curves", "curves", &curves);
    for confusion in &record.confusions {
        let title = match &confusion.head {
            Some(head) => format!("Test set, head {}", escaped(head)),
            None => "Test set".to_owned(),
        };
        let map = figure(&charts::confusion(confusion)?, "Each row shows where a class went.");
        section(&mut page, &title, "test", &format!("{map}{}", class_table(confusion)));
    }
    let wrong: String = record.wrong.iter().map(wrong_image).collect();
    section(&mut page, "Most wrong", "wrong", &wrong);
    if let Some(filters) = &record.filters {
        let scale = (720 / filters.picture.width.max(1)).clamp(1, 12);
        let caption = format!("<code>{}</code>: {}", escaped(&filters.layer), filters.caption);
        let picture = image(&filters.picture, scale, "filters");
        section(&mut page, "First filters", "", &figure(&picture, &caption));
    }
    if let Some(diagram) = &record.net.diagram {
        section(&mut page, "Net", "net", &figure(svg_of(diagram), ""));
    }
    section(&mut page, "Layers", "layers", &format!("<pre>{}</pre>", escaped(&record.net.summary)));
    section(&mut page, "Run", "", &run(record));
    page += "</main>\n</body>\n</html>\n";
    Ok(page)
}

/// A section with a title; nothing where it has no content.
fn section(page: &mut String, title: &str, class: &str, content: &str) {
    if !content.is_empty() {
        let _ = write!(
            page,
            "<section>\n<h2>{title}</h2>\n<div class=\"{class}\">\n{content}</div>\n</section>\n"
        );
    }
}

fn figure(content: &str, caption: &str) -> String {
    let caption = match caption {
        "" => String::new(),
        caption => format!("<figcaption>{caption}</figcaption>"),
    };
    format!("<figure>{content}{caption}</figure>\n")
}

/// An SVG document inside a page needs no XML declaration.
fn svg_of(document: &str) -> &str {
    document.find("<svg").map_or(document, |start| &document[start..])
}

/// The numbers that a reader looks for first.
fn facts(record: &Record) -> String {
    let mut facts: Vec<(String, String)> = Vec::new();
    let single = record.confusions.iter().find(|confusion| confusion.head.is_none());
    if let Some(confusion) = single {
        facts.push(("test accuracy".into(), percent(confusion.accuracy)));
    }
    if let Some(loss) = record.test_loss {
        facts.push(("test loss".into(), format!("{loss:.4}")));
    }
    let best = record.epochs.iter().filter_map(|epoch| Some((epoch.validation_accuracy?, epoch)));
    if let Some((accuracy, epoch)) = best.max_by(|a, b| a.0.total_cmp(&b.0)) {
        let title = format!("best validation accuracy, epoch {}", epoch.epoch);
        facts.push((title, percent(accuracy)));
    }
    if let Some(last) = record.epochs.last() {
        facts.push(("epochs".into(), last.epoch.to_string()));
        let seconds: f64 = record.epochs.iter().map(|epoch| epoch.seconds).sum();
        facts.push(("time of training".into(), duration(seconds)));
        facts.push(("images a second".into(), format!("{:.0}", last.images_per_second)));
    }
    facts.push(("parameters".into(), thousands(record.net.parameters as u64)));
    facts.push(("multiply-adds an image".into(), thousands(record.net.multiply_adds)));
    let item = |(title, value): &(String, String)| {
        format!("<div><dt>{}</dt><dd>{}</dd></div>\n", escaped(title), escaped(value))
    };
    format!("<dl class=\"facts\">\n{}</dl>\n", facts.iter().map(item).collect::<String>())
}

fn class_table(confusion: &Confusion) -> String {
    let mut rows = String::new();
    for (class, name) in confusion.classes.iter().enumerate() {
        let images: usize = confusion.counts[class].iter().sum();
        let others =
            confusion.counts[class].iter().enumerate().filter(|&(other, _)| other != class);
        let taken_for = others.max_by_key(|&(other, &count)| (count, usize::MAX - other));
        let taken_for = taken_for.filter(|&(_, &count)| count > 0).map_or_else(
            || "–".to_owned(),
            |(other, count)| format!("{} ({count})", escaped(&confusion.classes[other])),
        );
        let share = |share: Option<f64>| match share {
            Some(share) => format!("<td>{}</td>", percent(share)),
            None => "<td title=\"there are none\">–</td>".to_owned(),
        };
        let _ = writeln!(
            rows,
            "<tr><th scope=\"row\">{}</th><td>{}</td>{}{}<td class=\"text\">{taken_for}</td></tr>",
            escaped(name),
            thousands(images as u64),
            share(confusion.precision[class]),
            share(confusion.recall[class]),
        );
    }
    format!(
        "<table>\n<thead><tr><th>class</th><th>images</th>\
         <th title=\"of the images taken for the class, the share that are of it\">precision</th>\
         <th title=\"of the images of the class, the share that were taken for it\">recall</th>\
         <th class=\"text\">most often taken for</th></tr></thead>\n<tbody>\n{rows}</tbody>\n</table>\n"
    )
}

fn wrong_image(wrong: &WrongImage) -> String {
    let picture = wrong.picture.as_ref().map_or_else(String::new, |picture| {
        let scale = (96 / picture.width.max(picture.height).max(1)).max(1);
        image(picture, scale, &format!("test image {}", wrong.index))
    });
    let mut bars = String::new();
    let actual = [(&wrong.actual, wrong.probability, "actual")];
    let listed = wrong.likeliest.iter().any(|(name, _)| *name == wrong.actual);
    let likeliest = wrong.likeliest.iter().map(|(name, share)| {
        (name, *share, if *name == wrong.actual { "actual" } else { "other" })
    });
    for (name, share, class) in likeliest.chain(actual.into_iter().filter(|_| !listed)) {
        let share = f64::from(share);
        let _ = write!(
            bars,
            "<div class=\"bar {class}\"><span style=\"width:{:.1}%\"></span><b>{}</b><i>{}</i></div>",
            (100.0 * share).clamp(0.0, 100.0),
            escaped(name),
            percent(share),
        );
    }
    format!(
        "<figure>{picture}<figcaption>{bars}<small>test image {}</small></figcaption></figure>\n",
        wrong.index
    )
}

fn image(picture: &Picture, scale: u32, alt: &str) -> String {
    format!(
        "<img src=\"data:image/png;base64,{}\" width=\"{}\" height=\"{}\" alt=\"{}\">",
        picture.png,
        picture.width * scale,
        picture.height * scale,
        escaped(alt)
    )
}

fn run(record: &Record) -> String {
    let seed = record.seed.map(|seed| ("seed".to_owned(), seed.to_string()));
    let machine = (!record.machine.is_empty()).then(|| ("machine".into(), record.machine.clone()));
    let rows = seed.iter().chain(&record.settings).chain(&machine);
    let row = |(name, value): &(String, String)| {
        format!(
            "<tr><th scope=\"row\">{}</th><td class=\"text\">{}</td></tr>\n",
            escaped(name),
            escaped(value)
        )
    };
    format!("<table>\n<tbody>\n{}</tbody>\n</table>\n", rows.map(row).collect::<String>())
}

fn percent(share: f64) -> String {
    format!("{:.2} %", 100.0 * share)
}

fn duration(seconds: f64) -> String {
    match seconds {
        s if s < 60.0 => format!("{s:.1} s"),
        s if s < 3600.0 => format!("{} min {:.0} s", (s / 60.0).floor(), s % 60.0),
        s => format!("{} h {:.0} min", (s / 3600.0).floor(), s % 3600.0 / 60.0),
    }
}

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe += "&amp;",
            '<' => safe += "&lt;",
            '>' => safe += "&gt;",
            '"' => safe += "&quot;",
            _ => safe.push(letter),
        }
    }
    safe
}
