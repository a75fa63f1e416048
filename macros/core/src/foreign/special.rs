//! What no table says: arguments whose value means something else here.

use super::draft::{Draft, Given};
use super::same;
use super::words::{self, Library, from_before, plain};
use super::{Argument, Call, Correction, Input, Value};
use crate::layers::{Kind, Layer};

/// Whether [`argument()`] reads this one.
#[cfg(test)]
pub(super) fn is_special(layer: &Layer, name: &str) -> bool {
    matches!(
        (layer.keyword, name),
        ("upsample", "size")
            | ("batch_norm" | "layer_norm" | "group_norm", "center" | "scale")
            | ("layer_norm", "bias")
            | ("relu", "max_value" | "negative_slope")
            | ("max_pool2d" | "avg_pool2d", "dilation")
            | ("batch_norm", "decay")
            | ("dropout", "keep_prob")
            | ("depthwise_conv2d", "in_channels" | "out_channels" | "groups")
    )
}

/// An argument that this layer takes in its own way; `None` if the tables say what it is, and
/// `Some(None)` where its value cannot be.
pub(super) fn argument(
    draft: &mut Draft,
    library: Library,
    given: &Given<'_>,
    input: Input,
) -> Option<Option<()>> {
    let Given { name, value, index, by_name } = *given;
    let keyword = draft.layer.keyword;
    // Nobody writes a whole number there.
    if !by_name
        && matches!(name, "eps" | "epsilon" | "momentum")
        && !matches!(value, Value::Whole(0) | Value::Number(_))
    {
        return Some(None);
    }
    let done = match (keyword, name) {
        ("upsample", "size") => target_size(draft, library, given, input),
        ("batch_norm" | "layer_norm" | "group_norm", "center" | "scale") => {
            if value.is_off() && draft.value("affine").is_none() {
                draft.set("affine", Value::Flag(false))?;
            }
            draft.reason(index, "`affine` is `center` and `scale` together");
            Some(())
        }
        ("layer_norm", "bias") => {
            draft.reason(index, "`affine` is weight and bias together");
            Some(())
        }
        ("relu", "max_value" | "negative_slope" | "threshold")
            if !by_name && value.number() != Some(6.0) =>
        {
            None
        }
        ("relu", "max_value") => {
            match value.number() {
                Some(6.0) => draft.replaced = Some(Call::plain("relu6")),
                Some(_) => {
                    draft.impossible = true;
                    draft.made.advice.push("for example `relu6`".into());
                }
                None if *value == Value::Nothing => {}
                None => return Some(None),
            }
            draft.reason(index, "`relu` has no largest value; `relu6` ends at 6");
            Some(())
        }
        ("relu", "negative_slope" | "alpha") => {
            let slope = value.taken(Kind::Number).flatten();
            if let Some(slope) = slope.filter(|_| !value.is_off()) {
                let call = Call { keyword: "leaky_relu", arguments: vec![(None, slope)] };
                draft.replaced = Some(call);
            }
            draft.reason(index, "`relu` has no slope; `leaky_relu` has one");
            Some(())
        }
        // In the place of PyTorch's dilation, but ours that comes next.
        ("max_pool2d", "dilation") if !by_name && matches!(value, Value::Flag(_)) => None,
        ("max_pool2d" | "avg_pool2d", "dilation") => {
            if value.whole() != Some(1) {
                draft.impossible = true;
                draft.made.advice.push("pool with a larger `kernel` and `stride`".into());
            }
            draft.reason(index, format!("`{keyword}` has no `dilation`"));
            Some(())
        }
        ("depthwise_conv2d", "in_channels" | "out_channels" | "filters" | "groups") => {
            value.whole().or_else(|| value.taken(Kind::Count).flatten().map(|_| 0))?;
            let before = input.channels.or(draft.channels);
            if name == "in_channels" {
                draft.channels = value.whole();
            }
            let multiplier = match (name, value.whole(), before) {
                ("out_channels" | "filters", Some(out), Some(channels))
                    if channels > 0 && out > channels && out % channels == 0 =>
                {
                    Some(out / channels)
                }
                _ => None,
            };
            if let Some(multiplier) = multiplier {
                draft.set("multiplier", Value::Whole(multiplier))?;
            }
            draft.take_before(index);
            Some(())
        }
        ("global_avg_pool", "output_size") => {
            adaptive(draft, "avg_pool2d", value, input);
            let what = "`global_avg_pool` gives one number a channel, `[channels]`";
            draft.reason(index, what);
            Some(())
        }
        ("gelu", "approximate") => match value {
            Value::Flag(tanh) | Value::Python(tanh) => {
                let word = if *tanh { "tanh" } else { "none" };
                draft.reason(index, "`approximate` is `none` or `tanh`");
                draft.set("approximate", Value::Word(word.into()))
            }
            _ => return None,
        },
        ("batch_norm", "momentum") if library == Library::Keras => {
            draft.reason(index, "`momentum` is the share of the new batch, 1 less Keras's");
            draft.set("momentum", rest_of(value)?)
        }
        ("batch_norm", "decay") => {
            draft.reason(index, "`momentum` is the share of the new batch, 1 less `decay`");
            draft.set("momentum", rest_of(value)?)
        }
        ("dropout", "keep_prob" | "keep_probability") => {
            draft.reason(index, "`p` is the share that is dropped, not what is kept");
            draft.set("p", rest_of(value)?)
        }
        ("softmax" | "log_softmax", "dim" | "axis")
            if matches!(value, Value::Whole(0 | 2 | 3))
                && (by_name || value.whole() != Some(0)) =>
        {
            draft.made.advice.push("it is always over channels or features".into());
            return None;
        }
        ("flatten", "start_dim")
            if !matches!(value, Value::Whole(0 | 1)) && value.number().is_some() =>
        {
            draft.impossible = true;
            draft.reason(index, "`flatten` makes one row of all numbers of an image");
            draft.made.advice.push("`reshape` gives other shapes".into());
            Some(())
        }
        ("scale", "scale" | "factor") => {
            draft.rename(given, "factor");
            draft.set("factor", value.clone())
        }
        (_, "padding") if draft.layer.position("padding").is_some() => {
            let takes_words = draft
                .layer
                .arguments
                .iter()
                .any(|one| one.name == "padding" && one.kind == Kind::Padding);
            match value.name() {
                Some("valid" | "VALID") => {
                    draft.reason(index, "without `padding` there is none");
                    Some(())
                }
                Some("same" | "SAME") if !takes_words => {
                    draft.same = true;
                    draft.reason(index, format!("the `padding` of `{keyword}` is a number"));
                    Some(())
                }
                _ => return None,
            }
        }
        (_, "trainable" | "requires_grad") => {
            if value.is_off() {
                draft
                    .made
                    .advice
                    .push("`#[frozen]` before it keeps its weights as they are".into());
            }
            return None;
        }
        _ => return None,
    };
    Some(done)
}

