/// No type has it: what the compiler says to `Net::new()`.
#[diagnostic::on_unimplemented(
    message = "a new `{Self}` starts from random weights, and they need a seed",
    label = "no seed",
    note = "help: write `{Self}::seeded(42)`; the same seed gives the same weights"
)]
pub trait WithoutSeed {}
