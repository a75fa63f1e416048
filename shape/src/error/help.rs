use super::ShapeError;
use crate::counts::{bordered, reach};
use crate::{Shape, Text};

impl ShapeError {
    /// A way out, or an empty text.
    pub const fn help(&self) -> Text {
        let text = Text::new();
        match self {
            ShapeError::NeedsImage { .. } => {
                text.str("move it before `flatten`, where the value is still an image")
            }
            ShapeError::NeedsFeatures { .. } => {
                text.str("put `flatten` (or `global_avg_pool`) before it")
            }
            ShapeError::KernelTooLarge { kernel, dilation, padding, input } => {
                let mut fits = [0; 2];
                let mut wider = [0; 2];
                let mut axis = 0;
                while axis < 2 {
                    let padded = bordered(input[axis], padding[axis]);
                    fits[axis] = padded.saturating_sub(1) / dilation[axis] + 1;
                    let missing = reach(kernel[axis], dilation[axis]).saturating_sub(input[axis]);
                    wider[axis] = missing.div_ceil(2);
                    if wider[axis] < padding[axis] {
                        wider[axis] = padding[axis];
                    }
                    // Where the kernel fits along this axis, leave it as it is.
                    if fits[axis] > kernel[axis] {
                        fits[axis] = kernel[axis];
                    }
                    axis += 1;
                }
                let text = text.str("use `kernel = ").argument(fits).str("` or less");
                if wider[0] <= kernel[0] / 2 && wider[1] <= kernel[1] / 2 {
                    text.str(", or `padding = ").argument(wider).str("`")
                } else {
                    text
                }
            }
            ShapeError::PoolPadding { kernel, .. } => text
                .str("use `padding = ")
                .argument([kernel[0] / 2, kernel[1] / 2])
                .str("` or less"),
            ShapeError::NumGroups { num_groups, channels } => {
                choices(text.str("use "), "num_groups", around(*num_groups, *channels))
            }
            ShapeError::Reshape { from, to } => reshaped(from.elements(), to),
            ShapeError::ReshapeRank { from: Some(from), to } => reshaped(from.elements(), to),
            ShapeError::ReshapeRank { from: None, to } => reshaped(to.elements(), to),
            ShapeError::SameStride { .. } => {
                text.str("give numbers: half of an odd kernel, `padding = 1` for kernel 3, say")
            }
            ShapeError::OutputPadding { output_padding, stride, dilation } => {
                let (mut fits, mut axis) = (*output_padding, 0);
                while axis < 2 {
                    let (step, gap) = (stride[axis], dilation[axis]);
                    let most = if step > gap { step } else { gap }.saturating_sub(1);
                    if fits[axis] > most {
                        fits[axis] = most;
                    }
                    axis += 1;
                }
                text.str("use `output_padding = ").argument(fits).str("` or less")
            }
            ShapeError::NothingLeft { padding, whole } => {
                let (mut fits, mut axis) = (*padding, 0);
                while axis < 2 {
                    let most = whole[axis].saturating_sub(1) / 2;
                    if fits[axis] > most {
                        fits[axis] = most;
                    }
                    axis += 1;
                }
                text.str("use `padding = ").argument(fits).str("` or less")
            }
            ShapeError::AlignCorners => text.str("leave it out, or write `mode = bilinear`"),
            ShapeError::Groups { groups, in_channels, out_channels } => {
                let both = match in_channels {
                    Some(channels) => common(*channels, *out_channels),
                    None => *out_channels,
                };
                let text = choices(text.str("use "), "groups", around(*groups, both));
                let of_input = match in_channels {
                    Some(channels) => channels.is_multiple_of(*groups),
                    None => true,
                };
                if !of_input {
                    return text;
                }
                let below = *out_channels / *groups * *groups;
                choices(text.str(", or "), "out_channels", [below, below.saturating_add(*groups)])
            }
            ShapeError::NetInput { takes, found, .. } => match (takes.rank(), found.rank()) {
                (1, 3) if takes.dim(0) == found.elements() => text.str("put `flatten` before it"),
                (3, 1) if takes.elements() == found.dim(0) => {
                    text.str("put `reshape(").shape(takes).str(")` before it")
                }
                _ => text,
            },
            ShapeError::Own { help, .. } => text.str(help),
            _ => text,
        }
    }
}

/// `` `groups = 2` or `groups = 4` ``. One of them at least is not 0.
const fn choices(mut text: Text, argument: &str, [below, above]: [usize; 2]) -> Text {
    if below > 0 {
        text = text.str("`").str(argument).str(" = ").number(below).str("`");
    }
    if below > 0 && above > 0 {
        text = text.str(" or ");
    }
    if above > 0 {
        text = text.str("`").str(argument).str(" = ").number(above).str("`");
    }
    text
}

/// The largest number that divides two.
const fn common(mut a: usize, mut b: usize) -> usize {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// The next numbers below and above `near` that divide `number`; 0 where there is none. This runs in
/// constants: of a number larger than any count of channels it may miss the next ones.
const fn around(near: usize, number: usize) -> [usize; 2] {
    let ([mut below, mut above], mut i) = ([0, 0], 1);
    while i <= 1 << 16 && i <= number / i {
        if number.is_multiple_of(i) {
            let mut pair = [i, number / i];
            while pair[0] > 0 {
                let [divisor, other] = pair;
                if divisor < near && divisor > below {
                    below = divisor;
                }
                if divisor > near && (above == 0 || divisor < above) {
                    above = divisor;
                }
                pair = [other, 0];
            }
        }
        i += 1;
    }
    [below, above]
}

/// A shape like `to` that holds so many numbers.
const fn reshaped(count: usize, to: &Shape) -> Text {
    let (mut text, mut fits) = (Text::new(), false);
    let mut dims = match *to.dims() {
        [height, width] => [1, height, width],
        [channels, height, width] => [channels, height, width],
        [_, channels, height, width] => {
            text = text.str("leave the batch out, and ");
            [channels, height, width]
        }
        _ => return text.str("write `reshape([").number(count).str("])`"),
    };
    // One of the numbers follows from the other two: that of the channels first.
    let mut axis = 0;
    while axis < 3 {
        let others = Shape::new(&[dims[(axis + 1) % 3], dims[(axis + 2) % 3]]).elements();
        if others > 0 && count.is_multiple_of(others) {
            dims[axis] = count / others;
            text = text.str("write `reshape(").shape(&Shape::new(&dims)).str(")`");
            fits = true;
            break;
        }
        axis += 1;
    }
    if !fits {
        text = text.str("choose numbers whose product is ").number(count);
    }
    text.str(", or write `reshape([").number(count).str("])`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn divisors_next_to_a_number_are_found() {
        assert_eq!(around(4, 6), [3, 6]);
        assert_eq!(around(3, 8), [2, 4]);
        assert_eq!(around(9, 8), [8, 0]);
        assert_eq!(around(2, 1), [1, 0]);
        assert_eq!(around(1 << 20, 2_147_483_647), [1, 2_147_483_647]);
        for (near, number) in [(5, 36), (7, 360), (100, 97 * 89), (64, 1 << 20)] {
            let divides = |n: &usize| number % n == 0;
            let below = (1..near).rev().find(divides).unwrap_or(0);
            let above = (near + 1..=number).find(divides).unwrap_or(0);
            assert_eq!(around(near, number), [below, above], "{near} {number}");
        }
    }
}
