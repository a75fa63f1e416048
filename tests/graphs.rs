//! Nets whose values are read more than once: their gradients, and the same numbers in every mode.
#![allow(clippy::unwrap_used)]

use typenet::Logits;
use typenet::prelude::*;

network! {
    /// Residuals with and without a shortcut.
    struct Residuals: [2, 6, 6] -> [3] {
        block basic(out, stride = 1) {
            residual {
                conv2d(out, kernel = 3, stride = stride, padding = 1), relu,
                conv2d(out, kernel = 3, padding = 1),
            } shortcut {
                conv2d(out, kernel = 1, stride = stride, bias = false),
            }
            relu,
        }

        conv1: conv2d(4, kernel = 3, padding = 1), relu,
        basic(6, stride = 2),
        residual { conv2d(6, kernel = 3, padding = 1), tanh }
        residual { conv2d(6, kernel = 3, padding = 1), sigmoid } tanh,
        flatten,
        fc: linear(3),
    }
}

network! {
    /// Branches, of which one is the value itself, and a long skip.
    struct Branches: [2, 5, 5] -> [3] {
        stem: conv2d(3, kernel = 3), act: tanh,
        concat {
            branch { conv2d(2, kernel = 1), sigmoid }
            branch { conv2d(2, kernel = 3, padding = 1), conv2d(3, kernel = 1) }
            branch { max_pool2d(3, stride = 1, padding = 1) }
            branch { }
        }
        conv2d(3, kernel = 1),
        add(stem, act),
        concat(act),
        avg_pool2d(2, stride = 1),
        flatten,
        fc: linear(3),
    }
}

network! {
    /// A gate for each channel, a product of a value with itself, and a flattened value read twice.
    struct Products: [2, 4, 4] -> [3] {
        conv1: conv2d(4, kernel = 3, padding = 1), value: tanh,
        global_avg_pool,
        squeeze: linear(4), gate: sigmoid,
        from(value),
        mul(gate),
        squared: conv2d(4, kernel = 1),
        mul(squared, value),
        flat: flatten,
        residual { linear(64) }
        add(flat),
        fc: linear(3),
    }
}

fn images<const C: usize, const S: usize>(count: usize) -> Vec<[[[f32; S]; S]; C]> {
    let number = |n: usize| ((n * 7919 + 13) % 1009) as f32 / 504.5 - 1.0;
    let image = |i: usize| {
        std::array::from_fn(|c| {
            std::array::from_fn(|y| std::array::from_fn(|x| number(((i * C + c) * S + y) * S + x)))
        })
    };
    (0..count).map(image).collect()
}

fn check<N: Network + Logits>(images: &[Input<N>]) {
    let mut net = N::seeded(3);
    let labels: Vec<usize> = (0..images.len()).map(|i| i % 3).collect();
    let check = gradcheck(&net, &CrossEntropy::new(), &images[..2], &labels[..2]).unwrap();
    assert!(check.worst() <= 1e-3, "{}: {check}", N::GRAPH.name);

    // The plans of training and of inference, one image and many: the same numbers.
    let mut workspace = N::workspace(images.len());
    net.forward(images, &mut workspace);
    let trained: Vec<f32> = workspace.output_rows().0.to_vec();
    let classes = net.predict_batch(images);
    for (i, image) in images.iter().enumerate() {
        let row = &trained[i * 3..i * 3 + 3];
        let largest = (0..3).max_by(|&a, &b| row[a].total_cmp(&row[b])).unwrap();
        assert_eq!(net.predict(image), largest, "{} image {i}", N::GRAPH.name);
        assert_eq!(classes[i], largest, "{} image {i}", N::GRAPH.name);
    }
}

#[test]
fn residuals_have_their_gradients() {
    check::<Residuals>(&images(21));
}

#[test]
fn branches_have_their_gradients() {
    check::<Branches>(&images(21));
}

#[test]
fn products_have_their_gradients() {
    check::<Products>(&images(21));
}

#[test]
fn values_read_twice_train() {
    let images = images(30);
    let labels: Vec<usize> = (0..images.len()).map(|i| i * i % 3).collect();
    let mut net = Residuals::seeded(1);
    let fit = Trainer::new(Sgd::new(0.05).momentum(0.9))
        .loss(CrossEntropy::new())
        .batch(10)
        .epochs(60)
        .fit(&mut net, &Dataset::from_inputs(&images, labels.clone()).unwrap(), None);
    fit.unwrap();
    assert_eq!(net.predict_batch(&images), labels);
}
