//! Checkpoint files: what is written, and what is checked on reading.

use std::path::Path;

use serde_json::{Value, json};
use typenet_shape::MAX_HEADS;

use super::json::{
    Read, bool_of, epoch, f64_of, field, list, number, optional, read_epoch, read_stopped, stopped,
    u64_of, usize_of,
};
use super::metric::Metric;
use super::state::{Best, Counted, Drawn, Early, EpochSums, Held, Position, RunState};
use crate::io::{
    Checked, Entry, Numbers, metadata_texts, read_metadata_texts, tensor_name, write_checked,
};
use crate::net::network::Network;
use crate::optim::{Averaging, Core, Mean, Optimizer, Plateau};
use crate::{Error, Metadata, Result};
use typenet_engine::Flat;

/// What the file says that it is, and the version of its layout.
const FORMAT: &str = "typenet checkpoint";
const VERSION: &str = "1";

/// What the names of everything but the net's own tensors begin with.
const PREFIX: &str = "run.";

const METRICS: [Metric; 6] = [
    Metric::Loss,
    Metric::Accuracy,
    Metric::ValidationLoss,
    Metric::ValidationAccuracy,
    Metric::TestLoss,
    Metric::TestAccuracy,
];

/// Writes the net and the state of its run.
///
/// # Errors
/// [`Error::Io`]; the file is then as it was.
pub(super) fn save<N: Network, O: Optimizer>(
    path: &Path,
    net: &N,
    state: &RunState<O>,
    callbacks: &[String],
) -> Result<()> {
    let mut texts = metadata_texts(net.metadata())?;
    texts.insert("format", FORMAT.into());
    texts.insert("version", VERSION.into());
    texts.insert("net", N::GRAPH.name.into());
    texts.insert("optimizer", O::NAME.into());
    let parameters = net.parameters_flat();
    let mut entries: Vec<Entry<'_>> = N::LAYOUT
        .tensors
        .iter()
        .map(|tensor| Entry {
            name: tensor_name(&N::GRAPH, tensor),
            shape: tensor.shape.dims().to_vec(),
            numbers: Numbers::F32(&parameters[tensor.offset..][..tensor.shape.elements()]),
        })
        .collect();
    let mut row =
        |name: &str, numbers| entries.push(Entry::row(format!("{PREFIX}{name}"), numbers));
    for (name, numbers) in state.core.buffers() {
        row(name, Numbers::F32(numbers));
    }
    if let Some(mean) = &state.mean {
        row("mean", Numbers::F32(&mean.numbers));
    }
    if let Some(best) = &state.best {
        row("best", Numbers::F32(&best.numbers));
    }
    if let Some(held) = &state.held {
        row("trained", Numbers::F32(&held.trained));
    }
    row("batch_losses", Numbers::F64(&state.history.batch_losses));
    row("learning_rates", Numbers::F32(&state.history.learning_rates));
    let rest = to_json(state, callbacks).to_string();
    row("state", Numbers::Bytes(rest.as_bytes()));
    write_checked(path, texts, &entries)
}

fn to_json<O: Optimizer>(state: &RunState<O>, callbacks: &[String]) -> Value {
    let RunState { core, dropout, position, drawn, sums, history, early, .. } = state;
    let heads: Vec<Value> = sums
        .heads
        .iter()
        .map(|head| json!({ "loss": number(head.loss), "right": head.right }))
        .collect();
    let metric = |metric: Metric| METRICS.iter().position(|other| *other == metric);
    json!({
        "steps": core.steps(),
        "steps_of_tensors": core.steps_of_tensors().collect::<Vec<u64>>(),
        "factor": number(core.factor()),
        "dropout": { "seed": dropout.0, "passes": dropout.1 },
        "position": {
            "epoch": position.epoch,
            "batch": position.batch,
            "call": position.call,
            "call_start": position.call_start,
        },
        "drawn": {
            "images": drawn.images,
            "batch": drawn.batch,
            "seed": drawn.seed,
            "with_replacement": drawn.with_replacement,
            "validation": number(drawn.validation),
        },
        "sums": {
            "loss": number(sums.loss),
            "images": sums.images,
            "seconds": number(sums.seconds),
            "heads": heads,
        },
        "mean": state.mean.as_ref().map(|mean| json!({ "count": mean.count })),
        "best": state.best.as_ref().map(|best| {
            json!({ "metric": metric(best.metric), "value": number(best.value) })
        }),
        "early": {
            "best": early.best.map(number),
            "best_epoch": early.best_epoch,
            "bad": early.bad,
        },
        "plateau": state.plateau.as_ref().map(|plateau| {
            let (best, bad, cooling, total) = plateau.parts();
            json!({
                "best": best.map(number),
                "bad": bad,
                "cooling": cooling,
                "total": number(total),
            })
        }),
        "epochs": history.epochs.iter().map(epoch).collect::<Vec<Value>>(),
        "stopped": history.stopped.as_ref().map(stopped),
        "callbacks": callbacks,
    })
}

