//! What joins values and what holds layers.

layers! {
    /// `add(a, …)`: the sum of the value before it and the values with these names, all of one
    /// shape. `residual { … }` is the short form for a value that goes around some layers.
    add
    /// `mul(a, …)`: the product, number by number, of the value before it and the values with these
    /// names: of one shape, or `[c]` or `[c, 1, 1]` for one factor a channel.
    mul
    /// `concat(a, …)` and `concat { branch { … } branch { … } }`: values one behind the other along
    /// the channels, alike but for these: the value before it and those with these names, or what
    /// the branches arrive at. At most 8.
    ///
    /// Source: Szegedy et al., *Going deeper with convolutions*, 2015; PyTorch's `cat(dim=1)`.
    concat
    /// One of the ways through a [`concat`](struct@concat), from the value before it. Without layers
    /// it keeps that value.
    branch
    /// `from(a)`: leaves the value before it and goes on from the value with this name. The net's
    /// input has the name `input`.
    from
    /// `residual { … } shortcut { … }`: the value that its layers arrive at plus the one they start
    /// from, or plus what the [`shortcut`]'s layers make of that.
    ///
    /// Source: He, Zhang, Ren and Sun, *Deep residual learning for image recognition*, 2016.
    residual
    /// The layers on the way around a [`residual`].
    shortcut
    /// `repeat(n) { … }`: its layers `n` times, one behind the other, each time with parameters of
    /// their own; the rounds are fields `0`, `1`, ….
    repeat
}
