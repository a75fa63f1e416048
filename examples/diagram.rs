//! Draws a net: `cargo run --release --features diagram,zoo --example diagram -- unet` writes
//! `unet.svg`; with `--mermaid` it writes the text of a Mermaid flowchart, `unet.mmd`. `--fold 0` draws
//! each block and repeat as one box, `--fold 1` what is in them.

use clap::Parser;
use clap::builder::PossibleValuesParser;
use typenet::diagram::Diagram;
use typenet::prelude::*;
use typenet::zoo;

/// A net and what draws it.
type Net = (&'static str, fn() -> Diagram);

const NETS: [Net; 11] = [
    ("lenet5", zoo::LeNet5::diagram),
    ("resnet20", zoo::ResNet20::diagram),
    ("inception", zoo::Inception::diagram),
    ("squeezenet", zoo::SqueezeNet::diagram),
    ("mobilenetv2", zoo::MobileNetV2::diagram),
    ("unet", zoo::UNet::diagram),
    ("densenet121", zoo::DenseNet121::diagram),
    ("resnet18", zoo::ResNet18::diagram),
    ("resnet50", zoo::ResNet50::diagram),
    ("alexnet", zoo::AlexNet::diagram),
    ("vgg16", zoo::Vgg16::diagram),
];

#[derive(Parser)]
struct Arguments {
    /// The net to draw.
    #[arg(value_parser = PossibleValuesParser::new(NETS.map(|(name, _)| name)))]
    net: String,
    /// Writes Mermaid text instead of SVG.
    #[arg(long)]
    mermaid: bool,
    /// How many braces deep layers are shown; what is deeper is folded to boxes.
    #[arg(long, value_name = "DEPTH")]
    fold: Option<usize>,
}

fn main() -> std::io::Result<()> {
    let Arguments { net, mermaid, fold } = Arguments::parse();
    for (name, diagram) in NETS.iter().filter(|(name, _)| *name == net) {
        let mut diagram = diagram();
        if let Some(depth) = fold {
            diagram = diagram.folded(depth);
        }
        let (text, ending) =
            if mermaid { (diagram.to_mermaid(), "mmd") } else { (diagram.to_svg(), "svg") };
        let path = format!("{name}.{ending}");
        std::fs::write(&path, text)?;
        println!("{path}: {} boxes, {} arrows", diagram.boxes.len(), diagram.arrows.len());
    }
    Ok(())
}
