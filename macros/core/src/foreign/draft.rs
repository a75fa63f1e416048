//! A call in our words while it is being made.

use super::{Call, Correction, Value};
use crate::layers::Layer;

/// A call in our words that is being made.
pub(super) struct Draft {
    pub(super) layer: &'static Layer,
    /// The values of our arguments.
    pub(super) values: Vec<Option<Value>>,
    pub(super) made: Correction,
    pub(super) behind: Vec<Call>,
    pub(super) renamed: Vec<(String, &'static str)>,
    pub(super) needless: Vec<(String, &'static str)>,
    pub(super) before: bool,
    /// The input channels, where the call gives them.
    pub(super) channels: Option<usize>,
    /// Keras's `padding = "same"`, for a layer that pads by numbers.
    pub(super) same: bool,
    /// No call does what was meant.
    pub(super) impossible: bool,
    /// Another call stands in its place.
    pub(super) replaced: Option<Call>,
}

/// An argument with the name that its place gives it.
pub(super) struct Given<'a> {
    pub(super) name: &'a str,
    pub(super) value: &'a Value,
    pub(super) index: usize,
    pub(super) by_name: bool,
}

impl Draft {
    pub(super) fn new(layer: &'static Layer) -> Draft {
        Draft {
            layer,
            values: vec![None; layer.arguments.len()],
            made: Correction::default(),
            behind: Vec::new(),
            renamed: Vec::new(),
            needless: Vec::new(),
            before: false,
            channels: None,
            same: false,
            impossible: false,
            replaced: None,
        }
    }

    /// Sets one of our arguments; `None` if it has a value, or takes no such value.
    pub(super) fn set(&mut self, name: &str, value: Value) -> Option<()> {
        let index = self.layer.position(name)?;
        value.taken(self.layer.arguments[index].kind)?;
        let place = &mut self.values[index];
        if place.is_some() {
            return None;
        }
        *place = Some(value);
        Some(())
    }

    pub(super) fn value(&self, name: &str) -> Option<&Value> {
        self.values[self.layer.position(name)?].as_ref()
    }

    pub(super) fn reason(&mut self, index: usize, reason: impl Into<String>) {
        self.made.foreign.push(index);
        self.made.reasons.push(reason.into());
    }

    pub(super) fn take_before(&mut self, index: usize) {
        self.before = true;
        self.made.foreign.push(index);
    }

    pub(super) fn rename(&mut self, given: &Given<'_>, ours: &'static str) {
        if given.by_name {
            self.renamed.push((given.name.to_string(), ours));
            self.made.foreign.push(given.index);
        }
    }

    /// Leaves an argument out; `lost` is what is then left out where it says more than the usual.
    pub(super) fn leave_out(&mut self, given: &Given<'_>, why: &'static str, lost: &'static str) {
        let usual = given.value.is_off() || matches!(given.value.name(), Some("zeros"));
        if lost.is_empty() || usual {
            self.needless.push((given.name.to_string(), why));
            self.made.foreign.push(given.index);
        } else {
            let what = format!("`{}` has no `{}`", self.layer.keyword, given.name);
            self.reason(given.index, what);
            self.made.advice.push(lost.into());
        }
    }
}
