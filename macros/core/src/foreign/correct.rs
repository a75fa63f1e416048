//! From a call in another library's words to one in ours.

use std::borrow::Cow;

use super::draft::{Draft, Given};
use super::signatures::signature;
use super::special;
use super::words::{self, Library, Meaning, keyword, plain};
use super::{Argument, Call, Correction, Input, Value, listed};
use crate::layers::{self, Default, Layer};

/// What to write for a layer by another library's word, or by ours in other letters: for our keyword
/// itself, only if the call is in another library's words.
pub fn correct_word(word: &str, arguments: &[Argument], input: Input) -> Option<Correction> {
    if plain(word) == "activation" {
        return special::activation_layer(arguments);
    }
    let keyword = keyword(word)?;
    let layer = layers::find(keyword)?;
    let arguments = &*channels_apart(word, layer, arguments);
    let mut correction = correct(word, layer, arguments, input).or_else(|| {
        let bare = arguments.is_empty() && word != keyword && layer.example() == keyword;
        bare.then(|| Correction { calls: vec![Call::plain(keyword)], ..Correction::default() })
    })?;
    if matches!(plain(word).as_str(), "dropout2d" | "spatialdropout2d") {
        correction.advice.push("it drops single numbers, not whole channels".into());
    }
    Some(correction)
}

/// Burn's `Conv2dConfig::new([3, 8], [5, 5])` has input and output channels in one argument.
fn channels_apart<'a>(word: &str, layer: &Layer, arguments: &'a [Argument]) -> Cow<'a, [Argument]> {
    let [Argument { key: None, value: Value::List(channels) }, others @ ..] = arguments else {
        return arguments.into();
    };
    if !word.ends_with("Config") || layer.position("out_channels").is_none() {
        return arguments.into();
    }
    let channels = channels.iter().map(|value| Argument { key: None, value: value.clone() });
    channels.chain(others.iter().cloned()).collect()
}

/// What to write in place of this call, if it is in another library's words: a layer of this kind,
/// written as `word`. Where `word` is not our keyword, every call is.
fn correct(
    word: &str,
    layer: &'static Layer,
    arguments: &[Argument],
    input: Input,
) -> Option<Correction> {
    if let Some(correction) = special::whole_call(word, layer, arguments, input) {
        return correction.filter(|correction| *correction != Correction::default());
    }
    let first_named = arguments.iter().position(|argument| argument.key.is_some());
    let mixed = |at: usize| arguments[at..].iter().any(|argument| argument.key.is_none());
    let mut keys = arguments.iter().filter_map(|argument| argument.key.as_deref());
    if first_named.is_some_and(mixed) && !keys.any(|key| words::is_argument(layer, key)) {
        return None;
    }
    let call = Written { word, layer, arguments, input };
    call.best().or_else(|| {
        // The value that runs through the net, as functions take it.
        let (first, rest) = arguments.split_first()?;
        let is_ours = |kind| first.value.taken(kind).flatten().is_some();
        let is_data = match &first.value {
            _ if layer.arguments.iter().any(|argument| is_ours(argument.kind)) => false,
            Value::Word(_) | Value::Other(_) => true,
            Value::Arithmetic(_) => layer.arguments.is_empty(),
            _ => false,
        };
        if first.key.is_some() || !is_data {
            return None;
        }
        let rest_call = Written { arguments: rest, ..call };
        let mut correction = rest_call.best().or_else(|| {
            let calls = vec![rest_call.as_ours()?];
            Some(Correction { calls, ..Correction::default() })
        })?;
        correction.foreign =
            [0].into_iter().chain(correction.foreign.iter().map(|i| i + 1)).collect();
        correction.reasons.insert(0, "each layer reads the one before it".into());
        Some(correction)
    })
}

/// Whether a layer's arguments are in our words, and all that it needs is there.
pub fn is_ours(layer: &'static Layer, arguments: &[Argument]) -> bool {
    let call = Written { word: layer.keyword, layer, arguments, input: Input::default() };
    let named = |argument: &Argument| {
        argument.key.as_deref().is_none_or(|key| layer.position(key).is_some())
    };
    arguments.iter().all(named) && call.as_ours().is_some() && call.best().is_none()
}

/// A call as it was written.
#[derive(Clone, Copy)]
struct Written<'a> {
    word: &'a str,
    layer: &'static Layer,
    arguments: &'a [Argument],
    input: Input,
}

/// In which order arguments without names stand.
#[derive(Clone, Copy, PartialEq)]
enum Order {
    /// Ours, those alone that may stand without.
    Own,
    /// Ours, as if all might.
    OwnAll,
    /// Another library's.
    Of(Library),
}

