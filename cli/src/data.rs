//! `typenet data check`: what is in a folder of images, and what is wrong with it.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use image::{ColorType, ImageReader};
use rayon::prelude::*;
use serde::Serialize;

use crate::error::{Error, Result};
use crate::table::{counted, grouped, table};

/// Extensions of the files that are read as images.
const IMAGES: [&str; 3] = ["png", "jpg", "jpeg"];
/// Classes whose counts differ by more than this factor are called unbalanced.
const UNBALANCED: f64 = 1.5;
/// How many lines of a kind are printed.
const LINES: usize = 10;

/// What is known of a data set: its parts, `train` and `test`, or itself under the name of the folder.
#[derive(Serialize)]
struct Check {
    parts: Vec<Part>,
    /// Images with the same content in several places.
    duplicates: Vec<Vec<PathBuf>>,
}

#[derive(Serialize)]
struct Part {
    name: String,
    classes: BTreeMap<String, usize>,
    /// Width × height, and how many images have it.
    sizes: BTreeMap<String, usize>,
    colours: BTreeMap<&'static str, usize>,
    broken: Vec<Broken>,
    /// Files without an image's extension.
    others: Vec<PathBuf>,
}

#[derive(Serialize)]
struct Broken {
    path: PathBuf,
    problem: String,
}

impl Part {
    fn images(&self) -> usize {
        self.classes.values().sum()
    }

    fn is_faulty(&self) -> bool {
        !self.broken.is_empty() || self.classes.values().any(|&images| images == 0)
    }
}

pub(crate) fn run(folder: &Path, json: bool, out: &mut impl Write) -> Result<ExitCode> {
    let check = check(folder)?;
    if json {
        let text = serde_json::to_string_pretty(&check).map_err(std::io::Error::from)?;
        writeln!(out, "{text}")?;
    } else {
        print(folder, &check, out)?;
    }
    let is_faulty = check.parts.is_empty() || check.parts.iter().any(Part::is_faulty);
    Ok(if is_faulty { ExitCode::from(2) } else { ExitCode::SUCCESS })
}

fn check(folder: &Path) -> Result<Check> {
    let mut by_content: HashMap<u64, Vec<PathBuf>> = HashMap::new();
    let top = entries(folder)?;
    // `DIR/train/cat/1.jpg` has folders below the first ones, `DIR/cat/1.jpg` has none.
    let mut has_parts = false;
    for path in top.iter().filter(|path| path.is_dir()) {
        has_parts |= entries(path)?.iter().any(|path| path.is_dir());
    }
    let folders: Vec<PathBuf> = if has_parts {
        top.into_iter().filter(|path| path.is_dir()).collect()
    } else if top.iter().any(|path| path.is_dir()) {
        vec![folder.to_owned()]
    } else {
        Vec::new()
    };
    let parts = folders.iter().map(|folder| part(folder, &mut by_content));
    let parts = parts.collect::<Result<_>>()?;
    let mut duplicates: Vec<Vec<PathBuf>> =
        by_content.into_values().filter(|paths| paths.len() > 1).collect();
    duplicates.iter_mut().for_each(|paths| paths.sort());
    duplicates.sort();
    Ok(Check { parts, duplicates })
}

