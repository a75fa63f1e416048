use super::expression::{Expression, Function, Over, Relation, Symbol};

/// How a formula is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Style {
    /// Unicode, for a terminal: `∂L/∂x · (1 − y²)`.
    Text,
    /// LaTeX: `\frac{\partial L}{\partial x} \cdot (1 - y^2)`.
    Latex,
}

/// What the values of a layer are called.
#[derive(Clone, Copy, Debug)]
pub struct Names<'a> {
    /// What it reads.
    pub x: &'a str,
    /// What it gives.
    pub y: &'a str,
    /// Its own name, for its parameters: `conv1.weight`; nothing where they are `γ` and `β`.
    pub layer: &'a str,
}

impl Names<'_> {
    /// `x` and `y`.
    pub const PLAIN: Names<'static> = Names { x: "x", y: "y", layer: "" };
}

/// A name in a formula: `\mathrm{conv1}` in LaTeX, but a single letter as it is.
pub(crate) fn name(name: &str, style: Style) -> String {
    match style {
        Style::Text => name.to_owned(),
        Style::Latex if name.chars().count() == 1 => name.to_owned(),
        Style::Latex => format!("\\mathrm{{{}}}", name.replace('_', "\\_")),
    }
}

/// `∂L/∂x`
pub(crate) fn gradient(of: &str, style: Style) -> String {
    match style {
        Style::Text => format!("∂L/∂{of}"),
        Style::Latex => format!("\\frac{{\\partial L}}{{\\partial {}}}", name(of, style)),
    }
}

/// How tightly something holds together: what is looser stands in parentheses.
const SUM: u8 = 0;
const PRODUCT: u8 = 1;
const FACTOR: u8 = 2;
const ATOM: u8 = 3;

impl Expression {
    /// The formula with these names.
    pub fn render(&self, style: Style, names: Names<'_>) -> String {
        self.written(style, names).0
    }

    fn within(&self, least: u8, style: Style, names: Names<'_>) -> String {
        let (text, own) = self.written(style, names);
        match (own >= least, style) {
            (true, _) => text,
            (false, Style::Text) => format!("({text})"),
            (false, Style::Latex) => format!("\\left({text}\\right)"),
        }
    }

    fn written(&self, style: Style, names: Names<'_>) -> (String, u8) {
        let of = |what: &Expression, least: u8| what.within(least, style, names);
        let is_text = style == Style::Text;
        let minus = if is_text { "−" } else { "-" };
        match self {
            Expression::Number(number) if *number < 0.0 => (format!("{minus}{}", -number), PRODUCT),
            Expression::Number(number) => (number.to_string(), ATOM),
            Expression::Symbol(symbol) => symbol.written(style, names),
            Expression::Negative(a) => (format!("{minus}{}", of(a, PRODUCT)), SUM),
            Expression::Sum(a, b) => (format!("{} + {}", of(a, SUM), of(b, SUM)), SUM),
            Expression::Difference(a, b) => {
                (format!("{} {minus} {}", of(a, SUM), of(b, PRODUCT)), SUM)
            }
            Expression::Product(a, b) => {
                let dot = if is_text { "·" } else { "\\cdot" };
                // What stands behind a sign of a sum would be taken for a part of it.
                let least = if matches!(**a, Expression::Over(..)) { FACTOR } else { PRODUCT };
                (format!("{} {dot} {}", of(a, least), of(b, PRODUCT)), PRODUCT)
            }
            Expression::Quotient(a, b) if is_text => {
                // A sum reaches as far as it can.
                let least = if matches!(**b, Expression::Over(..)) { PRODUCT } else { FACTOR };
                (format!("{} / {}", of(a, PRODUCT), of(b, least)), PRODUCT)
            }
            Expression::Quotient(a, b) => {
                (format!("\\frac{{{}}}{{{}}}", of(a, SUM), of(b, SUM)), FACTOR)
            }
            Expression::Power(a, n) if is_text => {
                let digits = ["⁰", "¹", "²", "³", "⁴"];
                let n = digits.get(usize::from(*n)).map_or(format!("^{n}"), ToString::to_string);
                (format!("{}{n}", of(a, ATOM)), FACTOR)
            }
            Expression::Power(a, n) => (format!("{}^{{{n}}}", of(a, ATOM)), FACTOR),
            Expression::Call(function, a) => function.written(a, style, names),
            Expression::Larger(a, b) | Expression::Smaller(a, b) => {
                let largest = matches!(self, Expression::Larger(..));
                let word = if largest { "max" } else { "min" };
                let (a, b) = (of(a, SUM), of(b, SUM));
                let slash = if is_text { "" } else { "\\" };
                (format!("{slash}{word}({a}, {b})"), ATOM)
            }
            Expression::Is(relation, a, b) => {
                let (a, b) = (of(a, SUM), of(b, SUM));
                let inner = match (relation, is_text) {
                    (Relation::Greater, _) => format!("{a} > {b}"),
                    (Relation::Less, _) => format!("{a} < {b}"),
                    (Relation::First, true) => format!("{a} is the first equal to {b}"),
                    (Relation::First, false) => {
                        format!("{a} \\text{{ is the first equal to }} {b}")
                    }
                };
                (format!("[{inner}]"), ATOM)
            }
            Expression::Over(over, a) => {
                let (word, least) = match (over, is_text) {
                    (Over::Sum, true) => ("Σ ", PRODUCT),
                    (Over::Sum, false) => ("\\sum ", PRODUCT),
                    (Over::Mean, true) => ("mean ", FACTOR),
                    (Over::Mean, false) => ("\\operatorname{mean} ", FACTOR),
                    (Over::Largest, true) => ("max ", FACTOR),
                    (Over::Largest, false) => ("\\max ", FACTOR),
                };
                (format!("{word}{}", of(a, least)), PRODUCT)
            }
        }
    }
}

