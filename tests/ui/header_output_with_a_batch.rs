//! The number of images in the output.
use typenet::prelude::*;

network! {
    pub struct Net: [1, 8, 8] -> [1, 10] {
        conv1: conv2d(4, kernel = 3, padding = 1), relu,
        max_pool2d(2),
        flatten,
        fc: linear(10),
    }
}

struct App {
    net: Net,
    last: Option<Input<Net>>,
    outputs: Vec<[f32; 10]>,
}

trait Classify {
    fn classify(&self, image: &[[[f32; 8]; 8]; 1]) -> usize;
}

impl Classify for Net {
    fn classify(&self, image: &[[[f32; 8]; 8]; 1]) -> usize {
        self.predict(image)
    }
}

fn brightest(image: &Input<Net>) -> f32 {
    image.iter().flatten().flatten().fold(0.0, |most: f32, &one| most.max(one))
}

fn largest(output: &Output<Net>) -> usize {
    (0..output.len()).max_by(|&a, &b| output[a].total_cmp(&output[b])).unwrap_or(0)
}

fn main() -> typenet::Result<()> {
    let image = [[[0.5; 8]; 8]; 1];
    let mut app = App { net: Net::seeded(1), last: None, outputs: Vec::new() };
    let train: Dataset<[[[f32; 8]; 8]; 1]> = Dataset::from_inputs(&[image; 4], vec![0, 1, 2, 3])?;
    Trainer::new(Sgd::new(0.1)).loss(CrossEntropy::new()).batch(2).fit(&mut app.net, &train, None)?;
    let mut ws = Net::workspace(4);
    let mut sgd = Sgd::new(0.1).state(&app.net);
    app.net.forward(&[image; 4], &mut ws);
    CrossEntropy::new().forward_backward(&[0, 1, 2, 3], &mut ws)?;
    app.net.backward(&[image; 4], &mut ws);
    println!("{} {}", ws.output()[0][9], ws.gradients().fc.weight[0][0]);
    sgd.step(&mut app.net, ws.gradients());
    let output = app.net.output(&image);
    app.outputs.push(output);
    app.last = Some(image);
    let p: [f32; 10] = app.net.probabilities(&image);
    println!("{} {} {}", p[3], largest(&output), brightest(&image));
    println!("{} {:?}", app.net.classify(&image), app.net.predict_batch(&[image, image]));
    let filter: [[f32; 3]; 3] = app.net.conv1.weight[0][0];
    println!("{} {} {}", filter[1][1], app.net.fc.bias[0], Net::summary());
    println!("{}", gradcheck(&app.net, &CrossEntropy::new(), &[image], &[3])?.worst());
    Ok(())
}
