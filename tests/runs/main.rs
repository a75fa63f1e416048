//! Runs of training: that they go on with the same bits, in a second call and in another process; what
//! ends them; what is written of them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod averages;
mod callbacks;
mod checkpoints;
mod going_on;
mod killed;
mod metrics;
mod support;