impl Symbol {
    fn written(self, style: Style, names: Names<'_>) -> (String, u8) {
        let is_text = style == Style::Text;
        let pick = |text: &str, latex: &str| if is_text { text } else { latex }.to_owned();
        let parameter = |kind: &str, plain: String| match (names.layer, style) {
            ("", _) => plain,
            (layer, style) => name(&format!("{layer}.{kind}"), style),
        };
        let text = match self {
            Symbol::X => name(names.x, style),
            Symbol::Y => name(names.y, style),
            Symbol::Gradient => {
                return (gradient(names.y, style), if is_text { FACTOR } else { ATOM });
            }
            Symbol::Target => "t".to_owned(),
            Symbol::Weight => parameter("weight", pick("γ", "\\gamma")),
            Symbol::Bias => parameter("bias", pick("β", "\\beta")),
            Symbol::Count => "n".to_owned(),
            Symbol::Mean => pick("μ", "\\mu"),
            Symbol::Deviation => pick("σ", "\\sigma"),
            Symbol::Normalized => pick("x̂", "\\hat x"),
            Symbol::Weighted => "q".to_owned(),
            Symbol::Largest => "m".to_owned(),
            Symbol::Inner => "u".to_owned(),
            Symbol::Argument("π", _) => pick("π", "\\pi"),
            Symbol::Argument(argument, _) => name(argument, style),
        };
        (text, ATOM)
    }
}

impl Function {
    fn written(self, a: &Expression, style: Style, names: Names<'_>) -> (String, u8) {
        let inner = |least: u8| a.within(least, style, names);
        let is_text = style == Style::Text;
        match (self, is_text) {
            (Function::Exp, true) => (format!("e^{}", inner(ATOM)), FACTOR),
            (Function::Exp, false) => (format!("e^{{{}}}", inner(SUM)), FACTOR),
            (Function::Ln, _) => {
                let word = if is_text { "ln" } else { "\\ln" };
                let least = if matches!(a, Expression::Over(..)) { PRODUCT } else { FACTOR };
                (format!("{word} {}", inner(least)), PRODUCT)
            }
            (Function::Root, true) => (format!("√{}", inner(ATOM)), FACTOR),
            (Function::Root, false) => (format!("\\sqrt{{{}}}", inner(SUM)), ATOM),
            (Function::Tanh, true) => (format!("tanh({})", inner(SUM)), ATOM),
            (Function::Tanh, false) => (format!("\\tanh({})", inner(SUM)), ATOM),
            (Function::Logistic, true) => (format!("sigmoid({})", inner(SUM)), ATOM),
            (Function::Logistic, false) => {
                (format!("\\operatorname{{sigmoid}}({})", inner(SUM)), ATOM)
            }
            (Function::Normal, true) => (format!("Φ({})", inner(SUM)), ATOM),
            (Function::Normal, false) => (format!("\\Phi({})", inner(SUM)), ATOM),
            (Function::NormalDensity, true) => (format!("φ({})", inner(SUM)), ATOM),
            (Function::NormalDensity, false) => (format!("\\varphi({})", inner(SUM)), ATOM),
            (Function::Magnitude, _) => (format!("|{}|", inner(SUM)), ATOM),
        }
    }
}
