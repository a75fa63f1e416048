//! Linear layers, packing and unpacking, on every instruction set.

use crate::support::*;
use proptest::prelude::*;
use typenet_kernels::team::{Crew, Team};
use typenet_kernels::{Isa, LANES, Lanes, linear, pack, unpack};
use typenet_shape::Activation;

const BOUND: f64 = 1e-5;

fn check(inputs: usize, outputs: usize, with_bias: bool, seed: u64) {
    let mut random = Random::new(seed);
    let x = random.lanes(inputs);
    let dy = random.lanes(outputs);
    let weight = random.numbers(inputs * outputs);
    let bias = with_bias.then(|| random.numbers(outputs));
    for isa in Isa::available() {
        let what = format!("{isa} {inputs} to {outputs}");
        for f in [Activation::Identity, Activation::Relu, Activation::Sigmoid] {
            let mut y = poison(outputs);
            linear::forward(isa, &x, &weight, bias.as_deref(), f, &mut y);
            // Any value of the output's shape can be added: the gradient will do.
            let mut sum = poison(outputs);
            linear::forward_and_add(isa, &x, &weight, bias.as_deref(), Some(&dy), f, &mut sum);
            let expected = |lane: usize, adds: bool| {
                let x = image(&x, lane);
                let row = |(o, row): (usize, &[f32])| {
                    let start = bias.as_ref().map_or(0.0, |bias| f64::from(bias[o]));
                    let start = start + if adds { f64::from(dy[o].0[lane]) } else { 0.0 };
                    let v = wide(row).iter().zip(&x).map(|(w, x)| w * x).sum::<f64>() + start;
                    match f {
                        Activation::Relu => v.max(0.0),
                        Activation::Sigmoid => 1.0 / (1.0 + (-v).exp()),
                        _ => v,
                    }
                };
                weight.chunks(inputs).enumerate().map(row).collect()
            };
            let name = format!("{what} forward {f:?}");
            assert_lanes_close(&y, BOUND, &name, |lane| expected(lane, false));
            assert_lanes_close(&sum, BOUND, &name, |lane| expected(lane, true));
        }
        let mut dx = poison(inputs);
        linear::backward_data(isa, &dy, &weight, &mut dx);
        let mut sum = x.clone();
        let crew = &mut Crew::alone(&mut []);
        linear::backward_data_by(isa, crew, &dy, &weight, true, &mut sum);
        let expected = |lane: usize, add: f64| {
            let (dy, x) = (image(&dy, lane), image(&x, lane));
            let column = |i| {
                let products =
                    dy.iter().enumerate().map(|(o, d)| d * f64::from(weight[o * inputs + i]));
                products.sum::<f64>() + add * x[i]
            };
            (0..inputs).map(column).collect()
        };
        let name = format!("{what} data gradient");
        assert_lanes_close(&dx, BOUND, &name, |lane| expected(lane, 0.0));
        assert_lanes_close(&sum, BOUND, &name, |lane| expected(lane, 1.0));
        let (mut dw, mut db) = (vec![0.5; weight.len()], vec![-0.25; outputs]);
        linear::backward_weight(isa, &x, &dy, &mut dw, Some(&mut db));
        let product = |at: usize| {
            let (d, v) = (dy[at / inputs].0, x[at % inputs].0);
            0.5 + d.iter().zip(v).map(|(&d, v)| f64::from(d) * f64::from(v)).sum::<f64>()
        };
        let expected: Vec<f64> = (0..dw.len()).map(product).collect();
        assert_close(&wide(&dw), &expected, BOUND, &format!("{what} weight gradient"));
        let sum = |d: &Lanes| d.0.iter().map(|&d| f64::from(d)).sum::<f64>() - 0.25;
        let expected: Vec<f64> = dy.iter().map(sum).collect();
        let added = dy.iter().flat_map(|d| d.0);
        assert_bias_gradient(&db, &expected, added, BOUND, &what);
    }
}

#[test]
fn every_output_count_up_to_40() {
    for outputs in 1..=40 {
        check(3, outputs, true, 1);
    }
}

