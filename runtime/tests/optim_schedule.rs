//! The values of the learning rate's schedules.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use typenet_runtime::optim::Schedule;

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
