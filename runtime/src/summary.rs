use crate::Network;
/// The table of a net's layers.
#[derive(Clone, Debug)]
pub struct Summary {
}
impl Summary {
    pub(crate) fn of<N: Network>() -> Summary { todo!() }
}
