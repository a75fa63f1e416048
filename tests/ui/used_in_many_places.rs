//! One mistake, and a program that uses the net in every way: only the mistake shows.
use typenet::prelude::*;

network! {
    /// What the program is about.
    #[derive(Clone, Debug, PartialEq)]
    pub struct Net: [1, 12, 12] -> [10] {
        conv1: conv2d(6, kernel = 5), relu,
        max_pool2d(2),
        conv2: conv2d(16, kernel = 5), relu,
        flatten,
        fc: linear(10),
    }
}

struct App {
    net: Net,
    workspace: Workspace<Net>,
}

impl App {
    fn new(seed: u64) -> App {
        App { net: Net::seeded(seed), workspace: Net::workspace(32) }
    }

    fn train(&mut self, data: &Dataset<Input<Net>>) -> Result<(), typenet::Error> {
        Trainer::new(Sgd::new(0.1)).loss(CrossEntropy::new()).fit(&mut self.net, data, None)?;
        let mut sgd = Sgd::new(0.1).state(&self.net);
        for batch in data.minibatches(32, 1) {
            self.net.forward(&batch.inputs, &mut self.workspace);
            CrossEntropy::new().forward_backward(&batch.labels, &mut self.workspace)?;
            self.net.backward(&batch.inputs, &mut self.workspace);
            sgd.step(&mut self.net, self.workspace.gradients());
        }
        Ok(())
    }

    fn look(&self) {
        println!("{:?} {}", self.net, Net::summary());
        println!("{:?} {:?}", self.net.conv1.weight, self.net.conv2.bias[3]);
        println!("{}", self.net.fc.weight[0].iter().sum::<f32>());
        println!("{:?}", self.workspace.gradients().conv1.weight[0][0][0][0]);
        let parameters: &NetParameters = &self.net;
        println!("{}", parameters.conv2.weight.len());
    }
}

fn predict(net: &Net, image: &Input<Net>) -> usize {
    let top = net.top_k(image, 3);
    println!("{top:?} {:?}", net.probabilities(image)[9]);
    net.predict(image)
}

fn main() -> Result<(), typenet::Error> {
    let mut app = App::new(1);
    let image = [[[0.5; 12]; 12]];
    app.train(&Dataset::from_inputs(&[image], vec![3])?)?;
    app.net.conv1.weight[0][0][0][0] = 1.0;
    app.look();
    println!("{}", predict(&app.net, &image));
    app.net.save("net.safetensors")?;
    assert_eq!(Net::load("net.safetensors")?, app.net);
    Ok(())
}
