//! The net of `common/tiny.rs`, which is written by hand in the form that `network!` gives it.
#![forbid(unsafe_code)]

#[path = "common/tiny.rs"]
mod tiny;

use tiny::Tiny;
use typenet_runtime::Network;

#[test]
fn gradients_of_a_linear_layer_are_outer_products() {
    let mut net = Tiny::seeded(1);
    let image = [[[0.5; 8]; 8]; 1];
    let mut ws = Tiny::workspace(2);
    net.forward(&[image, image], &mut ws);
    assert_eq!(ws.output().len(), 2);
    for gradient in ws.output_gradient_mut() {
        gradient.fill(0.0);
        gradient[3] = 1.0;
    }
    net.backward(&[image, image], &mut ws);
    assert_eq!(ws.gradients().fc.bias, [0.0, 0.0, 0.0, 2.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
    assert_eq!(ws.gradients().fc.weight[2], [0.0; 36]);
    net.conv1.weight[0][0][0][0] = 3.0;
    assert_eq!(net.clone().conv1.weight, net.conv1.weight);
}