impl Written<'_> {
    fn best(&self) -> Option<Correction> {
        let keys = || self.arguments.iter().filter_map(|argument| argument.key.as_deref());
        let library = words::library_of(self.word, keys());
        let other = match library {
            Library::Torch => Library::Keras,
            Library::Keras => Library::Torch,
        };
        let is_own = self.word == self.layer.keyword;
        let is_plain = !self.word.chars().any(char::is_uppercase);
        // The first of three numbers is the number of input channels, if the second is no kernel.
        let positional = || self.arguments.iter().take_while(|argument| argument.key.is_none());
        let whole = |index: usize| positional().nth(index).and_then(|one| one.value.whole());
        let is_torch = positional().count() > 2
            && (whole(0) == self.input.channels || whole(1).is_some_and(|kernel| kernel > 11));
        // `conv2d(16, 3, 1, 1)` is no kernel of 1: the second is, and the third the stride.
        let is_ours = positional().count() > 3
            && self.input.channels.is_some_and(|channels| whole(0) != Some(channels))
            && whole(1).is_some_and(|kernel| (2..=7).contains(&kernel))
            && whole(2).is_some_and(|stride| stride <= 2);
        let orders = match is_own {
            _ if is_plain && is_ours => {
                let torch = Order::Of(Library::Torch);
                [Order::OwnAll, torch, Order::Of(Library::Keras), Order::Own]
            }
            true if is_torch => {
                let torch = Order::Of(Library::Torch);
                [Order::Own, torch, Order::Of(Library::Keras), Order::OwnAll]
            }
            true => [Order::Own, Order::Of(library), Order::Of(other), Order::OwnAll],
            false => [Order::Of(library), Order::Own, Order::OwnAll, Order::Of(other)],
        };
        let mut incomplete = None;
        for order in orders {
            let Some(draft) = self.draft(order) else { continue };
            match self.finish(draft) {
                Finished::Call(correction) => {
                    let same = correction.foreign.is_empty() && is_own;
                    if same && (order == Order::Own || self.surplus() < 2) {
                        return None;
                    }
                    return Some(self.with_other_reading(correction, order));
                }
                Finished::Incomplete(correction) => {
                    let named = self.arguments.iter().all(|argument| argument.key.is_some());
                    let told = !correction.foreign.is_empty();
                    incomplete = incomplete.or((named && told).then_some(correction));
                }
                Finished::Impossible(correction) if !correction.foreign.is_empty() => {
                    return Some(correction);
                }
                Finished::Impossible(_) | Finished::Not => {}
            }
        }
        incomplete
    }

    /// How many arguments more stand without a name than may.
    fn surplus(&self) -> usize {
        let positional = self.arguments.iter().filter(|argument| argument.key.is_none()).count();
        positional.saturating_sub(self.layer.positional)
    }

    /// The call if all of it is in our words.
    fn as_ours(&self) -> Option<Call> {
        match self.finish(self.draft(Order::Own)?) {
            Finished::Call(correction) => correction.calls.into_iter().next(),
            _ => None,
        }
    }

    /// Three numbers may also be in our order.
    fn with_other_reading(&self, mut correction: Correction, order: Order) -> Correction {
        let named = self.arguments.iter().any(|argument| argument.key.is_some());
        let first = self.arguments.first().and_then(|first| first.value.whole());
        let sure = first.is_some() && first == self.input.channels;
        let is_plain = !self.word.chars().any(char::is_uppercase);
        let is_other = matches!(order, Order::Of(_)) && is_plain;
        if !is_other || named || sure || self.arguments.len() != 3 || self.surplus() != 1 {
            return correction;
        }
        let own = self.draft(Order::OwnAll).map(|draft| self.finish(draft));
        if let Some(Finished::Call(own)) = own
            && let (Some(call), Some(name)) =
                (own.calls.into_iter().next(), self.layer.arguments.get(2))
            && correction.calls.first() != Some(&call)
        {
            let what = format!("a `{}` of {}", name.name, self.arguments[2].value);
            correction.or = Some((what, call));
        }
        correction
    }

    /// The arguments with the names that this order gives them.
    fn given(&self, order: Order) -> Option<Vec<Given<'_>>> {
        let own: Vec<&str> = self.layer.arguments.iter().map(|argument| argument.name).collect();
        let names = match order {
            Order::Own => &own[..self.layer.positional],
            Order::OwnAll => &own[..],
            Order::Of(library) => signature(library, self.layer.keyword),
        };
        let mut given = Vec::new();
        let has_value = |name: &str| {
            self.arguments.iter().any(|argument| argument.key.as_deref() == Some(name))
        };
        let is_mixed =
            self.arguments.windows(2).any(|two| two[0].key.is_some() && two[1].key.is_none());
        let mut names = names.iter().copied().filter(|name| !is_mixed || !has_value(name));
        for (index, argument) in self.arguments.iter().enumerate() {
            let name = match &argument.key {
                Some(key) => key.as_str(),
                None => names.next()?,
            };
            let by_name = argument.key.is_some();
            given.push(Given { name, value: &argument.value, index, by_name });
        }
        Some(given)
    }

    fn draft(&self, order: Order) -> Option<Draft> {
        let mut draft = Draft::new(self.layer);
        // A name of ours that has a value by its place is given twice, unless that is sure to be the
        // number of input channels.
        for given in self.given(order)? {
            self.one(&mut draft, order, &given)?;
        }
        if order != Order::Own && self.word == self.layer.keyword {
            let first = self.arguments.first().filter(|first| first.key.is_none());
            let ours = |argument: &Argument| {
                argument.key.as_deref().and_then(|key| self.layer.position(key))
            };
            let twice = self.arguments.iter().filter_map(ours).any(|index| index < 2);
            let other = first.and_then(|first| first.value.whole()).zip(self.input.channels);
            if twice && self.surplus() == 0 && other.is_some_and(|(one, other)| one != other) {
                return None;
            }
        }
        Some(draft)
    }

    fn one(&self, draft: &mut Draft, order: Order, given: &Given<'_>) -> Option<()> {
        let Given { name, value, index, by_name } = *given;
        let library = match order {
            Order::Of(library) => library,
            _ => words::library_of(
                self.word,
                self.arguments.iter().filter_map(|argument| argument.key.as_deref()),
            ),
        };
        if matches!(value, Value::Python(_) | Value::Nothing)
            || matches!(value, Value::Text(text) if text == "valid")
        {
            draft.made.foreign.push(index);
        }
        if let Some(done) = special::argument(draft, library, given, self.input) {
            return done;
        }
        // Wherever it stands, an activation is one where the layer has weights.
        let active = value.name().and_then(words::activation).is_some();
        let meaning = match words::meaning(self.layer, name) {
            _ if active && !by_name && self.layer.has_parameters() => Meaning::Activation,
            meaning => meaning,
        };
        // By its place alone an argument is what it is called only if its value can be.
        let fits = match (meaning, value) {
            _ if by_name => true,
            (Meaning::Activation, Value::Word(word)) => words::activation(word).is_some(),
            (Meaning::Before, value) => {
                matches!(
                    value,
                    Value::Whole(_) | Value::Arithmetic(_) | Value::Many(_) | Value::List(_)
                )
            }
            (Meaning::Nothing(..), value)
                if matches!(name, "start_dim" | "end_dim" | "dim" | "axis" | "seed") =>
            {
                matches!(value, Value::Whole(_) | Value::Number(_) | Value::Nothing)
            }
            (Meaning::Nothing(..), Value::Nothing) => true,
            (Meaning::Nothing(..), value) if name == "data_format" => {
                value.name().is_some_and(|text| text.starts_with("channels"))
            }
            (Meaning::Nothing(..), value) => matches!(value, Value::Flag(_) | Value::Python(_)),
            _ => true,
        };
        if !fits {
            return None;
        }
        match meaning {
            Meaning::Own(ours) => draft.set(ours, value.clone())?,
            Meaning::Renamed(ours) => {
                draft.set(ours, value.clone())?;
                draft.rename(given, ours);
            }
            Meaning::Near(ours) if by_name => {
                draft.set(ours, value.clone())?;
                if self.word != self.layer.keyword {
                    draft.rename(given, ours);
                } else {
                    draft.renamed.push((name.to_string(), ours));
                }
            }
            Meaning::Before => draft.take_before(index),
            Meaning::Activation => {
                if *value == Value::Nothing || value.name() == Some("linear") {
                    draft.made.foreign.push(index);
                    return Some(());
                }
                let text = match value {
                    Value::Text(text) | Value::Word(text) => text,
                    Value::Arithmetic(text) | Value::Other(text) => text,
                    _ => return None,
                };
                let Some(word) = words::activation(text) else {
                    if !by_name {
                        return None;
                    }
                    draft.reason(index, "an activation is a layer of its own");
                    draft.made.advice.push(format!("there is no layer `{text}` to put behind it"));
                    return Some(());
                };
                draft.behind.push(Call::plain(word));
                draft.reason(
                    index,
                    format!("an activation is a layer of its own: put `{word}` behind it"),
                );
                if word == "softmax" {
                    draft.made.advice.push(
                        "without `softmax` where the loss is `CrossEntropy`, which has it in it"
                            .into(),
                    );
                }
            }
            Meaning::Name => {
                draft.reason(index, "a layer's name stands before it");
                draft.made.name = value.name().and_then(|name| {
                    let word = syn::parse_str::<proc_macro2::Ident>(name).ok()?;
                    Some(word.to_string())
                });
            }
            Meaning::Nothing(why, lost) => {
                draft.leave_out(given, why, lost);
            }
            // Among names that are ours alone, it is a mistake of its own.
            Meaning::Unknown
                if by_name
                    && (self.word != self.layer.keyword || !self.all_others_are_ours(index)) =>
            {
                let what = format!("`{}` has no `{name}`", self.layer.keyword);
                draft.made.reasons.push(what);
            }
            Meaning::Near(_) | Meaning::Unknown => return None,
        }
        Some(())
    }

    /// Whether all other names are ours: then the unknown one is a mistake of its own.
    fn all_others_are_ours(&self, index: usize) -> bool {
        self.arguments.iter().enumerate().all(|(other, argument)| {
            other == index
                || argument.key.as_deref().is_none_or(|key| self.layer.position(key).is_some())
        })
    }

    fn finish(&self, mut draft: Draft) -> Finished {
        // Keras's pools have a default.
        let is_pool = self.layer.keyword.ends_with("pool2d");
        if is_pool && draft.value("kernel").is_none() && words::is_keras(self.word) {
            let _ = draft.set("kernel", Value::Whole(2));
        }
        if special::complete(&mut draft, self.input).is_none() {
            return Finished::Not;
        }
        let Draft { layer, values, mut made, behind, renamed, needless, before, .. } = draft;
        if draft.impossible && made.foreign.is_empty() {
            return Finished::Not;
        }
        let mut reasons = Vec::new();
        if before {
            let what = words::from_before(layer);
            reasons.push(format!("`{}` takes {what} from the layer before", layer.keyword));
        }
        if !renamed.is_empty() {
            let (theirs, ours): (Vec<String>, Vec<&str>) = renamed.into_iter().unzip();
            let verb = if theirs.len() > 1 { "are" } else { "is" };
            reasons.push(format!("{} {verb} called {} here", listed(&theirs), listed(&ours)));
        }
        if self.surplus() > 1 && self.word == layer.keyword && made.foreign.is_empty() {
            let first = layer.arguments.get(layer.positional).map_or("", |one| one.name);
            reasons.push(format!("from `{first}` on, arguments have their names"));
            made.foreign.extend(layer.positional..self.arguments.len());
        }
        let mut whys: Vec<(&str, Vec<String>)> = Vec::new();
        for (name, why) in needless {
            match whys.iter_mut().find(|(known, _)| *known == why) {
                Some((_, names)) => names.push(name),
                None => whys.push((why, vec![name])),
            }
        }
        for (why, names) in whys {
            let verb = if names.len() > 1 { "are" } else { "is" };
            reasons.push(format!("{} {verb} not needed: {why}", listed(&names)));
        }
        reasons.append(&mut made.reasons);
        let python = |value: &Option<Value>| matches!(value, Some(Value::Python(_)));
        if reasons.is_empty() && values.iter().any(python) {
            reasons.push("`true` and `false` begin with a small letter".into());
        }
        if reasons.is_empty() && !made.foreign.is_empty() {
            reasons.push("an argument without a value is left out".into());
        }
        let mut seen = Vec::new();
        reasons.retain(|reason| {
            !seen.contains(reason) && {
                seen.push(reason.clone());
                true
            }
        });
        made.reasons = reasons;
        if draft.impossible {
            return Finished::Impossible(made);
        }
        if let Some(call) = draft.replaced {
            made.calls = vec![call];
            made.calls.extend(behind);
            return Finished::Call(made);
        }
        let mut arguments = Vec::new();
        for (index, (value, argument)) in values.iter().zip(layer.arguments).enumerate() {
            let text = match value.as_ref().map(|value| value.taken(argument.kind)) {
                Some(Some(text)) => text,
                Some(None) => return Finished::Not,
                None => None,
            };
            let Some(text) = text else {
                if argument.default == Default::Required {
                    let example = layer.example();
                    let name = argument.name;
                    made.advice.push(format!("`{name}` is missing: for example `{example}`"));
                    made.calls = Vec::new();
                    return Finished::Incomplete(made);
                }
                continue;
            };
            let leads = index == 0 && layer.positional > 0 && argument.name != "kernel";
            let pool = index == 0 && layer.keyword.ends_with("pool2d");
            arguments.push(((!leads && !pool).then_some(argument.name), text));
        }
        made.calls = vec![Call { keyword: layer.keyword, arguments }];
        made.calls.extend(behind);
        Finished::Call(made)
    }
}

/// What became of a draft.
enum Finished {
    /// A call.
    Call(Correction),
    /// Reasons, but a required argument is missing.
    Incomplete(Correction),
    /// Reasons, and no call that does what was meant.
    Impossible(Correction),
    /// Nothing.
    Not,
}
