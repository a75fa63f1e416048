//! A net in the browser: `examples/web/build` compiles it to WebAssembly, and lays the page beside it.
//!
//! The page writes a drawing into memory of this module and asks what it shows. Three functions are
//! all that both sides need, so there is no generated glue between them.

use std::sync::{Mutex, MutexGuard, PoisonError};

use half::f16;
use typenet::prelude::*;
use typenet_digit_page::{DigitNet, Picture, input};

/// The most pixels of a drawing.
const MOST_PIXELS: usize = 1 << 22;
const CLASSES: usize = 10;
const INPUT: usize = 64;

struct State {
    pixels: Vec<u8>,
    /// The probabilities, and what the net saw.
    answer: [f32; CLASSES + INPUT],
    /// Read at the first drawing.
    net: Option<DigitNet>,
}

static STATE: Mutex<State> =
    Mutex::new(State { pixels: Vec::new(), answer: [0.0; CLASSES + INPUT], net: None });

fn state() -> MutexGuard<'static, State> {
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where the bytes of a drawing of `length` pixels go: its address stays until the next call. Null where
/// they would be too many.
#[unsafe(no_mangle)]
pub extern "C" fn pixels(length: usize) -> *mut u8 {
    if length > MOST_PIXELS {
        return std::ptr::null_mut();
    }
    let mut state = state();
    state.pixels.clear();
    state.pixels.resize(length, 0);
    state.pixels.as_mut_ptr()
}

/// What the drawing that was written to [`pixels`] shows: the address of ten probabilities, and behind
/// them of the 8×8 numbers that the net saw. Null where nothing is drawn, or the size is another.
#[unsafe(no_mangle)]
pub extern "C" fn predict(width: usize, height: usize) -> *const f32 {
    let mut state = state();
    let State { pixels, answer, net } = &mut *state;
    match probabilities(net, width, height, pixels) {
        Some((probabilities, input)) => {
            answer[..CLASSES].copy_from_slice(&probabilities);
            answer[CLASSES..].copy_from_slice(input.as_flattened().as_flattened());
            answer.as_ptr()
        }
        None => std::ptr::null(),
    }
}

fn probabilities(
    net: &mut Option<DigitNet>,
    width: usize,
    height: usize,
    pixels: &[u8],
) -> Option<([f32; CLASSES], Input<DigitNet>)> {
    let input = input(&Picture::new(width, height, pixels)?)?;
    Some((net.get_or_insert_with(trained).probabilities(&input), input))
}

/// The net with its parameters in the form in which they are downloaded: half as long, and read without the
/// code that reads weight files, which is as long as they are. The example `train_digits` writes them.
fn trained() -> DigitNet {
    let mut net = DigitNet::seeded(0);
    let (halves, _) = include_bytes!("../parameters.f16").as_chunks();
    for (parameter, &half) in net.parameters_flat_mut().iter_mut().zip(halves) {
        *parameter = f16::from_le_bytes(half).to_f32();
    }
    net
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parameters_are_those_of_the_weight_file() {
        let net = DigitNet::pretrained();
        let rounded = net.parameters_flat().iter().map(|&x| f16::from_f32(x).to_f32());
        assert!(rounded.eq(trained().parameters_flat().iter().copied()));
    }

    /// Both tests, since there is one state.
    #[test]
    fn a_drawing_is_read_and_nonsense_is_not() {
        assert!(pixels(usize::MAX).is_null());
        assert!(predict(usize::MAX, 2).is_null());
        assert!(!pixels(100).is_null());
        assert!(predict(10, 10).is_null(), "nothing is drawn");
        // A seven.
        for (i, shade) in state().pixels.iter_mut().enumerate() {
            let (row, column) = (i / 10, i % 10);
            *shade = if (row == 1 && (2..8).contains(&column))
                || (row > 0 && row < 9 && column == 8 - row / 2)
            {
                255
            } else {
                0
            };
        }
        assert!(predict(10, 9).is_null(), "another size");
        assert!(!predict(10, 10).is_null());
        let state = state();
        let probabilities = &state.answer[..CLASSES];
        assert!((probabilities.iter().sum::<f32>() - 1.0).abs() < 1e-5);
        assert!(probabilities[7] > 0.5, "{probabilities:?}");
    }
}