/// What a share leaves of 1, without the noise of its last digits.
fn rest_of(value: &Value) -> Option<Value> {
    value.number().map(|number| Value::Number(((1.0 - number) * 1e6).round() / 1e6))
}

/// The size that `upsample` arrives at in PyTorch, or how many times larger it is in Keras.
fn target_size(draft: &mut Draft, library: Library, given: &Given<'_>, input: Input) -> Option<()> {
    let what = "`scale_factor` says how many times larger an image becomes";
    if *given.value == Value::Nothing {
        draft.made.foreign.push(given.index);
        return Some(());
    }
    let target = match given.value {
        Value::Many(sides) | Value::List(sides) if sides.len() == 2 => {
            sides[0].whole().zip(sides[1].whole())
        }
        value => value.whole().map(|side| (side, side)),
    };
    if library == Library::Keras || target.is_some_and(|(height, width)| height.max(width) <= 4) {
        draft.set("scale_factor", given.value.clone())?;
        draft.rename(given, "scale_factor");
        return Some(());
    }
    let factors = target.zip(input.size).and_then(|((height, width), [from, to])| {
        let fits = from > 0 && to > 0 && height % from == 0 && width % to == 0;
        (fits && height >= from && width >= to).then(|| [height / from, width / to])
    });
    match factors {
        Some([height, width]) => {
            draft.set(
                "scale_factor",
                Value::Many(vec![Value::Whole(height), Value::Whole(width)]),
            )?;
        }
        None => {
            draft.impossible = true;
            draft.made.advice.push("for example `upsample(2)` for twice as large".into());
        }
    }
    draft.reason(given.index, what);
    Some(())
}

/// A pool that arrives at a size: by its kernel, where the input's size is a multiple.
fn adaptive(draft: &mut Draft, pool: &'static str, value: &Value, input: Input) {
    let target = match value {
        Value::Many(sides) | Value::List(sides) if sides.len() == 2 => {
            sides[0].whole().zip(sides[1].whole())
        }
        value => value.whole().map(|side| (side, side)),
    };
    if target == Some((1, 1)) || *value == Value::Nothing {
        return;
    }
    if input.size.is_some_and(|[height, width]| target == Some((height, width))) {
        draft.impossible = true;
        draft
            .made
            .advice
            .push("write `global_avg_pool`, or leave out a pool that changes nothing".into());
        return;
    }
    let kernel = target.zip(input.size).and_then(|((height, width), [from, to])| {
        let fits = height > 0 && width > 0 && from % height == 0 && to % width == 0;
        fits.then(|| [from / height, to / width])
    });
    match kernel {
        Some([height, width]) if height > 0 && width > 0 => {
            let text =
                if height == width { height.to_string() } else { format!("({height}, {width})") };
            draft.replaced = Some(Call { keyword: pool, arguments: vec![(None, text)] });
        }
        _ => {
            draft.impossible = true;
            let size = target.map_or("the size".into(), |(height, _)| format!("{height}"));
            draft.made.advice.push(format!(
                "`{pool}` arrives at {size} where its `kernel` is the input's size divided by that"
            ));
        }
    }
}

