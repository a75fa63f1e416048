//! The steps of a net, also of one within another.

use typenet_shape::{Op, Own, Step};

use crate::arena::wrong;

/// The steps of a net, and how far its numbering of nodes lies behind that of the net whose calls
/// run: one that is a layer of it calls its own steps.
#[derive(Clone, Copy, Debug)]
pub(super) struct Steps {
    all: &'static [Step],
    pub(super) offset: usize,
}

impl Steps {
    pub(super) fn new(all: &'static [Step]) -> Steps {
        Steps { all, offset: 0 }
    }

    fn find(&self, node: usize) -> Option<&'static Step> {
        let index = self.all.binary_search_by_key(&node, |step| step.node).ok()?;
        Some(&self.all[index])
    }

    /// The step that a call means which names `step`.
    pub(super) fn at<'s>(&self, step: &'s Step) -> &'s Step {
        if self.offset == 0 {
            return step;
        }
        self.find(step.node + self.offset).unwrap_or_else(|| {
            wrong(step);
            step
        })
    }

    /// The step of a layer of the user's own, and what it computes.
    pub(super) fn own(&self, node: usize) -> Option<(&'static Step, Own)> {
        let step = self.find(node + self.offset)?;
        match step.op {
            Op::Own(own) => Some((step, own)),
            _ => None,
        }
    }
}
