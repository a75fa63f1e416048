//! Times candle for the comparison.

mod net;

use std::hint::black_box;

use candle_core::{Device, Result, Tensor, Var};
use candle_nn::loss::cross_entropy;
use compare_driver::{Case, Pass, labels, locked, nets, normal, sample, serve};
use net::Net;

fn main() -> std::io::Result<()> {
    serve("candle", locked("candle-core"), &["default"], |case| {
        let net = nets::parse(&case.net)?;
        if case.pass.is_forward_mode() {
            return Err("no forward mode".into());
        }
        run(case, &net).map_err(|error| error.to_string())
    })
}

fn run(case: &Case, data: &nets::Net) -> Result<Vec<f64>> {
    let mut shape = vec![case.batch];
    shape.extend(&data.input);
    let x = Tensor::from_vec(normal(shape.iter().product()), shape, &Device::Cpu)?;
    let training = case.pass != Pass::Infer;
    let net = Net::new(&data.layers, training)?;
    // Whatever can go wrong, such as a layer without a gradient, does so here.
    let step: Box<dyn FnMut() -> Result<()>> = match case.pass {
        Pass::Infer => Box::new(move || {
            black_box(net.forward(&x)?);
            Ok(())
        }),
        // The gradient that is given is ones.
        Pass::Both | Pass::Jvp | Pass::JvpOfAll => Box::new(move || {
            black_box(net.forward(&x)?.backward()?);
            Ok(())
        }),
        Pass::Train => {
            let labels = labels(case.batch).into_iter().map(|label| label as u32).collect();
            let labels = Tensor::from_vec(labels, case.batch, &Device::Cpu)?;
            let mut sgd = Sgd::new(net.variables.clone())?;
            Box::new(move || sgd.step(&cross_entropy(&net.forward(&x)?, &labels)?))
        }
    };
    time(case, step)
}

fn time(case: &Case, mut step: Box<dyn FnMut() -> Result<()>>) -> Result<Vec<f64>> {
    step()?;
    let mut failed = Ok(());
    let samples = sample(case.time, || {
        if failed.is_ok() {
            failed = step();
        }
    });
    failed.map(|()| samples)
}

/// Candle's own has neither momentum nor weight decay.
struct Sgd {
    variables: Vec<(Var, Tensor)>,
}

impl Sgd {
    fn new(variables: Vec<Var>) -> Result<Sgd> {
        let with_momentum = |variable: Var| {
            let zeros = variable.zeros_like()?;
            Ok((variable, zeros))
        };
        Ok(Sgd { variables: variables.into_iter().map(with_momentum).collect::<Result<_>>()? })
    }

    fn step(&mut self, loss: &Tensor) -> Result<()> {
        let gradients = loss.backward()?;
        for (variable, momentum) in &mut self.variables {
            if let Some(gradient) = gradients.get(variable) {
                let value = variable.as_detached_tensor();
                let gradient = (gradient + (&value * 5e-4)?)?;
                *momentum = ((&*momentum * 0.9)? + gradient)?;
                variable.set(&(value - (&*momentum * 1e-3)?)?)?;
            }
        }
        Ok(())
    }
}
