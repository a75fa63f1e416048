use std::cell::RefCell;

use rand::{Rng, RngExt};
use rand_distr::{Beta, Distribution};
use typenet_engine::Flat;

use super::{Examples, View};
use crate::data::MixedLabel;
use crate::{Error, Normalization, Result, random};

/// The streams of a seed that mix images start here, apart from those that change single ones.
const EPOCHS: u64 = (3 << 61) + (1 << 60);

/// Examples that are mixed with one another: what [`Examples::mixup`] returns.
#[derive(Clone, PartialEq, Debug)]
pub struct Mixup<S> {
    source: S,
    beta: Beta<f64>,
    seed: u64,
}

thread_local! {
    /// The inputs that are mixed in.
    static OTHERS: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
}

impl<S> Mixup<S> {
    pub(super) fn new(source: S, alpha: f64, seed: u64) -> Result<Self> {
        let beta = Beta::new(alpha, alpha).ok().filter(|_| alpha.is_finite());
        let beta = beta.ok_or_else(|| {
            let (value, expected) = (alpha.to_string(), "a finite number above 0");
            Error::Argument { name: "alpha", value, expected }
        })?;
        Ok(Mixup { source, beta, seed })
    }

    /// The examples without mixing.
    pub fn source(&self) -> &S {
        &self.source
    }

    /// Which of the `len` examples is mixed in, and the share of the one at `index`.
    fn draw(&self, key: u64, index: usize, len: usize) -> (usize, f32) {
        let mut random = random::generator(key, index as u64);
        let share = self.beta.sample(&mut random) as f32;
        (random.random_range(0..len), share)
    }

    fn key(&self, epoch: usize) -> u64 {
        random::generator(self.seed, EPOCHS.wrapping_add(epoch as u64)).next_u64()
    }
}

impl<I: Flat, S: Examples<I, usize>> Examples<I, MixedLabel> for Mixup<S> {
    fn len(&self) -> usize {
        self.source.len()
    }

    fn class_names(&self) -> &[String] {
        self.source.class_names()
    }

    fn normalization(&self) -> Option<&Normalization> {
        self.source.normalization()
    }

    fn place(&self, index: usize) -> String {
        self.source.place(index)
    }

    fn target(&self, view: View, index: usize) -> Result<MixedLabel> {
        let label = self.source.target(view, index)?;
        let View::Epoch(epoch) = view else { return Ok(MixedLabel::from(label)) };
        let (other, share) = self.draw(self.key(epoch), index, self.len());
        Ok(MixedLabel { label, other: self.source.target(view, other)?, share })
    }

    fn inputs_into(&self, view: View, indices: &[usize], numbers: &mut [f32]) -> Result<()> {
        self.source.inputs_into(view, indices, numbers)?;
        let View::Epoch(epoch) = view else { return Ok(()) };
        let key = self.key(epoch);
        // Taken, not borrowed: the source may mix as well.
        let mut others = OTHERS.take();
        others.resize(I::LEN, 0.0);
        let mut mix = |(input, &index): (&mut [f32], &usize)| {
            let (other, share) = self.draw(key, index, self.len());
            self.source.inputs_into(view, &[other], &mut others)?;
            input.iter_mut().zip(&others).for_each(|(x, other)| {
                *x = share * *x + (1.0 - share) * other;
            });
            Ok(())
        };
        let mixed = numbers.chunks_exact_mut(I::LEN).zip(indices).try_for_each(&mut mix);
        OTHERS.set(others);
        mixed
    }
}
