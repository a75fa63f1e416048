use typenet::prelude::*;

network! {
    /// What finds features.
    pub struct Backbone: [1, 8, 8] -> [4, 4, 4] {
        conv1: conv2d(4, kernel = 3, padding = 1), relu,
        max_pool2d(2),
    }
}

network! {
    /// A net with another one in it.
    pub struct Classifier: [1, 8, 8] -> [3] {
        features: self::Backbone,
        //              ^^^^^^^^ shows What finds features.
        //              ^^^^^^^^ leads to pub struct Backbone: [1, 8, 8] -> [4, 4, 4]
        //^^^^^^ shows `self::Backbone`
        global_avg_pool,
        //^^^^^^^^^^^^^ shows layers
        fc: linear(3),
    }
}

/// A field of the net within.
pub fn field(net: &Classifier) -> f32 {
    net.features.conv1.bias[0]
    //  ^^^^^^^^ leads to features: self::Backbone
    //           ^^^^^ leads to conv1: conv2d(4, kernel = 3, padding = 1)
    //           ^^^^^ shows `[1, 8, 8]` → `[4, 8, 8]`
}
