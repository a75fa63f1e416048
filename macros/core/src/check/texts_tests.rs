//! What messages say, with the user's numbers in them.
#![allow(clippy::unwrap_used)]

/// The messages of a declaration that can be read.
fn net(text: &str) -> Vec<String> {
    let (declaration, mistakes) = crate::parse::parse(text.parse().unwrap());
    assert!(mistakes.is_empty(), "{mistakes:?}");
    let (_, mistakes) = super::check(&declaration.unwrap());
    mistakes.into_iter().map(|mistake| mistake.message).collect()
}

fn layers(text: &str) -> Vec<String> {
    net(&format!("struct N: [8, 12, 12] -> [10] {{ {text}, global_avg_pool, linear(10) }}"))
}

/// The only message: its first line, and the help.
fn only(messages: &[String], from: &str) -> [String; 2] {
    assert_eq!(messages.len(), 1, "{from}: {messages:?}");
    let lines = || messages[0].lines();
    let help = lines().find_map(|line| line.strip_prefix("help: "));
    [lines().next().unwrap(), help.unwrap_or_default()].map(String::from)
}

#[test]
fn a_cycle_of_constants_is_one_mistake_with_its_members() {
    let each_other = "these constants are made of each other, a cycle: ";
    for (constants, message, first) in [
        ("const A: usize = A;", "constant `A` is made of itself, a cycle: A → A", "A"),
        ("const A: usize = 2 * (A + 1);", "constant `A` is made of itself, a cycle: A → A", "A"),
        ("const A: usize = B; const B: usize = A;", "A → B → A", "A"),
        ("const A: usize = B + B; const B: usize = -A;", "A → B → A", "A"),
        ("const A: usize = C; const B: usize = A; const C: usize = B;", "A → C → B → A", "A"),
        (
            "const D: usize = 3; const A: usize = B; const B: usize = D * C; const C: usize = A;",
            "A → B → C → A",
            "A",
        ),
    ] {
        let messages = layers(&format!("{constants} conv2d(A, kernel = 1)"));
        let said = only(&messages, constants);
        assert!(said[0].ends_with(message), "{said:?}");
        assert!(message.contains("itself") || said[0].starts_with(each_other), "{said:?}");
        assert_eq!(said[1], format!("give `{first}` a number: `const {first}: usize = 8;`, say"));
    }
}

#[test]
fn each_cycle_is_a_mistake_and_what_leads_to_one_is_none_of_its_own() {
    let messages = layers(
        "const A: usize = A; const B: usize = C; const C: usize = B; const E: usize = A; \
         conv2d(B, kernel = 1), conv2d(E, kernel = 1)",
    );
    assert_eq!(messages.len(), 2, "{messages:?}");
    // Without a way back it is the order alone.
    let messages = layers("const A: usize = B; const B: usize = 4; conv2d(A, kernel = 1)");
    assert_eq!(
        only(&messages, ""),
        ["`B` is used above its line", "a constant stands above its use"].map(String::from)
    );
}

#[test]
fn a_second_of_one_name_gives_the_line_of_the_first() {
    for (text, line) in [
        ("a: conv2d(2, 1),\n relu,\n a: conv2d(3, 1)", "a layer above, on line 1"),
        ("relu,\n a: conv2d(2, 1),\n b: relu,\n a: tanh", "a layer above, on line 2"),
        ("relu,\n a: repeat(2) { relu }\n a: repeat(2) { relu } relu", "a repeat above, on line 2"),
        ("relu,\n\n conv2d(2, 1), conv2d_1: conv2d(3, 1)", "an unnamed layer above, on line 3"),
        ("const A: usize = 1;\n const A: usize = 2; conv2d(A, 1)", "a constant above, on line 1"),
        ("block b() { relu }\n block b() { tanh } b, conv2d(1, 1)", "a block above, on line 1"),
    ] {
        let [message, _] = only(&layers(text), text);
        assert!(message.ends_with(line), "{message}");
    }
    let [message, _] = only(&layers("conv2d_2: conv2d(2, 1),\n conv2d(3, 1)"), "");
    assert!(message.ends_with("and a layer above, on line 1 has that name"), "{message}");
}

