//! What the struct of a net holds.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use typenet_engine::{Flat, NetSpec, PreparedWeights, Trainable};

use super::metadata::Metadata;

/// What a net's struct holds: its parameters, metadata, and which parameters are trained.
pub struct Model<P: 'static> {
    parameters: Held<P>,
    pub(crate) metadata: Metadata,
    /// What inference made of the parameters since they were last changed.
    prepared: PreparedWeights,
    /// What tells this net from all others of the process, copies included.
    identity: u64,
    /// Which parameters are trained; as the declaration says until it is asked for or changed.
    trainable: OnceLock<Box<Trainable>>,
}

/// Where parameters are.
enum Held<P: 'static> {
    /// On the heap.
    Own(Box<P>),
    /// In the program, until they are changed.
    Embedded(&'static P),
}

impl<P: Flat> Held<P> {
    fn own(&mut self) -> &mut P {
        if let Held::Embedded(parameters) = *self {
            *self = Held::Own(parameters.to_boxed());
        }
        match self {
            Held::Own(parameters) => parameters,
            // The lines above leave none.
            Held::Embedded(_) => unreachable!("embedded parameters to change"),
        }
    }

    fn get(&self) -> &P {
        match self {
            Held::Own(parameters) => parameters,
            Held::Embedded(parameters) => parameters,
        }
    }
}

impl<P: Flat> Model<P> {
    /// All parameters zero, no metadata.
    pub fn zeroed() -> Model<P> {
        Model::of(Held::Own(P::zeroed()), Metadata::default())
    }

    /// These parameters, which are part of the program.
    pub(crate) fn embedded(parameters: &'static P, metadata: Metadata) -> Model<P> {
        Model::of(Held::Embedded(parameters), metadata)
    }

    fn of(parameters: Held<P>, metadata: Metadata) -> Model<P> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Model {
            parameters,
            metadata,
            identity: NEXT.fetch_add(1, Ordering::Relaxed),
            prepared: PreparedWeights::default(),
            trainable: OnceLock::new(),
        }
    }

    /// The parameters.
    pub fn parameters(&self) -> &P {
        self.parameters.get()
    }

    /// The parameters, mutable. The weights that inference prepared are dropped.
    pub fn parameters_mut(&mut self) -> &mut P {
        self.prepared.clear();
        self.parameters.own()
    }

    /// The parameters, mutable, and the metadata.
    pub(crate) fn parameters_and_metadata(&mut self) -> (&mut P, &Metadata) {
        self.prepared.clear();
        (self.parameters.own(), &self.metadata)
    }

    /// What tells this net from all others of the process: a clone has another one.
    pub(crate) fn identity(&self) -> u64 {
        self.identity
    }

    /// What inference makes of the parameters.
    pub(crate) fn prepared(&self) -> &PreparedWeights {
        &self.prepared
    }

    /// Which parameters are trained.
    pub(crate) fn trainable(&self, spec: &NetSpec) -> &Trainable {
        self.trainable.get_or_init(|| declared(spec))
    }

    pub(crate) fn set_trainable(&mut self, trainable: Trainable) {
        self.trainable = OnceLock::from(Box::new(trainable));
    }

    /// Which parameters are trained, and the parameters, mutable.
    pub(crate) fn trainable_and_parameters(&mut self, spec: &NetSpec) -> (&Trainable, &mut P) {
        self.prepared.clear();
        (self.trainable.get_or_init(|| declared(spec)), self.parameters.own())
    }
}

fn declared(spec: &NetSpec) -> Box<Trainable> {
    Box::new(Trainable::declared(spec.graph, spec.layout.tensors))
}

impl<P: Flat + PartialEq> PartialEq for Model<P> {
    fn eq(&self, other: &Model<P>) -> bool {
        self.parameters.get() == other.parameters.get() && self.metadata == other.metadata
    }
}

impl<P: Flat> Clone for Model<P> {
    fn clone(&self) -> Model<P> {
        let parameters = match &self.parameters {
            // A large parameter struct does not fit on the stack.
            Held::Own(parameters) => Held::Own(parameters.to_boxed()),
            &Held::Embedded(parameters) => Held::Embedded(parameters),
        };
        Model { trainable: self.trainable.clone(), ..Model::of(parameters, self.metadata.clone()) }
    }
}

impl<P> std::fmt::Debug for Model<P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Model").field("metadata", &self.metadata).finish_non_exhaustive()
    }
}