/// A run that was read, before the net has its weights.
pub(super) struct Loaded<O: Optimizer> {
    pub(super) state: RunState<O>,
    pub(super) parameters: Vec<f32>,
    pub(super) metadata: Metadata,
    pub(super) callbacks: Vec<String>,
}

/// The trainer's settings that parts of a state depend on.
pub(super) struct Parts<'a, O> {
    pub(super) optimizer: &'a O,
    pub(super) averaging: Option<Averaging>,
    pub(super) plateau: Option<Plateau>,
}

/// Reads a file that [`save`] wrote of a net like this and an optimiser of this kind.
///
/// # Errors
/// [`Error::Io`]; [`Error::Format`] when it is no such file, is damaged, or of another version, net or
/// optimiser; [`Error::Weights`] when the net's tensors are others. Nothing is changed then.
pub(super) fn load<N: Network, O: Optimizer>(
    path: &Path,
    net: &N,
    parts: &Parts<'_, O>,
) -> Result<Loaded<O>> {
    let file = Checked::read(path)?;
    check_texts::<N, O>(&file)?;
    let metadata = read_metadata_texts(&file.texts).map_err(|problem| file.problem(problem))?;
    let parameters = read_parameters::<N>(path, &file)?;
    let bytes = file.bytes(&format!("{PREFIX}state"))?;
    let bytes = bytes.ok_or_else(|| file.problem("`run.state` is missing"))?;
    let json: Value = serde_json::from_slice(bytes)
        .map_err(|error| file.problem(format!("`run.state` cannot be read: {error}")))?;
    let mut state = from_json::<N, O>(&json, net, parts)
        .map_err(|problem| file.problem(format!("`run.state`: {problem}")))?;
    let row = |name: &str| -> Result<Option<Vec<f32>>> {
        let name = format!("{PREFIX}{name}");
        let Some((_, numbers)) = file.f32(&name)? else { return Ok(None) };
        if numbers.len() == N::Parameters::LEN {
            return Ok(Some(numbers));
        }
        let (expected, found) = (N::Parameters::LEN, numbers.len());
        Err(file.problem(format!("`{name}`: expected {expected} numbers, found {found}")))
    };
    let missing = |name: &str| file.problem(format!("`{PREFIX}{name}` is missing"));
    read_buffers(&file, &json, &mut state, &row)?;
    match &mut state.mean {
        Some(mean) if mean.count > 0 => {
            mean.numbers = row("mean")?.ok_or_else(|| missing("mean"))?
        }
        _ => {}
    }
    if let Some(best) = &mut state.best {
        best.numbers = row("best")?.ok_or_else(|| missing("best"))?;
    }
    let shown = parameters.clone();
    state.held = row("trained")?.map(|trained| Held { trained, shown });
    let losses = file.f64(&format!("{PREFIX}batch_losses"))?;
    state.history.batch_losses = losses.ok_or_else(|| missing("batch_losses"))?;
    let rates = file.f32(&format!("{PREFIX}learning_rates"))?;
    state.history.learning_rates = rates.ok_or_else(|| missing("learning_rates"))?.1;
    let callbacks = list(&json, "callbacks", |value| {
        value.as_str().map(String::from).ok_or_else(|| "`callbacks` are no texts".into())
    });
    let callbacks = callbacks.map_err(|problem| file.problem(problem))?;
    Ok(Loaded { state, parameters, metadata, callbacks })
}

fn check_texts<N: Network, O: Optimizer>(file: &Checked) -> Result<()> {
    let text = |key: &str| file.texts.get(key).map_or("", String::as_str);
    if text("format") != FORMAT || text("checksum").is_empty() {
        return Err(file
            .problem("this is no checkpoint of a run; the weights alone are read by `Net::load`"));
    }
    if text("version") != VERSION {
        let version = text("version");
        return Err(file.problem(format!(
            "the checkpoint is of version {version}, and this typenet reads version {VERSION}"
        )));
    }
    for (what, found, own) in
        [("the net", text("net"), N::GRAPH.name), ("the optimiser", text("optimizer"), O::NAME)]
    {
        if found != own {
            let problem =
                format!("the checkpoint is of a run in which {what} is `{found}`, not `{own}`");
            return Err(file.problem(problem));
        }
    }
    Ok(())
}

fn read_parameters<N: Network>(path: &Path, file: &Checked) -> Result<Vec<f32>> {
    let mut parameters = vec![0.0; N::Parameters::LEN];
    let (mut missing, mut misshaped) = (Vec::new(), Vec::new());
    let mut extra = file.names();
    extra.retain(|name| !name.starts_with(PREFIX));
    for tensor in N::LAYOUT.tensors {
        let name = tensor_name(&N::GRAPH, tensor);
        extra.retain(|other| *other != name);
        match file.f32(&name)? {
            None => missing.push(format!("{name} {}", tensor.shape)),
            Some((shape, _)) if shape != tensor.shape.dims() => {
                let text = format!("{name}: {} in the net, {shape:?} in the file", tensor.shape);
                misshaped.push(text);
            }
            Some((_, numbers)) => {
                parameters[tensor.offset..][..numbers.len()].copy_from_slice(&numbers);
            }
        }
    }
    if missing.is_empty() && extra.is_empty() && misshaped.is_empty() {
        return Ok(parameters);
    }
    let net = N::GRAPH.name.to_owned();
    Err(Error::Weights { path: path.into(), net, missing, extra, misshaped, help: None })
}

