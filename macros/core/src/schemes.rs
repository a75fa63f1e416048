//! The table of schemes that `#[init(…)]` takes, with their arguments. PyTorch's names and defaults.

use typenet_shape::Scheme;

/// What an argument of a scheme takes.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Value {
    /// A number that must be written.
    Required,
    /// A number with a default.
    Number(f32),
    /// Which fan: `fan_in` (the default, 0) or `fan_out` (1).
    Mode,
}

/// A scheme.
#[derive(Debug)]
pub struct Kind {
    /// The word in `#[init(…)]`.
    pub word: &'static str,
    /// Its arguments in positional order. `gain` is a factor on any scheme's weights.
    pub arguments: &'static [(&'static str, Value)],
    /// Which tensors it can start.
    pub of: Of,
    /// Builds the scheme from the values of its arguments.
    pub build: fn(&[f32]) -> Scheme,
}

/// Which tensors a scheme can start.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Of {
    /// Any.
    Any,
    /// The weights of convolutions and linear layers: it needs a fan, or a matrix.
    Factors,
    /// The weights of a first convolution.
    FirstConvolution,
}

const MEAN: (&str, Value) = ("mean", Value::Number(0.0));
const STD: (&str, Value) = ("std", Value::Number(1.0));
const GAIN: (&str, Value) = ("gain", Value::Number(1.0));
const MODE: (&str, Value) = ("mode", Value::Mode);

fn kaiming_uniform(values: &[f32]) -> Scheme {
    if values[0] == 0.0 { Scheme::KaimingUniform } else { Scheme::KaimingUniformFanOut }
}

fn kaiming_normal(values: &[f32]) -> Scheme {
    if values[0] == 0.0 { Scheme::KaimingNormal } else { Scheme::KaimingNormalFanOut }
}

const fn of_factors(
    word: &'static str,
    arguments: &'static [(&'static str, Value)],
    build: fn(&[f32]) -> Scheme,
) -> Kind {
    Kind { word, arguments, of: Of::Factors, build }
}

const fn of_any(
    word: &'static str,
    arguments: &'static [(&'static str, Value)],
    build: fn(&[f32]) -> Scheme,
) -> Kind {
    Kind { word, arguments, of: Of::Any, build }
}

/// All schemes.
pub static SCHEMES: &[Kind] = &[
    of_factors("kaiming_uniform", &[MODE], kaiming_uniform),
    of_factors("kaiming_normal", &[MODE], kaiming_normal),
    of_factors("kaiming", &[MODE], kaiming_uniform),
    of_factors("xavier_uniform", &[GAIN], |_| Scheme::XavierUniform),
    of_factors("xavier_normal", &[GAIN], |_| Scheme::XavierNormal),
    of_factors("xavier", &[GAIN], |_| Scheme::XavierUniform),
    of_factors("orthogonal", &[GAIN], |_| Scheme::Orthogonal),
    of_factors("dirac", &[], |_| Scheme::Dirac),
    of_factors("pytorch_default", &[], |_| Scheme::PyTorchDefault),
    Kind {
        word: "whitening",
        arguments: &[("eps", Value::Number(5e-4))],
        of: Of::FirstConvolution,
        build: |values| Scheme::Whitening { eps: values[0] },
    },
    of_any("normal", &[MEAN, STD], |values| Scheme::Normal { mean: values[0], std: values[1] }),
    of_any(
        "trunc_normal",
        &[MEAN, STD, ("a", Value::Number(-2.0)), ("b", Value::Number(2.0))],
        |values| Scheme::TruncNormal {
            mean: values[0],
            std: values[1],
            a: values[2],
            b: values[3],
        },
    ),
    of_any("uniform", &[("a", Value::Number(0.0)), ("b", Value::Number(1.0))], |values| {
        Scheme::Uniform { a: values[0], b: values[1] }
    }),
    of_any("constant", &[("val", Value::Required)], |values| Scheme::Constant { val: values[0] }),
    of_any("zeros", &[], |_| Scheme::Constant { val: 0.0 }),
    of_any("ones", &[], |_| Scheme::Constant { val: 1.0 }),
];

/// What others call a scheme, with our word.
pub const SCHEMES_ELSEWHERE: &[(&str, &str)] = &[
    ("he", "kaiming_uniform"),
    ("he_uniform", "kaiming_uniform"),
    ("he_normal", "kaiming_normal"),
    ("glorot", "xavier_uniform"),
    ("glorot_uniform", "xavier_uniform"),
    ("glorot_normal", "xavier_normal"),
    ("truncated_normal", "trunc_normal"),
    ("gaussian", "normal"),
    ("random_normal", "normal"),
    ("random_uniform", "uniform"),
    ("zero", "zeros"),
    ("one", "ones"),
    ("eye", "dirac"),
    ("identity", "dirac"),
    ("delta_orthogonal", "orthogonal"),
    ("whiten", "whitening"),
    ("default", "pytorch_default"),
    ("pytorch", "pytorch_default"),
];

/// What others call an argument of a scheme, with our word.
pub const ARGUMENTS_ELSEWHERE: &[(&str, &str)] = &[
    ("value", "val"),
    ("stddev", "std"),
    ("scale", "std"),
    ("sigma", "std"),
    ("low", "a"),
    ("high", "b"),
    ("minval", "a"),
    ("maxval", "b"),
    ("epsilon", "eps"),
];

/// The scheme of this word.
pub fn find(word: &str) -> Option<&'static Kind> {
    SCHEMES.iter().find(|kind| kind.word == word)
}

/// What is wrong with a scheme's numbers, if anything is: the argument, and what it must be.
pub fn wrong(scheme: Scheme) -> Option<(&'static str, &'static str)> {
    match scheme {
        Scheme::Normal { std, .. } | Scheme::TruncNormal { std, .. } if std < 0.0 => {
            Some(("std", "is 0 or more"))
        }
        Scheme::TruncNormal { a, b, .. } | Scheme::Uniform { a, b } if a >= b => {
            Some(("b", "is more than `a`"))
        }
        Scheme::Whitening { eps } if eps <= 0.0 => Some(("eps", "is more than 0")),
        _ => None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn words_of_other_libraries_lead_to_words_of_ours() {
        for (other, ours) in SCHEMES_ELSEWHERE {
            assert!(find(ours).is_some() && find(other).is_none(), "{other}");
        }
        for (_, ours) in ARGUMENTS_ELSEWHERE {
            let has = |kind: &Kind| kind.arguments.iter().any(|(name, _)| name == ours);
            assert!(SCHEMES.iter().any(has), "{ours}");
        }
    }

    #[test]
    fn the_mode_of_kaiming_is_its_fan() {
        let build = |word: &str, mode: f32| (find(word).unwrap().build)(&[mode]);
        assert_eq!(build("kaiming_normal", 0.0), Scheme::KaimingNormal);
        assert_eq!(build("kaiming_normal", 1.0), Scheme::KaimingNormalFanOut);
        assert_eq!(build("kaiming", 1.0), Scheme::KaimingUniformFanOut);
    }
}
