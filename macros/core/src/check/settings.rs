//! The values of a layer's arguments.

use typenet_shape::Op;

use crate::layers::{Default, Given, Layer};
use crate::number::{Number, shape_text};

/// The value of an argument, in which some numbers may be known only to the compiler.
#[derive(Clone, PartialEq, Debug)]
pub struct Setting {
    /// The value, with 1 for each number that is not known here.
    pub given: Given,
    /// Its numbers, if one of them is not known here; otherwise empty.
    pub numbers: Vec<Number>,
}

impl From<Given> for Setting {
    fn from(given: Given) -> Setting {
        Setting { given, numbers: Vec::new() }
    }
}

impl Setting {
    /// A count, or height and width, or a shape: `kind` says which for numbers that are all 1.
    pub(super) fn of(numbers: Vec<Number>, kind: fn(&[usize]) -> Given) -> Setting {
        let known: Vec<usize> = numbers.iter().map(|number| number.known().unwrap_or(1)).collect();
        let all = numbers.iter().all(|number| number.known().is_some());
        Setting { given: kind(&known), numbers: if all { Vec::new() } else { numbers } }
    }

    /// Whether a number in it is not known here.
    pub fn is_symbolic(&self) -> bool {
        !self.numbers.is_empty()
    }

    /// Its numbers: one for a count, two for height and width.
    pub fn numbers(&self) -> Vec<Number> {
        if self.is_symbolic() {
            return self.numbers.clone();
        }
        match self.given {
            Given::Count(count) => vec![Number::from(count)],
            Given::Pair(pair) => pair.map(Number::from).to_vec(),
            Given::Shape(shape) => shape.dims().iter().map(|&dim| Number::from(dim)).collect(),
            Given::Word(_) | Given::Flag(_) | Given::Number(_) => Vec::new(),
        }
    }
}

impl std::fmt::Display for Setting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.numbers.as_slice(), self.given) {
            ([], given) => write!(f, "{given}"),
            (dims, Given::Shape(_)) => f.write_str(&shape_text(dims)),
            ([height, width], _) if height != width => write!(f, "({height}, {width})"),
            ([number, ..], _) => write!(f, "{number}"),
        }
    }
}

/// The operation for these values.
pub(super) fn build(layer: &Layer, settings: &[Setting]) -> Op {
    let given: Vec<Given> = settings.iter().map(|setting| setting.given).collect();
    (layer.build)(&given)
}

/// The arguments as a user would write them, without those that have their defaults.
pub(super) fn write(layer: &Layer, settings: &[Setting]) -> String {
    let mut texts = Vec::new();
    for (index, (argument, setting)) in layer.arguments.iter().zip(settings).enumerate() {
        let usual = match argument.default {
            Default::Required => None,
            Default::Value(value) => Some(value.into()),
            Default::SameAs(other) => layer.position(other).map(|other| settings[other].clone()),
        };
        if usual.as_ref() != Some(setting) {
            texts.push(match index {
                0 if layer.positional > 0 => setting.to_string(),
                _ => format!("{} = {setting}", argument.name),
            });
        }
    }
    texts.join(", ")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::layers::find;
    use crate::number::Atom;

    #[test]
    fn defaults_are_left_out_when_a_layer_is_written() {
        let pool = find("max_pool2d").unwrap();
        let pair = |n| Setting::from(Given::Pair([n, n]));
        assert_eq!(write(pool, &[pair(2), pair(2), pair(0)]), "2");
        assert_eq!(
            write(pool, &[pair(3), pair(2), Given::Pair([0, 1]).into()]),
            "3, stride = 2, padding = (0, 1)"
        );
        let gelu = find("gelu").unwrap();
        assert_eq!(write(gelu, &[Given::Word("tanh").into()]), "approximate = tanh");
        let upsample = find("upsample").unwrap();
        let mut all = vec![pair(2), Given::Word("nearest").into(), Given::Flag(false).into()];
        assert_eq!(write(upsample, &all), "");
        // The first number that is not known here is 1, as the default of many arguments.
        let symbol = Number::from(Atom::Symbol(0, "crate::K".into()));
        all[0] = Setting::of(vec![symbol.clone(), Number::from(3)], |n| Given::Pair([n[0], n[1]]));
        assert_eq!(all[0].given, Given::Pair([1, 3]));
        assert_eq!(write(upsample, &all), "(crate::K, 3)");
        let kernel = Setting::of(vec![symbol.clone(), symbol], |n| Given::Pair([n[0], n[1]]));
        assert_eq!(write(pool, &[kernel.clone(), kernel, pair(0)]), "crate::K");
    }
}
