//! Declarations as they are typed, one character after the other: every expansion must do.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use super::client::Client;
use super::project_of;

const LENET5: &str = "\
network! {
    /// LeCun's net.
    pub struct Typed: [1, 28, 28] -> [10] {
        conv1: conv2d(6, kernel = 5, padding = same), tanh,
        avg_pool2d(2),
        conv2: conv2d(16, kernel = 5), tanh,
        avg_pool2d(2),
        flatten,
        fc1: linear(120), tanh,
        fc2: linear(84), tanh,
        fc3: linear(10),
    }
}
";

const RESNET50: &str = "\
network! {
    pub struct Typed: [3, 224, 224] -> [1000] {
        block conv_norm(out, kernel, stride = 1, padding = 0) {
            conv: conv2d(out, kernel = kernel, stride = stride, padding = padding, bias = false),
            bn: batch_norm,
        }
        block bottleneck(mid, stride = 1) {
            residual {
                conv_norm(mid, kernel = 1), relu,
                conv_norm(mid, kernel = 3, stride = stride, padding = 1), relu,
                conv_norm(4 * mid, kernel = 1),
            } shortcut {
                conv_norm(4 * mid, kernel = 1, stride = stride),
            }
            relu,
        }
        block plain(mid) {
            residual {
                conv_norm(mid, kernel = 1), relu,
                conv_norm(mid, kernel = 3, padding = 1), relu,
                conv_norm(4 * mid, kernel = 1),
            }
            relu,
        }
        conv_norm(64, kernel = 7, stride = 2, padding = 3), relu,
        max_pool2d(3, stride = 2, padding = 1),
        first: bottleneck(64), stage1: repeat(2) { plain(64) }
        second: bottleneck(128, stride = 2), stage2: repeat(3) { plain(128) }
        third: bottleneck(256, stride = 2), stage3: repeat(5) { plain(256) }
        fourth: bottleneck(512, stride = 2), stage4: repeat(2) { plain(512) }
        global_avg_pool, fc: linear(1000),
    }
}
";

/// Types a declaration, `step` characters at a time, asks for messages and words after each, and returns
/// how long the answers took together. What is behind the cursor are the closing signs that an editor
/// writes by itself.
fn type_out(client: &mut Client, file: &Path, declaration: &str, step: usize) -> Vec<Duration> {
    let head = "use typenet::prelude::*;\n";
    let (mut version, mut times) = (1, Vec::new());
    client.open(file, head);
    for end in (0..=declaration.len()).step_by(step) {
        let typed = &declaration[..end];
        let mut open = Vec::new();
        for sign in typed.chars() {
            match sign {
                '{' => open.push('}'),
                '(' => open.push(')'),
                '[' => open.push(']'),
                '}' | ')' | ']' => drop(open.pop()),
                _ => {}
            }
        }
        let behind: String = open.iter().rev().collect();
        version += 1;
        client.change(file, version, &format!("{head}{typed}{behind}\n"));
        let (line, column) =
            (1 + typed.matches('\n').count(), typed.lines().last().unwrap_or("").len());
        let column = if typed.ends_with('\n') { 0 } else { column };
        let start = Instant::now();
        let messages = client.messages(file);
        client.completions(file, line, column);
        times.push(start.elapsed());
        for message in messages {
            let failed = ["panic", "overflow", "proc-macro", "not expanded"];
            let failed = failed.iter().any(|word| message.contains(word));
            assert!(!failed, "after {typed:?}: {message}");
        }
    }
    times
}

#[test]
#[ignore = "starts rust-analyzer, which takes a minute; scripts/editor runs it"]
fn every_prefix_of_a_declaration_expands() {
    let project = Path::new(env!("CARGO_TARGET_TMPDIR")).join("ide-typing");
    project_of(&project);
    let source = project.join("src");
    fs::write(source.join("lib.rs"), "mod typed;\n").expect("the project's lib.rs");
    let file = source.join("typed.rs");
    fs::write(&file, "").expect("the file to type in");
    let mut client = Client::start(&project);
    // The first answer waits for the standard library.
    type_out(&mut client, &file, "", 1);
    for (name, declaration, step) in [("LeNet-5", LENET5, 1), ("ResNet-50", RESNET50, 7)] {
        let mut times = type_out(&mut client, &file, declaration, step);
        times.sort();
        let (middle, last) = (times[times.len() / 2], times[times.len() - 1]);
        println!("{name}: messages and words after {middle:.0?} (median), {last:.0?} (longest)");
    }
}
