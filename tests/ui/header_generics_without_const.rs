//! Generics without `const`, as types are written.
use typenet::prelude::*;

network! {
    pub struct Net<HIDDEN, CLASSES>: [1, 8, 8] -> [CLASSES] {
        conv1: conv2d(HIDDEN, kernel = 3), relu, global_avg_pool,
        fc: linear(CLASSES),
    }
}

type Small = Net<4, 10>;

trait Name {
    fn name(&self) -> String;
}

impl<const HIDDEN: usize, const CLASSES: usize> Name for Net<HIDDEN, CLASSES> {
    fn name(&self) -> String {
        format!("{HIDDEN} filters, {} classes", self.fc.bias.len())
    }
}

fn main() -> typenet::Result<()> {
    let image = [[[0.5; 8]; 8]; 1];
    let mut net = Small::seeded(1);
    let train = Dataset::from_inputs(&[image; 4], vec![0, 1, 2, 3])?;
    Trainer::new(Sgd::new(0.1)).loss(CrossEntropy::new()).fit(&mut net, &train, None)?;
    let output: [f32; 10] = net.output(&image);
    println!("{} {} {}", output[9], net.name(), net.conv1.weight[3][0][2][2]);
    println!("{}", Net::<8, 2>::seeded(1).predict(&image));
    Ok(())
}
