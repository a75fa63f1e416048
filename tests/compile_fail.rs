//! What the compiler says to mistakes in a declaration: `tests/ui/*.rs` with the expected `.stderr`.
//! After a change of messages, `TRYBUILD=overwrite cargo test --test compile_fail` writes them anew;
//! read every one of them.

#[test]
fn mistakes_are_explained_at_the_word_that_is_wrong() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
