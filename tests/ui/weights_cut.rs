use typenet::prelude::*;

network! {
    #[weights("weights/cut.safetensors")]
    struct Line: [3] -> [2] {
        fc1: linear(4), relu,
        fc2: linear(2),
    }
}

fn main() {
    println!("{}", Line::pretrained().predict(&[0.0; 3]));
}
