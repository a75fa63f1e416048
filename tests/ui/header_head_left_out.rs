//! A head that the header does not have.
use typenet::prelude::*;

network! {
    pub struct Net: (image: [3, 8, 8], pose: [6]) -> (class: [10]) {
        from(image), conv1: conv2d(8, kernel = 3), relu, global_avg_pool,
        concat(pose), trunk: relu,
        class: linear(10),
        from(trunk), bbox: linear(4),
    }
}

struct App {
    net: Net,
    inputs: Vec<NetInput>,
    last: Option<NetOutput>,
}

fn loss() -> NetLoss<CrossEntropy, (f64, MeanSquaredError)> {
    NetLoss { class: CrossEntropy::new(), bbox: (0.5, MeanSquaredError::new()) }
}

fn area(output: &NetOutput) -> f32 {
    output.bbox[2] * output.bbox[3]
}

fn main() -> typenet::Result<()> {
    let input = NetInput { image: [[[0.5; 8]; 8]; 3], pose: [0.0; 6] };
    let mut app = App { net: Net::seeded(1), inputs: vec![input], last: None };
    let targets = NetTarget::zip(&[3], &[[0.5; 4]])?;
    let train = NetInput::dataset(&[input.image], &[input.pose], targets)?;
    Trainer::new(Sgd::new(0.1)).loss(loss()).fit(&mut app.net, &train, None)?;
    let mut ws = Net::workspace(1);
    app.net.forward(&app.inputs, &mut ws);
    loss().forward_backward(&[NetTarget { class: 3, bbox: [0.5; 4] }], &mut ws)?;
    app.net.backward(&app.inputs, &mut ws);
    let NetOutput { class, bbox } = app.net.output(&input);
    println!("{} {} {}", class.largest(), bbox[0], ws.output()[0].class[9]);
    app.last = Some(app.net.output(&input));
    println!("{:?} {}", app.last.as_ref().map(area), app.net.class.weight[0][0]);
    Ok(())
}
