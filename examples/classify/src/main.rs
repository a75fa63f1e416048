//! Says what is in a picture: `classify boot.png bag.jpg`.
//!
//! The weights are part of the program, and the compiler has checked them against the declaration. They are
//! from `examples/fashion.rs`, which trains this net on Fashion-MNIST: 28×28 grey pictures of clothes, light on
//! black.
#![forbid(unsafe_code)]

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use serde::Serialize;
use typenet::data::{Channels, ImageOptions, Resize};
use typenet::prelude::*;

network! {
    /// LeNet-5 for 28×28 grey images.
    #[weights("lenet5.safetensors")]
    pub struct LeNet5: [1, 28, 28] -> [10] {
        conv1: conv2d(6, kernel = 5, padding = 2), relu,
        max_pool2d(2),
        conv2: conv2d(16, kernel = 5), relu,
        max_pool2d(2),
        flatten,
        fc1: linear(120), relu,
        fc2: linear(84), relu,
        fc3: linear(10),
    }
}

/// Says which piece of clothing a picture shows.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// PNG and JPEG files.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// How many classes to show, the likeliest first.
    #[arg(long, short = 'k', default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=10))]
    top: u8,
    /// One JSON object a line, for other programs.
    #[arg(long)]
    json: bool,
    /// The picture is dark on light.
    #[arg(long)]
    invert: bool,
}

/// What was found in a file.
#[derive(Serialize)]
struct Answer<'a> {
    file: String,
    classes: Vec<Class<'a>>,
}

#[derive(Serialize)]
struct Class<'a> {
    name: &'a str,
    probability: f32,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let net = LeNet5::pretrained();
    let mut code = ExitCode::SUCCESS;
    for file in &arguments.files {
        let printed = match classify(&net, file, &arguments) {
            Ok(answer) => print(&answer, arguments.json),
            Err(error) => {
                eprintln!("error: {error}");
                code = ExitCode::FAILURE;
                Ok(())
            }
        };
        // Whoever reads the output has seen enough: `classify *.png | head`.
        if printed.is_err() {
            break;
        }
    }
    code
}

fn classify<'n>(
    net: &'n LeNet5,
    file: &std::path::Path,
    arguments: &Arguments,
) -> Result<Answer<'n>, Box<dyn std::error::Error>> {
    let picture = typenet::image::open(file);
    let mut picture = picture.map_err(|error| format!("{}: {error}", file.display()))?;
    if arguments.invert {
        picture.invert();
    }
    let resize = Resize::Fit(typenet::image::imageops::FilterType::Triangle);
    let input = net.input_from_image(&picture, &ImageOptions::new(resize, Channels::Grey))?;
    let names = &net.metadata().class_names;
    let likeliest = net.top_k(&input, usize::from(arguments.top)).into_iter();
    let classes = likeliest.map(|(class, probability)| Class { name: &names[class], probability });
    Ok(Answer { file: file.display().to_string(), classes: classes.collect() })
}

fn print(answer: &Answer<'_>, json: bool) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    if json {
        serde_json::to_writer(&mut out, answer)?;
        return writeln!(out);
    }
    write!(out, "{}:", answer.file)?;
    for (index, Class { name, probability }) in answer.classes.iter().enumerate() {
        let comma = if index > 0 { "," } else { "" };
        write!(out, "{comma} {name} {:.1} %", 100.0 * probability)?;
    }
    writeln!(out)
}
