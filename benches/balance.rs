//! How evenly nets are shared out among threads: each batch runs on one thread, but cut as for more, and each
//! piece of work goes to the threads as they would be free. `cargo bench -p typenet-benches --bench balance`
//! writes the table of `docs/balance.md`; with nets' names behind `--` it prints those.
#![allow(missing_docs, clippy::expect_used)]

mod page;

#[path = "compare/typenet/src/nets.rs"]
#[allow(unreachable_pub, dead_code, reason = "another program's module")]
mod nets;

use std::fmt::Write;
use std::time::{Duration, Instant};

use nets::{ResNet20, Vgg6};
use page::Page;
use typenet::kernels::team::{Piece, Team};
use typenet::prelude::*;
use typenet::{Flat, zoo};

const THREADS: [usize; 5] = [2, 4, 8, 16, 64];

/// Of so many rehearsals the one that took the least time.
const ROUNDS: usize = 3;

fn main() -> std::io::Result<()> {
    let Some(mut page) = Page::of_arguments() else { return Ok(()) };
    page.begin(
        "# Balance\n\nWritten by `cargo bench -p typenet-benches --bench balance`. Each batch ran on one thread, but cut as \
         for more of them; then each piece of work goes to the threads as they are free, by the times that its tasks \
         took. A number is how many times longer than its share the threads would be busy: 1 is perfect, and with 64 \
         threads and 32 tasks it is 2. What only one thread does counts in full. Memory bandwidth that the threads \
         share, hand-offs (see the [roofline](roofline.md)) and other programs come on top.\n",
    );
    let large: &[usize] = &[1, 4, 8, 32];
    let small: &[usize] = &[1, 4, 8, 32, 128];
    page.add("vgg6", || section::<Vgg6>("VGG-6, 32×32", small));
    page.add("resnet20", || section::<ResNet20>("ResNet-20, 32×32", small));
    page.add("resnet18", || section::<zoo::ResNet18>("ResNet-18", large));
    page.add("mobilenet_v2", || section::<zoo::MobileNetV2>("MobileNetV2", large));
    page.add("squeezenet", || section::<zoo::SqueezeNet>("SqueezeNet 1.1", large));
    page.add("resnet50", || section::<zoo::ResNet50>("ResNet-50", large));
    page.add("densenet121", || section::<zoo::DenseNet121>("DenseNet-121", large));
    page.add("unet", || section::<zoo::UNet>("U-Net, 128×128", large));
    page.save("balance.md")
}

fn section<N: Network>(name: &str, batches: &[usize]) -> String {
    let threads = THREADS.map(|threads| format!("{threads} threads"));
    let mut text = format!("\n## {name}\n\n| pass | batch | {} |\n", threads.join(" | "));
    let _ = writeln!(text, "|---|---{}|", "|---".repeat(THREADS.len()));
    for pass in ["inference", "forward and backward"] {
        for &batch in batches {
            let _ = write!(text, "| {pass} | {batch} |");
            for threads in THREADS {
                let _ = write!(text, " {:.2} |", balance::<N>(pass == "inference", batch, threads));
            }
            text.push('\n');
        }
    }
    text
}

/// How many times longer than its share the busiest thread is busy.
fn balance<N: Network>(infer: bool, batch: usize, threads: usize) -> f64 {
    let mut net = N::seeded(1);
    let numbers: Vec<f32> = (0..batch * N::Input::LEN).map(|i| (i as f32 * 0.37).sin()).collect();
    let images = N::Input::slice_from_flat(&numbers).expect("images");
    let mut outputs = vec![0.0; batch * N::Output::LEN];
    let outputs = N::Output::slice_from_flat_mut(&mut outputs).expect("outputs");
    let mut ws = N::workspace(batch);
    let mut pass = || {
        if infer {
            let _ = net.outputs_into(&mut ws, images, outputs);
        } else {
            net.forward(images, &mut ws);
            ws.output_rows().1.fill(0.01);
            net.backward(images, &mut ws);
        }
    };
    // Memory is touched for the first time, and weights are prepared.
    Team::rehearse(threads, &mut pass);
    let mut best: Option<(Duration, Vec<Piece>)> = None;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        let ((), pieces) = Team::rehearse(threads, &mut pass);
        let total = start.elapsed();
        if best.as_ref().is_none_or(|(least, _)| total < *least) {
            best = Some((total, pieces));
        }
    }
    let (total, pieces) = best.expect("a round");
    let shared: Duration = pieces.iter().map(Piece::work).sum();
    let spans: Duration = pieces.iter().map(|piece| piece.makespan(threads)).sum();
    let planned = total.saturating_sub(shared) + spans;
    planned.as_secs_f64() * threads as f64 / total.as_secs_f64()
}
