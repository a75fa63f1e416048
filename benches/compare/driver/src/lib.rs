//! The line protocol that the runner speaks with each peer, which is a process of its own.
//!
//! | line | from | meaning |
//! |---|---|---|
//! | `ready typenet 0.1.0` | peer, once | its name and version |
//! | `modes` | runner | which ways of running the peer has |
//! | `ok default` | peer | their names |
//! | `run lenet5 train 128 default 0.5` | runner | net, pass, batch, mode, seconds to measure |
//! | `ok 0.000512 0.000498 …` | peer | seconds per step, one number for each sample |
//! | `no such net` | peer | why it cannot |
//!
//! A net is a name of the five, or a layer as [`nets::parse`] reads it. The passes are `train`, a whole
//! training step; `infer`, inference; `both`, a forward and a backward pass.

pub mod nets;

use std::io::{BufRead, Write};
use std::time::{Duration, Instant};

/// A case to time.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// The name of one of the nets, or a layer's description.
    pub net: String,
    pub pass: Pass,
    pub batch: usize,
    /// One of the peer's modes.
    pub mode: String,
    /// How long to measure.
    pub time: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pass {
    /// Forward, mean cross-entropy, backward, SGD step.
    Train,
    /// Forward in inference mode.
    Infer,
    /// Forward in training mode and backward, from a gradient given at the output.
    Both,
    /// Forward mode as in inference, along a direction of the input.
    Jvp,
    /// The same along one of input and parameters.
    JvpOfAll,
}

impl Pass {
    /// Whether it is one of forward mode, which not every peer has.
    pub fn is_forward_mode(self) -> bool {
        matches!(self, Pass::Jvp | Pass::JvpOfAll)
    }
}

impl Case {
    fn parse(words: &[&str]) -> Result<Case, String> {
        let [net, pass, batch, mode, seconds] = words else {
            return Err("a case is: net pass batch mode seconds".into());
        };
        let pass = match *pass {
            "train" => Pass::Train,
            "infer" => Pass::Infer,
            "both" => Pass::Both,
            "jvp" => Pass::Jvp,
            "jvp_of_all" => Pass::JvpOfAll,
            other => return Err(format!("no pass `{other}`")),
        };
        let batch = batch.parse().map_err(|_| format!("`{batch}` is no batch"))?;
        let seconds = seconds.parse().map_err(|_| format!("`{seconds}` is no time"))?;
        let time = Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())?;
        Ok(Case { net: (*net).into(), pass, batch, mode: (*mode).into(), time })
    }
}

/// Seconds per step of a closure: warmed up, then sample after sample until the time is over. Steps
/// of a few microseconds are timed several together.
pub fn sample(time: Duration, mut step: impl FnMut()) -> Vec<f64> {
    let warm = Instant::now();
    let mut fastest = f64::INFINITY;
    let mut steps = 0;
    while steps < 3 || warm.elapsed() < time / 5 {
        let start = Instant::now();
        step();
        fastest = fastest.min(start.elapsed().as_secs_f64());
        steps += 1;
    }
    let together = (50e-6 / fastest).ceil().clamp(1.0, 1e6) as usize;
    let start = Instant::now();
    let mut samples = Vec::new();
    while samples.len() < 3 || start.elapsed() < time {
        let sample = Instant::now();
        for _ in 0..together {
            step();
        }
        samples.push(sample.elapsed().as_secs_f64() / together as f64);
    }
    samples
}

/// Numbers that look normal, the same for every peer.
pub fn normal(count: usize) -> Vec<f32> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut uniform = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1_u64 << 24) as f32
    };
    (0..count).map(|_| (0..12).map(|_| uniform()).sum::<f32>() - 6.0).collect()
}

/// Class numbers of ten classes.
pub fn labels(count: usize) -> Vec<usize> {
    (0..count).map(|i| (i * 7 + i / 10) % 10).collect()
}

/// The version of a package that this workspace is locked to.
pub fn locked(package: &str) -> &'static str {
    let lock = include_str!("../../Cargo.lock");
    let entry = lock.split_once(&format!("name = \"{package}\"\nversion = \""));
    entry.and_then(|(_, rest)| rest.split('"').next()).unwrap_or_default()
}

/// Answers the runner's lines until its end closes.
pub fn serve(
    name: &str,
    version: &str,
    modes: &[&str],
    mut run: impl FnMut(&Case) -> Result<Vec<f64>, String>,
) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "ready {name} {version}")?;
    out.flush()?;
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let words: Vec<&str> = line.split_whitespace().collect();
        let answer = match words.as_slice() {
            ["modes"] => Ok(modes.join(" ")),
            ["run", case @ ..] => Case::parse(case).and_then(|case| run(&case)).map(|samples| {
                let samples: Vec<String> = samples.iter().map(|s| format!("{s:.4e}")).collect();
                samples.join(" ")
            }),
            _ => Err("the lines are: modes, run".into()),
        };
        match answer {
            Ok(answer) => writeln!(out, "ok {answer}")?,
            Err(reason) => writeln!(out, "no {}", reason.replace('\n', " "))?,
        }
        out.flush()?;
    }
    Ok(())
}
