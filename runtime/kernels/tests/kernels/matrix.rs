//! Products of plain matrices against plain loops in f64, on every instruction set.

use crate::support::*;
use proptest::prelude::*;
use typenet_kernels::Isa;
use typenet_kernels::matrix::{Sizes, product, transpose};
use typenet_kernels::team::Team;

fn check(sizes: Sizes, adds: bool, seed: u64) {
    let Sizes { rows, depth, columns, a_step } = sizes;
    let mut random = Random::new(seed);
    let mut a = random.numbers(rows * a_step);
    // What lies behind a row is not read.
    for row in a.chunks_exact_mut(a_step) {
        row[depth..].fill(f32::NAN);
    }
    let (b, before) = (random.numbers(depth * columns), random.numbers(rows * columns));
    let mut expected = vec![0.0; rows * columns];
    let mut sums_of_magnitudes = expected.clone();
    for (index, (sum, magnitude)) in expected.iter_mut().zip(&mut sums_of_magnitudes).enumerate() {
        let (i, j) = (index / columns, index % columns);
        *sum = if adds { f64::from(before[index]) } else { 0.0 };
        for k in 0..depth {
            let term = f64::from(a[i * a_step + k]) * f64::from(b[k * columns + j]);
            *sum += term;
            *magnitude += term.abs() + 1.0;
        }
    }
    for isa in Isa::available() {
        let start = if adds { before.clone() } else { vec![f32::NAN; before.len()] };
        let mut alone = start.clone();
        product(isa, &Team::alone(), sizes, &a, &b, &mut alone, adds);
        for ((found, e), magnitude) in alone.iter().zip(&expected).zip(&sums_of_magnitudes) {
            let error = (f64::from(*found) - e).abs();
            assert!(error <= 1e-6 * (magnitude + 1.0), "{isa} {sizes:?}: {found}, not {e}");
        }
        let mut shared = start;
        Team::gather(3, |team| product(isa, team, sizes, &a, &b, &mut shared, adds));
        let bits = |numbers: &[f32]| numbers.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&alone), bits(&shared), "{isa} {sizes:?}");
    }
}

proptest! {
    #![proptest_config(config(60))]

    #[test]
    fn products(
        rows in 1usize..60, depth in 1usize..70, blocks in 1usize..20, behind in 0usize..20,
        adds: bool, seed: u64,
    ) {
        check(Sizes { rows, depth, columns: 16 * blocks, a_step: depth + behind }, adds, seed);
    }

    #[test]
    fn transposes(rows in 1usize..50, columns in 1usize..50, more in 0usize..17, seed: u64) {
        let from = Random::new(seed).numbers(rows * (columns + 3));
        let mut to = vec![f32::NAN; columns * (rows + more)];
        transpose(rows, columns, &from, columns + 3, &mut to, rows + more);
        for (index, &number) in to.iter().enumerate() {
            let (j, i) = (index / (rows + more), index % (rows + more));
            let expected = if i < rows { from[i * (columns + 3) + j] } else { 0.0 };
            prop_assert_eq!(number, expected);
        }
    }
}
