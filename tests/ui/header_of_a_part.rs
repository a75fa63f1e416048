//! A mistake in the header of a net that is a layer of others.
use typenet::prelude::*;

network! {
    pub struct Backbone: (1, 8, 8) -> (4) {
        conv1: conv2d(4, kernel = 3), relu,
        global_avg_pool,
    }
}

network! {
    pub struct Classifier: [1, 8, 8] -> [10] {
        features: Backbone,
        fc: linear(10),
    }
}

fn main() {
    let image = [[[0.5; 8]; 8]; 1];
    let mut net = Classifier::seeded(1);
    let backbone = Backbone::seeded(1);
    net.features.clone_from(&backbone);
    println!("{} {}", net.predict(&image), backbone.output(&image)[3]);
    println!("{} {}", net.features.conv1.weight[0][0][1][1], net.fc.weight[0][3]);
}