/// What follows from several arguments together; `None` where they do not go together.
pub(super) fn complete(draft: &mut Draft, input: Input) -> Option<()> {
    // `padding = same` keeps the size, which a stride does not.
    let strides = draft.value("stride").is_some_and(|stride| stride.whole() != Some(1));
    let is_same = draft.value("padding").and_then(Value::name).is_some();
    if strides && is_same && !draft.made.foreign.is_empty() {
        if let Some(place) = draft.layer.position("padding") {
            draft.values[place] = None;
        }
        draft.same = true;
    }
    if !draft.same {
        return Some(());
    }
    let side = |name: &str| draft.value(name).and_then(Value::whole);
    let kernel = side("kernel");
    let stride = side("stride");
    match draft.layer.keyword {
        // The output is `stride` times as large.
        "conv_transpose2d" => {
            let stride = stride.unwrap_or(1);
            let more = kernel.and_then(|kernel| kernel.checked_sub(stride));
            match more {
                Some(0) => {}
                Some(more) => {
                    draft.set("padding", Value::Whole(more.div_ceil(2)))?;
                    if more % 2 == 1 && draft.value("output_padding").is_none() {
                        draft.set("output_padding", Value::Whole(1))?;
                    }
                }
                None => draft.impossible = true,
            }
        }
        "max_pool2d" | "avg_pool2d" => same::windows(draft, input)?,
        _ => match kernel {
            Some(kernel) if kernel % 2 == 1 => {
                let padding = (kernel / 2).checked_mul(side("dilation").unwrap_or(1))?;
                if padding > 0 {
                    draft.set("padding", Value::Whole(padding))?;
                }
            }
            _ => {
                draft.impossible = true;
                draft.made.advice.push("for example `padding = 1`".into());
            }
        },
    }
    Some(())
}

/// Layers whose arguments as a whole are read in another way. `Some(None)` where they are ours.
pub(super) fn whole_call(
    word: &str,
    layer: &'static Layer,
    arguments: &[Argument],
    input: Input,
) -> Option<Option<Correction>> {
    match layer.keyword {
        "reshape" => Some(reshape(word, arguments)),
        "max_pool2d" if matches!(plain(word).as_str(), w if w.starts_with("adaptive") || w.starts_with("global")) =>
        {
            let value = arguments.first().map_or(Value::Whole(1), |first| first.value.clone());
            Some(largest(&value, input))
        }
        "depthwise_conv2d" => depthwise(arguments, input).map(Some),
        // All sizes of the shape, one behind the other.
        "layer_norm" if arguments.len() > 1 => {
            let is_size =
                |argument: &Argument| argument.key.is_none() && argument.value.whole().is_some();
            arguments.iter().all(is_size).then(|| {
                let what =
                    format!("`layer_norm` takes {} from the layer before", from_before(layer));
                Some(Correction {
                    reasons: vec![what],
                    calls: vec![Call::plain("layer_norm")],
                    foreign: (0..arguments.len()).collect(),
                    ..Correction::default()
                })
            })
        }
        _ => None,
    }
}

/// A pool of the largest values that arrives at a size.
fn largest(value: &Value, input: Input) -> Option<Correction> {
    let size = value.whole().unwrap_or(1);
    let call = input.size.filter(|size_of| size > 0 && size_of.iter().all(|one| one % size == 0));
    let mut made = Correction {
        reasons: vec!["a pool is given by its `kernel`, not by the size that it arrives at".into()],
        ..Correction::default()
    };
    match call.map(|[height, width]| [height / size, width / size]) {
        Some([height, width]) if height > 0 && width > 0 => {
            let text =
                if height == width { height.to_string() } else { format!("({height}, {width})") };
            made.calls = vec![Call { keyword: "max_pool2d", arguments: vec![(None, text)] }];
        }
        _ => made.advice.push(format!(
            "`max_pool2d` arrives at {size} where its `kernel` is the input's size divided by that"
        )),
    }
    Some(made)
}