fn read_buffers<O: Optimizer>(
    file: &Checked,
    json: &Value,
    state: &mut RunState<O>,
    row: &dyn Fn(&str) -> Result<Option<Vec<f32>>>,
) -> Result<()> {
    let problem = |problem: String| file.problem(format!("`run.state`: {problem}"));
    let steps = u64_of(json, "steps").map_err(problem)?;
    let of_tensors = list(json, "steps_of_tensors", |value| {
        value.as_u64().ok_or_else(|| "`steps_of_tensors` are no whole numbers".into())
    });
    let of_tensors = of_tensors.map_err(problem)?;
    let mut buffers = Vec::new();
    for name in O::BUFFERS {
        if let Some(numbers) = row(name)? {
            buffers.push((*name, numbers));
        }
    }
    let buffers: Vec<_> = buffers.iter().map(|(name, numbers)| (*name, &numbers[..])).collect();
    state.core.resume(steps, &of_tensors, &buffers).map_err(|error| {
        file.problem(format!("the run had other settings of {}: {error}", O::NAME))
    })
}

fn from_json<N: Network, O: Optimizer>(
    json: &Value,
    net: &N,
    parts: &Parts<'_, O>,
) -> Read<RunState<O>> {
    let names: Vec<&'static str> = const { &N::GRAPH }.heads.iter().map(|head| head.name).collect();
    let core = Core::new(parts.optimizer, &N::GRAPH, N::LAYOUT.tensors, N::Parameters::LEN);
    let mut core = core.map_err(|error| error.to_string())?;
    core.set_factor(f64_of(json, "factor")?);
    let dropout = field(json, "dropout")?;
    let mut state = RunState {
        net: net.model().identity(),
        core,
        dropout: (u64_of(dropout, "seed")?, u64_of(dropout, "passes")?),
        position: read_position(field(json, "position")?)?,
        drawn: read_drawn(field(json, "drawn")?)?,
        sums: read_sums(field(json, "sums")?)?,
        history: super::History::default(),
        mean: parts.averaging.map(Mean::new),
        best: optional(json, "best", read_best)?,
        early: read_early(field(json, "early")?)?,
        plateau: parts.plateau.map(|plateau| plateau.state()),
        held: None,
    };
    let count = optional(json, "mean", |value| u64_of(value, "count"))?;
    if let (Some(mean), Some(count)) = (&mut state.mean, count) {
        mean.count = count;
    }
    let plateau = optional(json, "plateau", |value| {
        let best = optional(value, "best", |_| f64_of(value, "best"))?;
        let (bad, cooling) = (usize_of(value, "bad")?, usize_of(value, "cooling")?);
        Ok((best, bad, cooling, f64_of(value, "total")?))
    })?;
    if let (Some(own), Some(found)) = (&mut state.plateau, plateau) {
        own.set_parts(found);
    }
    state.history.epochs = list(json, "epochs", |value| read_epoch(value, &names))?;
    state.history.stopped = optional(json, "stopped", read_stopped)?;
    Ok(state)
}

fn read_position(json: &Value) -> Read<Position> {
    Ok(Position {
        epoch: usize_of(json, "epoch")?,
        batch: usize_of(json, "batch")?,
        call: usize_of(json, "call")?,
        call_start: usize_of(json, "call_start")?,
    })
}

fn read_drawn(json: &Value) -> Read<Drawn> {
    Ok(Drawn {
        images: usize_of(json, "images")?,
        batch: usize_of(json, "batch")?,
        seed: u64_of(json, "seed")?,
        with_replacement: bool_of(json, "with_replacement")?,
        validation: f64_of(json, "validation")?,
    })
}

fn read_sums(json: &Value) -> Read<EpochSums> {
    let read = |head: &Value| -> Read<Counted> {
        Ok(Counted { loss: f64_of(head, "loss")?, right: usize_of(head, "right")? })
    };
    let heads: [Counted; MAX_HEADS] = list(json, "heads", read)?
        .try_into()
        .map_err(|_| "`heads` are not as many as there can be".to_owned())?;
    Ok(EpochSums {
        loss: f64_of(json, "loss")?,
        images: usize_of(json, "images")?,
        seconds: f64_of(json, "seconds")?,
        heads,
    })
}

fn read_best(json: &Value) -> Read<Best> {
    let metric = METRICS.get(usize_of(json, "metric")?).copied().ok_or("`metric` is unknown")?;
    Ok(Best { metric, value: f64_of(json, "value")?, numbers: Vec::new() })
}

fn read_early(json: &Value) -> Read<Early> {
    Ok(Early {
        best: optional(json, "best", |_| f64_of(json, "best"))?,
        best_epoch: usize_of(json, "best_epoch")?,
        bad: usize_of(json, "bad")?,
    })
}