#[test]
fn what_does_not_divide_is_said_with_its_numbers_and_the_next_that_do() {
    for (text, message, help) in [
        (
            "c: conv2d(4, kernel = 1, groups = 3)",
            "`groups = 3` splits the channels into 3 equal parts, but neither the 8 input channels \
             nor the 4 output channels are divisible by 3",
            "use `groups = 2` or `groups = 4`",
        ),
        (
            "c: conv2d(6, kernel = 1, groups = 3)",
            "`groups = 3` splits the channels into 3 equal parts, but the 8 input channels are not \
             divisible by 3",
            "use `groups = 2`",
        ),
        (
            "c: conv2d(6, kernel = 1, groups = 4)",
            "`groups = 4` splits the channels into 4 equal parts, but the 6 output channels are not \
             divisible by 4",
            "use `groups = 2`, or `out_channels = 4` or `out_channels = 8`",
        ),
        (
            "c: conv_transpose2d(2, kernel = 1, groups = 8)",
            "`groups = 8` splits the channels into 8 equal parts, but the 2 output channels are not \
             divisible by 8",
            "use `groups = 2`, or `out_channels = 8`",
        ),
        (
            "c: group_norm(3)",
            "`num_groups = 3` splits the channels into 3 equal groups, but 8 channels are not \
             divisible by 3",
            "use `num_groups = 2` or `num_groups = 4`",
        ),
    ] {
        let said = only(&layers(text), text);
        assert_eq!(said, [format!("`c`: {message}"), help.into()]);
    }
}

#[test]
fn a_reshape_names_both_counts_and_a_way_out() {
    for (shape, message, help) in [
        (
            "[1151]",
            "a value of shape [8, 12, 12] has 1152 numbers, and [1151] holds 1151",
            "write `reshape([1152])`",
        ),
        (
            "[4, 12, 12]",
            "a value of shape [8, 12, 12] has 1152 numbers, and [4, 12, 12] holds 576",
            "write `reshape([8, 12, 12])`, or write `reshape([1152])`",
        ),
        (
            "[8, 9, 12]",
            "a value of shape [8, 12, 12] has 1152 numbers, and [8, 9, 12] holds 864",
            "write `reshape([8, 12, 12])`, or write `reshape([1152])`",
        ),
        (
            "[5, 7, 11]",
            "a value of shape [8, 12, 12] has 1152 numbers, and [5, 7, 11] holds 385",
            "choose numbers whose product is 1152, or write `reshape([1152])`",
        ),
        (
            "[8, 144]",
            "`shape` has 2 dimensions, but is [channels, height, width] or [features]",
            "write `reshape([1, 8, 144])`, or write `reshape([1152])`",
        ),
        (
            "[12, 12]",
            "`shape` has 2 dimensions, but is [channels, height, width] or [features]; a value of \
             shape [8, 12, 12] has 1152 numbers, and [12, 12] holds 144",
            "write `reshape([8, 12, 12])`, or write `reshape([1152])`",
        ),
        (
            "[1, 8, 12, 12]",
            "`shape` has 4 dimensions, but is [channels, height, width] or [features]",
            "leave the batch out, and write `reshape([8, 12, 12])`, or write `reshape([1152])`",
        ),
        (
            "[1, 8, 6, 12]",
            "`shape` has 4 dimensions, but is [channels, height, width] or [features]; a value of \
             shape [8, 12, 12] has 1152 numbers, and [1, 8, 6, 12] holds 576",
            "leave the batch out, and write `reshape([16, 6, 12])`, or write `reshape([1152])`",
        ),
    ] {
        let messages = net(&format!(
            "struct N: [8, 12, 12] -> [10] {{ c: reshape({shape}), flatten, linear(10) }}"
        ));
        assert_eq!(only(&messages, shape), [format!("`c`: {message}"), help.into()]);
    }
}

