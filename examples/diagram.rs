//! Draws a net: `cargo run --release --features diagram,zoo --example diagram -- unet` writes
//! `unet.svg`; with `--mermaid` it writes the text of a Mermaid flowchart, `unet.mmd`.

use clap::{Parser, ValueEnum};
use typenet::diagram::Diagram;
use typenet::prelude::*;
use typenet::zoo;

#[derive(Parser)]
struct Arguments {
    /// The net to draw.
    net: Net,
    /// Writes Mermaid text instead of SVG.
    #[arg(long)]
    mermaid: bool,
}

#[derive(Clone, Copy, ValueEnum)]
#[value(rename_all = "lower")]
enum Net {
    LeNet5,
    ResNet20,
    Inception,
    SqueezeNet,
    MobileNetV2,
    UNet,
    DenseNet121,
    ResNet18,
    ResNet50,
    AlexNet,
    Vgg16,
}

impl Net {
    fn diagram(self) -> Diagram {
        match self {
            Net::LeNet5 => zoo::LeNet5::diagram(),
            Net::ResNet20 => zoo::ResNet20::diagram(),
            Net::Inception => zoo::Inception::diagram(),
            Net::SqueezeNet => zoo::SqueezeNet::diagram(),
            Net::MobileNetV2 => zoo::MobileNetV2::diagram(),
            Net::UNet => zoo::UNet::diagram(),
            Net::DenseNet121 => zoo::DenseNet121::diagram(),
            Net::ResNet18 => zoo::ResNet18::diagram(),
            Net::ResNet50 => zoo::ResNet50::diagram(),
            Net::AlexNet => zoo::AlexNet::diagram(),
            Net::Vgg16 => zoo::Vgg16::diagram(),
        }
    }
}

fn main() -> std::io::Result<()> {
    let Arguments { net, mermaid } = Arguments::parse();
    let diagram = net.diagram();
    let (text, ending) =
        if mermaid { (diagram.to_mermaid(), "mmd") } else { (diagram.to_svg(), "svg") };
    let path = format!("{}.{ending}", diagram.name.to_lowercase());
    std::fs::write(&path, text)?;
    println!("{path}: {} boxes, {} arrows", diagram.boxes.len(), diagram.arrows.len());
    Ok(())
}