#[test]
fn every_input_count_up_to_140() {
    for inputs in 1..=140 {
        check(inputs, 1 + inputs % 7, false, 2);
    }
}

#[test]
fn layers_of_real_nets() {
    check(256, 120, true, 3);
    check(84, 10, true, 4);
}

/// The weight gradient of groups that stand `gap` numbers further apart than they are long.
fn check_groups(count: usize, sizes: [usize; 2], gap: usize, threads: usize, seed: u64) {
    let [inputs, outputs] = sizes;
    let step = inputs.max(outputs) + gap;
    let mut random = Random::new(seed);
    let (x, dy) = (random.lanes(step * count), random.lanes(step * count));
    let groups = linear::Groups { x: &x, dy: &dy, step, count, inputs, outputs };
    let sum = |of: &dyn Fn(usize) -> f64| (0..count * LANES).map(of).sum::<f64>();
    let dy = |o: usize, k: usize| f64::from(dy[k / LANES * step + o].0[k % LANES]);
    let x = |i: usize, k: usize| f64::from(x[k / LANES * step + i].0[k % LANES]);
    let expected: Vec<f64> = (0..outputs)
        .flat_map(|o| (0..inputs).map(move |i| (o, i)))
        .map(|(o, i)| sum(&|k| dy(o, k) * x(i, k)))
        .collect();
    let more: Vec<f64> = expected.iter().map(|dw| dw + 0.5).collect();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
    for isa in Isa::available() {
        let what = format!("{isa} {count} groups of {inputs} to {outputs} on {threads} threads");
        let mut dw = vec![f32::NAN; outputs * inputs];
        let run = |accumulate, dw: &mut [f32]| {
            pool.install(|| {
                Team::gather(threads, |team| {
                    linear::backward_weight_of_groups(isa, team, &groups, accumulate, dw);
                });
            });
        };
        run(false, &mut dw);
        assert_close(&wide(&dw), &expected, BOUND, &format!("{what}: weight"));
        dw.fill(0.5);
        run(true, &mut dw);
        assert_close(&wide(&dw), &more, BOUND, &format!("{what}: weight, added"));
    }
}

#[test]
fn groups_of_any_number_add_up() {
    for count in 0..20 {
        check_groups(count, [70, 13], 3, 1, 7);
    }
    check_groups(8, [784, 256], 0, 2, 8);
    check_groups(9, [150, 300], 0, 3, 9);
}

proptest! {
    #![proptest_config(config(40))]

    #[test]
    fn random_groups(
        count in 1..12usize, inputs in 1..150usize, outputs in 1..40usize, gap in 0..5usize,
        threads in 1..4usize, seed: u64,
    ) {
        check_groups(count, [inputs, outputs], gap, threads, seed);
    }

    #[test]
    fn random_sizes(inputs in 1..200usize, outputs in 1..100usize, bias: bool, seed: u64) {
        check(inputs, outputs, bias, seed);
    }

    #[test]
    fn packing_puts_images_side_by_side(len in 1..70usize, images in 0..=LANES, seed: u64) {
        let rows = Random::new(seed).numbers(len * images);
        let mut lanes = poison(len);
        pack(&rows, &mut lanes);
        for (i, lanes) in lanes.iter().enumerate() {
            for image in 0..LANES {
                let expected = if image < images { rows[image * len + i] } else { 0.0 };
                prop_assert_eq!(lanes.0[image], expected);
            }
        }
        let mut back = vec![f32::NAN; rows.len()];
        unpack(&lanes, &mut back);
        prop_assert_eq!(back, rows);
    }
}

#[test]
#[should_panic(expected = "whole images")]
fn seventeen_images_are_too_many() {
    pack(&[0.0; 34], &mut poison(2));
}

#[test]
#[should_panic(expected = "the weight's length")]
fn a_wrong_length_is_refused() {
    let x = Random::new(5).lanes(3);
    linear::forward(Isa::Portable, &x, &[0.0; 5], None, Activation::Identity, &mut poison(2));
}
