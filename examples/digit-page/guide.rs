//! The program of `docs/web.md`.

use std::sync::Mutex;

use typenet::prelude::*;

network! {
    #[weights("digits.safetensors")]
    pub struct Digits: [1, 8, 8] -> [10] {
        conv1: conv2d(16, kernel = 3, padding = 1), relu,
        conv2: conv2d(32, kernel = 3, padding = 1), relu,
        max_pool2d(2),
        flatten,
        dropout(0.25),
        fc1: linear(64), relu,
        fc2: linear(10),
    }
}

struct State {
    pixels: [f32; 64],
    probabilities: [f32; 10],
    net: Option<Digits>,
}

static STATE: Mutex<State> =
    Mutex::new(State { pixels: [0.0; 64], probabilities: [0.0; 10], net: None });

/// Where the page writes 8×8 numbers.
#[unsafe(no_mangle)]
pub extern "C" fn pixels() -> *mut f32 {
    STATE.lock().map_or(std::ptr::null_mut(), |mut state| state.pixels.as_mut_ptr())
}

/// Where it reads ten probabilities.
#[unsafe(no_mangle)]
pub extern "C" fn predict() -> *const f32 {
    let Ok(mut state) = STATE.lock() else { return std::ptr::null() };
    let State { pixels, probabilities, net } = &mut *state;
    let net = net.get_or_insert_with(Digits::pretrained);
    let Ok(input) = Digits::input(pixels) else { return std::ptr::null() };
    *probabilities = net.probabilities(input);
    state.probabilities.as_ptr()
}
