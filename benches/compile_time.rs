//! How long each net of `typenet::zoo` takes to compile in a program of its own, after its
//! dependencies: `cargo bench -p typenet-benches --bench compile_time [-- NET…]`. Fails where a net is over the bar.
#![allow(clippy::expect_used)]

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs};

/// The bars, on two cores.
const CHECK: Duration = Duration::from_secs(3);
const BUILD: Duration = Duration::from_secs(30);

/// A net's name and its declaration.
type Net = (String, String);

fn main() -> ExitCode {
    let wanted: Vec<String> = env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the repository");
    let mut nets = declarations(&root.join("src/zoo"));
    nets.retain(|(name, _)| wanted.is_empty() || wanted.contains(name));
    let folder = root.join("target/compile_time");
    // A first program builds the dependencies.
    let empty = ("Empty".to_string(), "network! { struct Empty: [1] -> [2] { linear(2) } }".into());
    for command in ["check", "build"] {
        cargo(&write(&folder, root, &empty), &folder, command);
    }
    println!("{:<12} {:>10} {:>16}", "net", "check", "release build");
    let mut good = !nets.is_empty();
    for net in &nets {
        let program = write(&folder, root, net);
        let [check, build] = ["check", "build"].map(|command| cargo(&program, &folder, command));
        let over = if check > CHECK || build > BUILD { "  over the bar" } else { "" };
        let [check_time, build_time] = [check, build].map(|time| time.as_secs_f64());
        println!("{:<12} {check_time:>8.2} s {build_time:>14.2} s{over}", net.0);
        good &= over.is_empty();
    }
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The declarations in the files of a folder, in the order of their names.
fn declarations(folder: &Path) -> Vec<Net> {
    let files = fs::read_dir(folder).expect("the folder of the zoo");
    let mut files: Vec<PathBuf> = files.filter_map(|file| Some(file.ok()?.path())).collect();
    files.sort();
    let mut nets = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).expect("a file of the zoo");
        for part in text.split("\nnetwork! {").skip(1) {
            let Some((body, _)) = part.split_once("\n}\n") else { continue };
            let name = body.split("pub struct ").nth(1).and_then(|rest| rest.split(':').next());
            let name = name.expect("a declaration's name").to_string();
            nets.push((name, format!("network! {{{body}\n}}\n")));
        }
    }
    nets
}

/// Writes a program that trains and uses the net; returns its folder.
fn write(folder: &Path, root: &Path, (name, declaration): &Net) -> PathBuf {
    let program = folder.join("programs").join(name);
    fs::create_dir_all(program.join("src")).expect("a folder for the program");
    let manifest = format!(
        "[package]\nname = \"{}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n\
         [dependencies]\ntypenet = {{ path = {:?} }}\n\n[workspace]\n",
        name.to_lowercase(),
        root.display().to_string()
    );
    let main = format!(
        "use typenet::prelude::*;\nuse typenet::Flat;\n\n{declaration}\n\
         fn main() -> Result<(), typenet::Error> {{\n\
             let numbers = vec![0.5; 2 * Input::<{name}>::LEN];\n\
             let images = Input::<{name}>::slice_from_flat(&numbers).unwrap_or_default();\n\
             let mut net = {name}::seeded(1);\n\
             let mut ws = {name}::workspace(2);\n\
             let mut sgd = Sgd::new(0.1).state(&net);\n\
             net.forward(images, &mut ws);\n\
             let loss = CrossEntropy::new().forward_backward(&[0, 1], &mut ws)?;\n\
             net.backward(images, &mut ws);\n\
             sgd.step(&mut net, ws.gradients());\n\
             println!(\"{{loss}} {{}}\", net.predict(&images[0]));\n\
             net.save(\"net.safetensors\")\n\
         }}\n"
    );
    // The versions of the dependencies that this repository uses.
    let _ = fs::copy(root.join("Cargo.lock"), program.join("Cargo.lock"));
    // Written anew each time, so that cargo compiles it again.
    fs::write(program.join("Cargo.toml"), manifest).expect("the program's manifest");
    fs::write(program.join("src/main.rs"), main).expect("the program's source");
    program
}

fn cargo(program: &Path, folder: &Path, command: &str) -> Duration {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.arg(command).arg("--quiet").args((command == "build").then_some("--release"));
    cargo.current_dir(program).env("CARGO_TARGET_DIR", folder.join("target"));
    // Every time is that of a first compile.
    cargo.env("CARGO_INCREMENTAL", "0");
    let start = Instant::now();
    let status = cargo.stdin(Stdio::null()).status().expect("cargo");
    let time = start.elapsed();
    assert!(status.success(), "{} does not compile", program.display());
    time
}
