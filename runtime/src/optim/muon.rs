use typenet_kernels::team::{chunks, chunks_mut};
use typenet_shape::{Shape, Tensor};

use super::adam::AdamRule;
use super::orthogonal::{Orthogonal, scratch_len};
use super::rule::{PIECE, Rule, TensorStep, check_positive, check_share};
use super::settings::optimizer;
use super::{Schedule, argument};
use crate::Result;

optimizer! {
    /// Muon: orthogonalised momentum (Jordan and others 2024, "Muon: an optimizer for hidden layers in
    /// neural networks", <https://kellerjordan.github.io/posts/muon>), as PyTorch's `Muon`.
    ///
    /// It takes each weight of two dimensions or more as a matrix, the first dimension (the outputs) by
    /// all others:
    ///
    /// ```text
    /// m ← momentum · m + (1 − momentum) · gradient
    /// u ← (1 − momentum) · gradient + momentum · m      (m without nesterov)
    /// u ← U Vᵀ, nearly, where u = U S Vᵀ                  (Newton–Schulz, `ns_steps` times)
    /// w ← w − learning_rate · weight_decay · w
    /// w ← w − learning_rate · √(max(1, rows / columns)) · u
    /// ```
    ///
    /// A Newton–Schulz step is `X ← a X + (b A + c A²) X` with `A = X Xᵀ` and (a, b, c) = (3.4445, −4.7750,
    /// 2.0315), from `X = u / ‖u‖`. It is computed in f32 here, in bf16 by PyTorch.
    ///
    /// Biases, the weights of norms, and what a group gives [`use_muon`](MuonGroup::use_muon)`(false)`
    /// take the steps of [`AdamW`](super::AdamW), with `adamw_learning_rate`, `adamw_betas` and
    /// `adamw_eps`, and with `weight_decay`. Its authors leave the first and the last layer to AdamW too:
    ///
    /// ```
    /// use typenet_runtime::optim::Muon;
    /// let muon = Muon::new(0.02)
    ///     .weight_decay(0.01)
    ///     .adamw_learning_rate(3e-4)
    ///     .group("fc3", |group| group.use_muon(false));
    /// assert!(muon.check().is_ok());
    /// ```
    ///
    /// The buffers are `momentum_buffer` (`exp_avg` of tensors that AdamW takes) and `exp_avg_sq`. A step
    /// costs `ns_steps` times three products of matrices for each weight, and memory for four of the
    /// largest.
    pub struct Muon("Muon with this learning rate for matrices; 0.02 is its authors' default."),
    group MuonGroup, settings MuonSettings, named "Muon",
    buffers &["momentum_buffer", "exp_avg_sq"], for_tensor for_tensor;

    /// The decay rate of the mean of gradients, 0 or more, below 1; 0.95 by default.
    momentum(momentum: f64) = 0.95;
    /// Looks ahead along the momentum (Nesterov's momentum); `true` by default.
    nesterov(nesterov: bool) = true;
    /// How many Newton–Schulz steps are made, at least 1; 5 by default.
    ns_steps(ns_steps: usize) = 5;
    /// Each step subtracts the learning rate times this share of every weight from it; 0 by default
    /// (PyTorch's default is 0.1).
    weight_decay(weight_decay: f32) = 0.0;
    /// Whether Muon takes the weights of two dimensions or more (`true`, the default), or AdamW takes all.
    use_muon(use_muon: bool) = true;
    /// The learning rate of tensors that AdamW takes, unless a group gives them a `learning_rate`;
    /// 0.0003 by default.
    adamw_learning_rate(adamw_learning_rate: f32) = 3e-4;
    /// AdamW's betas; 0.9 and 0.95 by default.
    adamw_betas(beta1: f64, beta2: f64) = (0.9, 0.95);
    /// AdamW's eps; 1e-10 by default.
    adamw_eps(adamw_eps: f32) = 1e-10;
}

/// Which of the two takes the tensor, and so at which rate.
fn for_tensor(settings: &mut MuonSettings, tensor: &Tensor, own_rate: bool) {
    settings.use_muon &= tensor.shape.rank() >= 2;
    if !settings.use_muon && !own_rate {
        settings.learning_rate = settings.adamw_learning_rate;
    }
}

impl MuonSettings {
    fn adamw(&self) -> AdamRule {
        AdamRule {
            betas: self.adamw_betas,
            eps: self.adamw_eps,
            weight_decay: self.weight_decay,
            decoupled: true,
            amsgrad: false,
        }
    }
}

/// Rows and columns of a tensor as a matrix.
fn matrix(shape: Shape) -> (usize, usize) {
    let rows = shape.dim(0);
    (rows, shape.elements() / rows)
}

impl Rule for MuonSettings {
    fn learning_rate(&self) -> f32 {
        self.learning_rate
    }

    fn schedule(&self) -> &Schedule {
        &self.schedule
    }

    fn uses(&self, buffer: usize, _: Shape) -> bool {
        buffer == 0 || !self.use_muon
    }

    fn scratch_len(&self, shape: Shape) -> usize {
        let (rows, columns) = matrix(shape);
        if self.use_muon { scratch_len(rows, columns) } else { 0 }
    }

    fn check_settings(&self) -> Result<()> {
        check_positive("learning_rate", self.learning_rate)?;
        check_positive("adamw_learning_rate", self.adamw_learning_rate)?;
        check_share("momentum", self.momentum)?;
        if self.ns_steps == 0 {
            return Err(argument("ns_steps", 0, "1 step or more is needed"));
        }
        self.adamw().check()?;
        self.schedule.check()
    }

    fn step(&self, tensor: TensorStep<'_>) {
        if !self.use_muon {
            return self.adamw().step(tensor);
        }
        let (rows, columns) = matrix(tensor.shape);
        let TensorStep { weights, gradients, buffers: [momentum, ..], scratch, team, .. } = tensor;
        let (keep, new) = (self.momentum as f32, (1.0 - self.momentum) as f32);
        let nesterov = self.nesterov;
        let mut orthogonal = Orthogonal::new(rows, columns, scratch);
        let parts = (
            chunks_mut(orthogonal.numbers(), PIECE),
            chunks(gradients, PIECE),
            chunks_mut(momentum, PIECE),
        );
        team.for_each(parts, |_, (u, g, m)| {
            for ((u, &g), m) in u.iter_mut().zip(g).zip(m) {
                *m += new * (g - *m);
                *u = if nesterov { g + keep * (*m - g) } else { *m };
            }
        });
        let update = orthogonal.iterate(team, self.ns_steps);
        let rate = f64::from(tensor.learning_rate);
        let keep = (1.0 - rate * f64::from(self.weight_decay)) as f32;
        let scale = (rows as f64 / columns as f64).max(1.0).sqrt();
        let rate = (rate * scale) as f32;
        team.for_each((chunks_mut(weights, PIECE), chunks(update, PIECE)), |_, (w, u)| {
            w.iter_mut().zip(u).for_each(|(w, u)| *w = keep * *w - rate * u);
        });
    }
}
