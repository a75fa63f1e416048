//! Keras's `padding = "same"` where windows do not move by one.

use super::draft::Draft;
use super::{Input, Value};

/// Keras's `padding = "same"` of a pooling layer: `⌈n / stride⌉` windows, of which as much lies before the
/// input as behind it, or one place less, and that counts in no average.
pub(super) fn windows(draft: &mut Draft, input: Input) -> Option<()> {
    let kernel = draft.value("kernel")?.sides();
    let stride = match draft.value("stride") {
        None | Some(Value::Nothing) => kernel,
        Some(stride) => stride.sides(),
    };
    let all = kernel.zip(stride).and_then(|(kernel, stride)| border(kernel, stride, input));
    let Some(all) = all else {
        draft.impossible = true;
        draft.made.advice.push(match stride.is_some_and(|stride| stride.contains(&1)) {
            true => {
                "both sides have as much padding, so that an odd `kernel` keeps the size".into()
            }
            false => "for example `padding = 1`".into(),
        });
        return Some(());
    };
    if all.map(|all| all / 2) != [0, 0] {
        let [height, width] = all.map(|all| Value::Whole(all / 2));
        draft.set("padding", Value::Many(vec![height, width]))?;
        if draft.layer.position("count_include_pad").is_some() {
            draft.set("count_include_pad", Value::Flag(false))?;
        }
    }
    if all.iter().any(|all| all % 2 == 1) {
        draft.set("ceil_mode", Value::Flag(true))?;
    }
    Some(())
}

/// How many places lie before and behind the input for `⌈n / stride⌉` windows; `None` if that cannot be
/// written here.
fn border(kernel: [usize; 2], stride: [usize; 2], input: Input) -> Option<[usize; 2]> {
    let mut all = [0; 2];
    for axis in 0..2 {
        let (kernel, stride) = (kernel[axis].max(1), stride[axis].max(1));
        all[axis] = match input.size {
            Some(size) => {
                let others = size[axis].div_ceil(stride).saturating_sub(1);
                others.checked_mul(stride)?.checked_add(kernel)?.saturating_sub(size[axis])
            }
            // As many windows for every size.
            None if kernel % 2 == 1 || stride <= 2 => kernel - 1,
            None if kernel == stride => 1,
            None => return None,
        };
        // One place more behind the input is another window only where they lie apart.
        if all[axis] % 2 == 1 && stride == 1 {
            return None;
        }
    }
    let equal = |pair: [usize; 2]| pair[0] == pair[1];
    (input.size.is_some() || (equal(kernel) && equal(stride))).then_some(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use typenet_shape::{Pool2d, Shape};

    /// What is written for Keras's `same` has its windows where Keras has them.
    #[test]
    fn same_windows_are_keras_windows() {
        let sides = || (1..=7).flat_map(|kernel| (1..=8).map(move |stride| (kernel, stride)));
        for (n, (kernel, stride)) in (1..=20).flat_map(|n| sides().map(move |side| (n, side))) {
            let windows = usize::div_ceil(n, stride);
            let all_around = ((windows - 1) * stride + kernel).saturating_sub(n);
            let pool = |all: usize| Pool2d {
                padding: [all / 2; 2],
                stride: [stride; 2],
                ceil_mode: all % 2 == 1,
                ..Pool2d::new(Shape::new(&[1, n, n]), [kernel; 2])
            };
            let output = Ok(Shape::new(&[1, windows, windows]));
            for size in [Some([n, n]), None] {
                let input = Input { channels: None, size };
                let Some(all) = border([kernel; 2], [stride; 2], input) else {
                    let beyond = all_around % 2 == 1 && stride == 1;
                    assert!(beyond || size.is_none(), "{kernel}, {stride} on {n}");
                    continue;
                };
                assert_eq!(pool(all[0]).output(), output, "{kernel}, {stride} on {n}");
                if size.is_some() {
                    assert_eq!(all[0], all_around);
                }
            }
        }
    }
}
