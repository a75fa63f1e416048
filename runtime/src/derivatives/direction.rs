use crate::net::network::Network;

/// A direction in which a net's input, its parameters, or both move.
///
/// It has the types of the net that it is for, so one of another net or shape does not compile.
/// The entries of a batch norm's running statistics are not read: they are no parameters. Those of
/// parameters that are frozen or switched off count, although their gradients are zero.
///
/// Numbers that are not finite come out as such, in the image that they are of.
pub struct Direction<'a, N: Network> {
    pub(crate) inputs: Option<&'a [N::Input]>,
    pub(crate) parameters: Option<&'a N::Parameters>,
}

impl<'a, N: Network> Direction<'a, N> {
    /// The input of one image moves, the parameters rest.
    pub fn of_input(input: &'a N::Input) -> Direction<'a, N> {
        Direction::of_inputs(std::slice::from_ref(input))
    }

    /// The inputs move, one direction for each image; the parameters rest.
    pub fn of_inputs(inputs: &'a [N::Input]) -> Direction<'a, N> {
        Direction { inputs: Some(inputs), parameters: None }
    }

    /// The parameters move, the inputs rest: [`Workspace::gradients`](crate::Workspace::gradients), say, or
    /// `&*direction` of a box.
    pub fn of_parameters(parameters: &'a N::Parameters) -> Direction<'a, N> {
        Direction { inputs: None, parameters: Some(parameters) }
    }

    /// The parameters move too.
    #[must_use]
    pub fn and_parameters(self, parameters: &'a N::Parameters) -> Direction<'a, N> {
        Direction { parameters: Some(parameters), ..self }
    }
}

impl<N: Network> Clone for Direction<'_, N> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<N: Network> Copy for Direction<'_, N> {}

impl<N: Network> std::fmt::Debug for Direction<'_, N> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Direction")
            .field("net", &N::GRAPH.name)
            .field("inputs", &self.inputs.map(<[_]>::len))
            .field("parameters", &self.parameters.is_some())
            .finish()
    }
}