/// What is in a folder, in the order of names; hidden files are left out.
fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let is_hidden =
        |path: &Path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(Error::read(folder))? {
        let path = entry.map_err(Error::read(folder))?.path();
        if !is_hidden(&path) {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

/// What is seen of a file.
struct Seen {
    class: String,
    path: PathBuf,
    image: Result<Image, String>,
}

struct Image {
    size: String,
    colour: &'static str,
    content: u64,
}

fn part(folder: &Path, by_content: &mut HashMap<u64, Vec<PathBuf>>) -> Result<Part> {
    let (mut classes, mut files, mut others) = (BTreeMap::new(), Vec::new(), Vec::new());
    for path in entries(folder)? {
        if !path.is_dir() {
            others.push(path);
            continue;
        }
        let class = name(&path);
        classes.insert(class.clone(), 0);
        for path in entries(&path)? {
            if path.is_file() && is_image(&path) {
                files.push((class.clone(), path));
            } else {
                others.push(path);
            }
        }
    }
    let look = |(class, path): (String, PathBuf)| {
        let image = look(&path);
        Seen { class, path, image }
    };
    let seen: Vec<Seen> = files.into_par_iter().map(look).collect();
    let (mut sizes, mut colours, mut broken) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
    for Seen { class, path, image } in seen {
        match image {
            Ok(Image { size, colour, content }) => {
                *classes.entry(class).or_default() += 1;
                *sizes.entry(size).or_default() += 1;
                *colours.entry(colour).or_default() += 1;
                by_content.entry(content).or_default().push(path);
            }
            Err(problem) => broken.push(Broken { path, problem }),
        }
    }
    Ok(Part { name: name(folder), classes, sizes, colours, broken, others })
}

fn is_image(path: &Path) -> bool {
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
    ending.is_some_and(|ending| IMAGES.contains(&ending.as_str()))
}

/// Decodes a file: only that shows whether it is whole.
fn look(path: &Path) -> Result<Image, String> {
    let content = fs::read(path).map_err(|problem| problem.to_string())?;
    if content.is_empty() {
        return Err("the file is empty".to_owned());
    }
    let reader = ImageReader::new(std::io::Cursor::new(&content));
    let reader = reader.with_guessed_format().map_err(|problem| problem.to_string())?;
    let image = reader.decode().map_err(|problem| problem.to_string())?;
    let colour = match image.color() {
        ColorType::L8 | ColorType::L16 => "grey",
        ColorType::La8 | ColorType::La16 => "grey with alpha",
        ColorType::Rgba8 | ColorType::Rgba16 | ColorType::Rgba32F => "RGB with alpha",
        _ => "RGB",
    };
    let mut hasher = DefaultHasher::new();
    content.hash(&mut hasher);
    Ok(Image {
        size: format!("{}×{}", image.width(), image.height()),
        colour,
        content: hasher.finish(),
    })
}

fn print(folder: &Path, check: &Check, out: &mut impl Write) -> Result<()> {
    if check.parts.is_empty() {
        writeln!(
            out,
            "{}: no folders with images: one folder a class is expected, as in `{}/cat/1.jpg`",
            folder.display(),
            folder.display()
        )?;
    }
    for part in &check.parts {
        print_part(part, out)?;
    }
    let copies = check.duplicates.len();
    if copies > 0 {
        writeln!(
            out,
            "\nwarning: {} in several places; test images that are trained on make results too good",
            counted(copies, "image stands", "images stand")
        )?;
        lines(
            out,
            check.duplicates.iter().map(|paths| {
                paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(" = ")
            }),
        )?;
    }
    Ok(())
}

fn print_part(part: &Part, out: &mut impl Write) -> Result<()> {
    writeln!(
        out,
        "{}: {} in {}",
        part.name,
        counted(part.images(), "image", "images"),
        counted(part.classes.len(), "class", "classes")
    )?;
    let most = part.classes.values().copied().max().unwrap_or(0).max(1);
    let mut rows = table(&["class", "", "images", "share"], 2);
    for (class, &images) in &part.classes {
        let share = 100.0 * images as f64 / part.images().max(1) as f64;
        let bar = "█".repeat((24 * images).div_ceil(most));
        rows.add_row([class.clone(), bar, grouped(images), format!("{share:.1} %")]);
    }
    writeln!(out, "{rows}")?;
    let list = |counts: Vec<(&str, usize)>| {
        let mut counts = counts;
        counts.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        let more = counts.len().saturating_sub(5);
        let mut text: Vec<String> = counts
            .iter()
            .take(5)
            .map(|(what, count)| format!("{what} ({})", grouped(*count)))
            .collect();
        if more > 0 {
            text.push(format!("{more} more"));
        }
        text.join(", ")
    };
    if part.images() > 0 {
        let sizes = part.sizes.iter().map(|(size, &count)| (size.as_str(), count)).collect();
        let colours = part.colours.iter().map(|(&colour, &count)| (colour, count)).collect();
        writeln!(out, "sizes: {}", list(sizes))?;
        writeln!(out, "colours: {}", list(colours))?;
    }
    let least = part.classes.values().copied().min().unwrap_or(0);
    for (class, _) in part.classes.iter().filter(|&(_, &images)| images == 0) {
        writeln!(out, "error: the class `{class}` has no image that can be read")?;
    }
    if least > 0 && most as f64 > UNBALANCED * least as f64 {
        writeln!(
            out,
            "warning: the largest class has {:.1} times the images of the smallest",
            most as f64 / least as f64
        )?;
    }
    if !part.broken.is_empty() {
        writeln!(out, "error: {} broken", counted(part.broken.len(), "file is", "files are"))?;
        let line = |broken: &Broken| format!("{}: {}", broken.path.display(), broken.problem);
        lines(out, part.broken.iter().map(line))?;
    }
    if !part.others.is_empty() {
        let count = part.others.len();
        writeln!(
            out,
            "note: {} no PNG or JPEG by the name",
            counted(count, "file is", "files are")
        )?;
        lines(out, part.others.iter().map(|path| path.display().to_string()))?;
    }
    Ok(())
}

fn lines(out: &mut impl Write, texts: impl ExactSizeIterator<Item = String>) -> Result<()> {
    let more = texts.len().saturating_sub(LINES);
    for text in texts.take(LINES) {
        writeln!(out, "  {text}")?;
    }
    if more > 0 {
        writeln!(out, "  … and {more} more")?;
    }
    Ok(())
}
