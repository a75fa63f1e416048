//! The values of the learning rate's schedules.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use typenet_runtime::optim::{OneCycle, Plateau, Schedule};

#[track_caller]
fn values(schedule: &Schedule, expected: &[(f64, f64)]) {
    assert!(schedule.check().is_ok());
    for &(epoch, factor) in expected {
        let found = schedule.factor(epoch);
        assert!((found - factor).abs() <= 1e-12, "at {epoch}: {found}, not {factor}");
    }
}

#[test]
fn constant_is_one() {
    values(&Schedule::constant(), &[(0.0, 1.0), (0.5, 1.0), (1e6, 1.0)]);
    values(&Schedule::default(), &[(0.0, 1.0)]);
}

#[test]
fn step_falls_after_every_so_many_epochs() {
    let schedule = Schedule::step(2, 0.1);
    values(&schedule, &[(0.0, 1.0), (1.99, 1.0), (2.0, 0.1), (3.5, 0.1), (4.0, 0.01)]);
    values(&Schedule::step(1, 0.5), &[(1e12, 0.0)]);
    values(&Schedule::step(1, 0.0), &[(0.0, 1.0), (1.0, 0.0)]);
}

#[test]
fn milestones_fall_at_each() {
    let schedule = Schedule::milestones(&[3, 5], 0.5);
    values(&schedule, &[(0.0, 1.0), (2.9, 1.0), (3.0, 0.5), (4.9, 0.5), (5.0, 0.25), (9.0, 0.25)]);
    values(&Schedule::milestones(&[], 0.5), &[(9.0, 1.0)]);
}

#[test]
fn cosine_ends_at_zero_and_stays_there() {
    let third = 0.5 * (1.0 + 0.5);
    values(&Schedule::cosine(6), &[(0.0, 1.0), (2.0, third), (3.0, 0.5), (6.0, 0.0), (7.0, 0.0)]);
}

#[test]
fn a_function_is_called_with_the_epoch() {
    values(&Schedule::function(|epoch| 1.0 / (1.0 + epoch)), &[(0.0, 1.0), (3.0, 0.25)]);
}

#[test]
fn warmup_rises_from_a_hundredth() {
    let schedule = Schedule::step(2, 0.1).warmup(4.0);
    values(&schedule, &[(0.0, 0.01), (1.0, 0.2575), (2.0, 0.0505), (4.0, 0.01)]);
    values(&Schedule::constant().warmup(0.5), &[(0.25, 0.505), (0.5, 1.0), (1.0, 1.0)]);
}

/// PyTorch's factors at the start of each epoch: what `LinearLR`, `PolynomialLR`, `ExponentialLR` and
/// `OneCycleLR` of torch 2.15 give an optimiser of rate 1.
#[track_caller]
fn epochs(schedule: impl Into<Schedule>, expected: &[f64]) {
    let pairs = expected.iter().enumerate().map(|(epoch, &factor)| (epoch as f64, factor));
    values(&schedule.into(), &pairs.collect::<Vec<_>>());
}

#[test]
fn linear_polynomial_and_exponential_are_pytorchs_at_whole_epochs() {
    epochs(Schedule::linear(0.25, 1.0, 4), &[0.25, 0.4375, 0.625, 0.8125, 1.0, 1.0, 1.0]);
    epochs(Schedule::polynomial(5, 2.0), &[1.0, 0.64, 0.36, 0.16, 0.04, 0.0, 0.0]);
    epochs(Schedule::exponential(0.9), &[1.0, 0.9, 0.81, 0.729]);
    // And smooth between them.
    values(&Schedule::linear(1.0, 0.0, 4), &[(0.5, 0.875), (3.0, 0.25), (9.0, 0.0)]);
    values(&Schedule::polynomial(5, 1.0), &[(2.5, 0.5)]);
    values(&Schedule::exponential(0.25), &[(0.5, 0.5), (1.5, 0.125)]);
    values(&Schedule::linear(0.0, 1.0, 2).warmup(1.0), &[(0.5, 0.25 * 0.505), (1.5, 0.75)]);
}

#[test]
fn a_cycle_is_pytorchs() {
    // Its step i of 11 is our epoch i of 10; its peak is at step 5 / 11 · 11 − 1 = 4.
    let cycle = OneCycle::new(10).pct_start(0.4);
    epochs(
        cycle,
        &[
            0.04,
            0.1805887450304573,
            0.52,
            0.8594112549695427,
            1.0,
            0.9330129698414118,
            0.750001,
            0.500002,
            0.250003,
            0.06699103015858822,
            4e-6,
            4e-6,
        ],
    );
    epochs(
        cycle.linear().div_factor(10.0).final_div_factor(100.0),
        &[0.1, 0.325, 0.55, 0.775, 1.0, 0.8335, 0.667, 0.5005, 0.334, 0.1675, 0.001],
    );
    values(&Schedule::one_cycle(10), &[(0.0, 0.04), (3.0, 1.0), (10.0, 4e-6)]);
}

