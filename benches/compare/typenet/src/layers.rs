//! Nets of one layer: those of `cases.py`.

use compare_driver::Case;
use typenet::prelude::*;

macro_rules! layers {
    ($($name:literal: $input:tt -> $output:tt, $kind:ident $arguments:tt;)*) => {
        /// Times the layer of this name, if there is one.
        pub fn run(case: &Case) -> Option<Result<Vec<f64>, String>> {
            match case.net.as_str() {
                $($name => {
                    network! { struct Layer: $input -> $output { $kind $arguments } }
                    Some(crate::passes::<Layer>(case))
                })*
                _ => None,
            }
        }
    };
}

layers! {
    "conv2d,1,28,28,6,5,1,0,1": [1, 28, 28] -> [6, 24, 24], conv2d(6, kernel = 5);
    "conv2d,1,28,28,32,3,1,1,1": [1, 28, 28] -> [32, 28, 28], conv2d(32, kernel = 3, padding = 1);
    "conv2d,3,32,32,32,3,1,1,1": [3, 32, 32] -> [32, 32, 32], conv2d(32, kernel = 3, padding = 1);
    "conv2d,3,32,32,64,5,1,2,1": [3, 32, 32] -> [64, 32, 32], conv2d(64, kernel = 5, padding = 2);
    "conv2d,8,14,14,16,3,1,1,1": [8, 14, 14] -> [16, 14, 14], conv2d(16, kernel = 3, padding = 1);
    "conv2d,32,32,32,32,3,1,1,1": [32, 32, 32] -> [32, 32, 32], conv2d(32, kernel = 3, padding = 1);
    "conv2d,128,28,28,128,3,1,1,1": [128, 28, 28] -> [128, 28, 28], conv2d(128, kernel = 3, padding = 1);
    "conv2d,6,12,12,16,5,1,0,1": [6, 12, 12] -> [16, 8, 8], conv2d(16, kernel = 5);
    "conv2d,32,16,16,32,5,1,2,1": [32, 16, 16] -> [32, 16, 16], conv2d(32, kernel = 5, padding = 2);
    "conv2d,64,28,28,64,5,1,2,1": [64, 28, 28] -> [64, 28, 28], conv2d(64, kernel = 5, padding = 2);
    "conv2d,16,14,14,16,1,1,0,1": [16, 14, 14] -> [16, 14, 14], conv2d(16, kernel = 1);
    "conv2d,64,16,16,128,1,1,0,1": [64, 16, 16] -> [128, 16, 16], conv2d(128, kernel = 1);
    "conv2d,256,14,14,256,1,1,0,1": [256, 14, 14] -> [256, 14, 14], conv2d(256, kernel = 1);
    "conv2d,32,14,14,32,3,1,1,32": [32, 14, 14] -> [32, 14, 14], conv2d(32, kernel = 3, padding = 1, groups = 32);
    "conv2d,64,32,32,64,3,1,1,64": [64, 32, 32] -> [64, 32, 32], conv2d(64, kernel = 3, padding = 1, groups = 64);
    "conv2d,256,28,28,256,3,1,1,256": [256, 28, 28] -> [256, 28, 28], conv2d(256, kernel = 3, padding = 1, groups = 256);
    "conv2d,128,32,32,128,3,2,1,128": [128, 32, 32] -> [128, 16, 16], conv2d(128, kernel = 3, stride = 2, padding = 1, groups = 128);
    "conv2d,16,32,32,32,3,2,1,1": [16, 32, 32] -> [32, 16, 16], conv2d(32, kernel = 3, stride = 2, padding = 1);
    "conv2d,64,32,32,128,3,2,1,1": [64, 32, 32] -> [128, 16, 16], conv2d(128, kernel = 3, stride = 2, padding = 1);
    "conv2d,128,28,28,256,3,2,1,1": [128, 28, 28] -> [256, 14, 14], conv2d(256, kernel = 3, stride = 2, padding = 1);
    "linear,84,10": [84] -> [10], linear(10);
    "linear,784,256": [784] -> [256], linear(256);
    "linear,2048,1024": [2048] -> [1024], linear(1024);
}