#[test]
fn a_sign_stands_at_its_number() {
    for (text, shown) in [
        ("conv2d(4, kernel = -3)", "`-3`"),
        ("conv2d(4, kernel = (-3, 2))", "`(-3, 2)`"),
        ("conv2d(4, kernel = 1, padding = [1, -3])", "`[1, -3]`"),
        ("conv2d(4, kernel = \"a - b\")", "`\"a - b\"`"),
        ("conv2d(4, kernel = {7 - 2, -2})", "7 - 2 , -2"),
        ("conv2d(4 - -3, kernel = 1)", "`4 - -3`"),
        ("const A: usize = -3; conv2d(A, kernel = 1)", "`-3`"),
        ("repeat(-3) { relu } relu", "`-3`"),
        ("block b(n) { conv2d(n, 1) } b(-3)", "`-3`"),
    ] {
        let messages = layers(text);
        assert!(messages[0].contains(shown), "{text}: {messages:?}");
    }
}

/// `wide` does not fit; what follows is wrong by itself.
#[test]
fn mistakes_behind_a_shape_mistake_are_found_where_they_need_no_size() {
    for (layer, message) in [
        ("conv2d(8, kernel = 3, groups = 3)", "neither the 16 input channels nor the 8 output"),
        ("conv2d(9, kernel = 3, groups = 3)", "but the 16 input channels are not divisible by 3"),
        ("conv2d(6, kernel = 3, groups = 4)", "but the 6 output channels are not divisible by 4"),
        ("relu, max_pool2d(2), conv_transpose2d(9, 3, groups = 3)", "but the 16 input channels"),
        ("flatten, reshape([4, 5, 5]), conv2d(8, kernel = 3, groups = 3)", "but the 8 output"),
        ("group_norm(5)", "but 16 channels are not divisible by 5"),
        ("group_norm(0)", "`num_groups` must be at least 1"),
        ("conv2d(8, kernel = 0)", "`kernel` must be at least 1"),
        ("conv2d(8, kernel = 3, stride = 0)", "`stride` must be at least 1"),
        ("conv2d(8, kernel = 3, dilation = (1, 0))", "`dilation` must be at least 1"),
        ("conv2d(8, kernel = 3, stride = 2, padding = same)", "keeps height and width"),
        ("max_pool2d(2, padding = 2)", "more than half of kernel"),
        ("avg_pool2d(3, stride = 0)", "`stride` must be at least 1"),
        ("conv_transpose2d(4, 3, output_padding = 1)", "output_padding 1 is not less than"),
        ("dropout(1.5)", "`p` is the share"),
        ("batch_norm(eps = 0.0)", "`eps` must be"),
        ("leaky_relu(-1)", "`negative_slope` must be"),
        ("upsample(0)", "`scale_factor` must be at least 1"),
        ("upsample(2, align_corners = true)", "`align_corners` is for"),
        ("flatten, reshape([4, 5])", "`shape` has 2 dimensions"),
    ] {
        let messages = layers(&format!("wide: conv2d(16, kernel = 50), {layer}"));
        assert_eq!(messages.len(), 2, "{layer}: {messages:?}");
        assert!(messages[0].contains("kernel 50×50"), "{messages:?}");
        assert!(messages[1].contains(message), "{layer}: {messages:?}");
    }
}

#[test]
fn a_mistake_in_the_channels_is_not_said_again_by_the_layers_behind_it() {
    for text in [
        "conv2d(9, kernel = 1, groups = 4), conv2d(8, kernel = 1, groups = 4)",
        "conv2d(16, kernel = 50), conv2d(32, kernel = 3, groups = 4), group_norm(8)",
        "conv2d(0, kernel = 1), conv2d(8, kernel = 1, groups = 4)",
        "Conv2d(8, 9, 3), conv2d(8, kernel = 1, groups = 4)",
        "conv2d(7, kernel = 50), residual { conv2d(8, kernel = 1) } conv2d(8, kernel = 1, groups = 2)",
    ] {
        let messages = layers(text);
        assert_eq!(messages.len(), 1, "{text}: {messages:?}");
    }
}
