//! Numbers that are not finite.

use typenet_shape::size_of_number;

use super::header::{Header, Tensor};

/// Says which tensor of the file holds such numbers, and the first of them.
pub(super) fn not_finite(header: &Header, bytes: &[u8]) -> Option<String> {
    let mut wrong = header.tensors.iter().filter_map(|tensor| {
        let size = size_of_number(&tensor.dtype)?;
        let [start, end] = tensor.range;
        let numbers = bytes.get(header.start..)?.get(start..end)?.chunks_exact(size);
        let is_wrong = |number: &[u8]| is_not_finite(&tensor.dtype, number);
        let at = numbers.clone().position(is_wrong)?;
        Some((tensor, at, numbers.filter(|number| is_wrong(number)).count()))
    });
    let (tensor, at, count) = wrong.next()?;
    let others = wrong.count();
    let more = match others {
        0 => String::new(),
        1 => ", and so are some of 1 other tensor".to_owned(),
        _ => format!(", and so are some of {others} other tensors"),
    };
    let of = tensor.shape.iter().product::<usize>();
    let what = if count == 1 { "number is" } else { "numbers are" };
    let place = place(tensor, at);
    Some(format!(
        "{count} {what} not finite in `{}` (of {of}), the first at {place}{more}",
        tensor.name
    ))
}

/// Whether it is infinite or NaN, as an F32: in the other types all ones in the exponent say so.
fn is_not_finite(dtype: &str, number: &[u8]) -> bool {
    match *number {
        [a, b] => {
            let exponent = if dtype == "F16" { 0x7c00 } else { 0x7f80 };
            u16::from_le_bytes([a, b]) & exponent == exponent
        }
        [a, b, c, d] => u32::from_le_bytes([a, b, c, d]) & 0x7f80_0000 == 0x7f80_0000,
        [a, b, c, d, e, f, g, h] => {
            !(f64::from_le_bytes([a, b, c, d, e, f, g, h]) as f32).is_finite()
        }
        _ => false,
    }
}

/// The position of a tensor's number, as `[0, 3]`.
fn place(tensor: &Tensor, mut at: usize) -> String {
    let mut position = vec![0; tensor.shape.len()];
    for (place, &size) in position.iter_mut().zip(&tensor.shape).rev() {
        *place = at % size.max(1);
        at /= size.max(1);
    }
    format!("{position:?}")
}