/// What `ReduceLROnPlateau` of torch 2.15 makes of these losses, from a rate of 1.
#[test]
fn a_plateau_is_pytorchs() {
    let nan = f64::NAN;
    let losses = [
        1.0, 0.9, 0.95, 0.93, 0.92, 0.91, 0.8, 0.8, 0.8, 0.8, 0.8, 0.8, nan, 0.79, 0.795, 0.79,
        0.79, 0.79,
    ];
    #[track_caller]
    fn check(plateau: Plateau, numbers: &[f64], expected: &[f64]) {
        assert!(plateau.check().is_ok());
        let mut state = plateau.state();
        let mut rate = 1.0;
        for (i, (&number, expected)) in numbers.iter().zip(expected).enumerate() {
            rate *= state.observe(number);
            assert!((rate - expected).abs() <= 1e-12, "epoch {i}: {rate}, not {expected}");
        }
    }
    let rates = |changes: &[(usize, f64)]| -> Vec<f64> {
        let at =
            |i| changes.iter().rev().find(|(from, _)| *from <= i).map_or(1.0, |(_, rate)| *rate);
        (0..18).map(at).collect()
    };
    check(
        Plateau::new().patience(2).factor(0.5),
        &losses,
        &rates(&[(4, 0.5), (9, 0.25), (12, 0.125), (16, 0.0625)]),
    );
    check(
        Plateau::new().patience(1).factor(0.5).cooldown(2).min_factor(0.2),
        &losses,
        &rates(&[(3, 0.5), (8, 0.25), (12, 0.2)]),
    );
    check(
        Plateau::new().patience(1).threshold(0.1),
        &losses,
        &rates(&[(2, 0.1), (4, 0.01), (8, 1e-3), (10, 1e-4), (12, 1e-5), (14, 1e-6), (16, 1e-7)]),
    );
    let accuracies = [0.1, 0.2, 0.3, 0.3, 0.2, 0.4, 0.4, 0.4, 0.4001];
    let expected = [1.0, 1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0.25, 0.25];
    check(Plateau::new().patience(1).factor(0.5).maximize(true), &accuracies, &expected);
}

#[test]
fn wrong_arguments_of_a_plateau_are_refused() {
    for (plateau, message) in [
        (Plateau::new().factor(1.0), "`factor` = 1: a number between 0 and 1 is needed"),
        (Plateau::new().factor(f64::NAN), "`factor` = NaN: a number between 0 and 1 is needed"),
        (Plateau::new().threshold(-1.0), "`threshold` = -1: a finite number, 0 or more, is needed"),
        (Plateau::new().min_factor(2.0), "`min_factor` = 2: 0 to 1 is allowed"),
    ] {
        assert_eq!(plateau.check().unwrap_err().to_string(), message);
    }
}

#[test]
fn wrong_arguments_are_refused() {
    for (schedule, message) in [
        (Schedule::step(0, 0.1), "`every_epochs` = 0: 1 epoch or more is needed"),
        (Schedule::step(1, f64::NAN), "`factor` = NaN: a finite number, 0 or more, is needed"),
        (Schedule::step(1, -1.0), "`factor` = -1: a finite number, 0 or more, is needed"),
        (Schedule::milestones(&[2, 2], 0.1), "`epochs` = [2, 2]: milestones stand in rising order"),
        (
            Schedule::milestones(&[2], -0.5),
            "`factor` = -0.5: a finite number, 0 or more, is needed",
        ),
        (Schedule::cosine(0), "`epochs` = 0: 1 epoch or more is needed"),
        (
            Schedule::function(|_| f64::INFINITY),
            "`function(0)` = inf: a finite number, 0 or more, is needed",
        ),
        (Schedule::linear(1.0, 0.0, 0), "`epochs` = 0: 1 epoch or more is needed"),
        (Schedule::linear(-1.0, 0.0, 1), "`factor` = -1: a finite number, 0 or more, is needed"),
        (
            Schedule::linear(1.0, f64::NAN, 1),
            "`factor` = NaN: a finite number, 0 or more, is needed",
        ),
        (Schedule::polynomial(0, 1.0), "`epochs` = 0: 1 epoch or more is needed"),
        (Schedule::polynomial(1, -1.0), "`power` = -1: a finite number, 0 or more, is needed"),
        (
            Schedule::exponential(f64::INFINITY),
            "`gamma` = inf: a finite number, 0 or more, is needed",
        ),
        (Schedule::one_cycle(0), "`epochs` = 0: 1 epoch or more is needed"),
        (
            OneCycle::new(1).pct_start(1.0).into(),
            "`pct_start` = 1: a share between 0 and 1 is needed",
        ),
        (
            OneCycle::new(1).div_factor(0.0).into(),
            "`div_factor` = 0: a finite number above 0 is needed",
        ),
        (Schedule::constant().warmup(-1.0), "`warmup` = -1: a finite number of epochs, 0 or more"),
    ] {
        assert_eq!(schedule.check().unwrap_err().to_string(), message);
    }
}

#[test]
fn debug_says_what_it_is() {
    let schedule = Schedule::function(|_| 1.0).warmup(2.0);
    assert_eq!(format!("{schedule:?}"), "Schedule { curve: Function(..), warmup: 2.0 }");
}