/// Two numbers without a name may be channels and kernel.
fn depthwise(arguments: &[Argument], input: Input) -> Option<Correction> {
    let positional: Vec<&Argument> =
        arguments.iter().take_while(|argument| argument.key.is_none()).collect();
    let [first, second] = positional.as_slice() else { return None };
    if arguments.len() != 2 || first.value.whole()? != input.channels? {
        return None;
    }
    let kernel = second.value.taken(Kind::Pair).flatten()?;
    let text = first.value.taken(Kind::Pair).flatten()?;
    let layer = crate::layers::find("depthwise_conv2d")?;
    let call = |arguments| Call { keyword: "depthwise_conv2d", arguments };
    Some(Correction {
        reasons: vec![format!(
            "`{}` takes {} from the layer before",
            layer.keyword,
            from_before(layer)
        )],
        calls: vec![call(vec![(Some("kernel"), kernel.clone())])],
        or: Some((
            format!("a `stride` of {kernel}"),
            call(vec![(Some("kernel"), text), (Some("stride"), kernel)]),
        )),
        foreign: vec![0],
        ..Correction::default()
    })
}

/// `view(-1, 400)`, `reshape(16, 4, 4)`, `Reshape((4, 4, 16))`, `unflatten(1, (16, 4, 4))`.
fn reshape(word: &str, arguments: &[Argument]) -> Option<Correction> {
    let is_unflatten = plain(word) == "unflatten";
    let mut values: Vec<&Value> = arguments.iter().map(|argument| &argument.value).collect();
    let keys: Vec<Option<&str>> =
        arguments.iter().map(|argument| argument.key.as_deref()).collect();
    let known = ["shape", "target_shape", "unflattened_size", "dim", "size", "input_shape"];
    if keys.iter().flatten().any(|key| !known.contains(key)) {
        return None;
    }
    values.retain(|value| !matches!(value, Value::Word(_)));
    if is_unflatten && values.len() > 1 {
        values.remove(0);
    }
    let inner: Vec<&Value> = match values.as_slice() {
        [Value::Many(items)] => items.iter().collect(),
        [Value::List(items)] => {
            let own = word == "reshape" && matches!(keys.as_slice(), [None | Some("shape")]);
            if own && items.iter().all(|item| item.taken(Kind::Count).is_some()) {
                return None;
            }
            items.iter().collect()
        }
        [one] if word == "reshape" && one.taken(Kind::Count).is_some() => return None,
        all => all.to_vec(),
    };
    let is_open = |value: &Value| {
        value.number() == Some(-1.0)
            || matches!(value, Value::Other(text) if ["size", "shape", "batch"].iter().any(|word| text.contains(word)))
    };
    let mut dims = inner.as_slice();
    if let [first, rest @ ..] = dims
        && !rest.is_empty()
        && is_open(first)
    {
        dims = rest;
    }
    let mut made = Correction {
        reasons: vec!["the batch is no dimension here".into()],
        foreign: (0..arguments.len()).collect(),
        ..Correction::default()
    };
    let reshaped = dims.len() < inner.len();
    if let [one] = dims
        && (is_open(one) || reshaped || word != "reshape")
    {
        made.calls = vec![Call::plain("flatten")];
        return Some(made);
    }
    if dims.iter().any(|dim| is_open(dim)) {
        made.reasons = vec!["every size is written as a number".into()];
        made.advice.push("for example `reshape([16, 4, 4])`".into());
        return Some(made);
    }
    let texts: Option<Vec<String>> =
        dims.iter().map(|dim| dim.taken(Kind::Count).flatten()).collect();
    let mut texts = texts?;
    let keras = word == "Reshape" || keys.contains(&Some("target_shape"));
    if keras && texts.len() == 3 {
        texts.rotate_right(1);
        made.reasons = vec!["channels come first".into()];
    } else if !reshaped {
        made.reasons = vec!["a shape stands in brackets".into()];
    }
    if !matches!(texts.len(), 1 | 3) {
        return None;
    }
    let shape = format!("[{}]", texts.join(", "));
    made.calls = vec![Call { keyword: "reshape", arguments: vec![(None, shape)] }];
    Some(made)
}

/// The layer that `Activation("relu")` is.
pub(super) fn activation_layer(arguments: &[Argument]) -> Option<Correction> {
    let first = arguments.first()?;
    let (Value::Text(text) | Value::Word(text) | Value::Other(text) | Value::Arithmetic(text)) =
        &first.value
    else {
        return None;
    };
    let word = words::activation(text)?;
    Some(Correction {
        reasons: vec!["an activation is a layer by its own name".into()],
        calls: vec![Call::plain(word)],
        foreign: vec![0],
        ..Correction::default()
    })
}
