//! Brings the net's parameters into the form in which they are downloaded: half as long, and read without
//! the code that reads weight files, which is as long as they are.

use std::path::Path;

use half::f16;
use typenet_digit_page::DigitNet;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    let net = typenet::Network::parameters_flat(&DigitNet::pretrained()).to_vec();
    let bytes: Vec<u8> = net.into_iter().flat_map(|x| f16::from_f32(x).to_le_bytes()).collect();
    std::fs::write(Path::new(&std::env::var("OUT_DIR")?).join("parameters.f16"), bytes)?;
    Ok(())
}
