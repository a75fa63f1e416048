//! The README's programs, word for word, so that they compile; and that its words are these.

#[allow(dead_code)]
mod programs {
    use typenet::prelude::*;

    network! {
        /// LeNet-5 for 28×28 grey images.
        pub struct LeNet5: [1, 28, 28] -> [10] {
            conv1: conv2d(6, kernel = 5, padding = 2), relu,
            max_pool2d(2),
            conv2: conv2d(16, kernel = 5), relu,
            max_pool2d(2),
            flatten,
            fc1: linear(120), relu,
            fc2: linear(84), relu,
            fc3: linear(10),
        }
    }

    fn main() -> Result<(), typenet::Error> {
        let folder = "/usr/share/datasets/fashion-mnist";
        let train = Dataset::from_idx(
            format!("{folder}/train-images-idx3-ubyte.gz"),
            format!("{folder}/train-labels-idx1-ubyte.gz"),
            10,
        )?;
        let mut net = LeNet5::seeded(42);
        Trainer::new(Sgd::new(0.05).momentum(0.9).weight_decay(5e-4))
            .loss(CrossEntropy::new())
            .batch(128)
            .epochs(10)
            .validation(0.1)
            .fit(&mut net, &train, None)?;
        net.save("lenet5.safetensors")?;

        let image = &train.inputs()[0];
        println!("{} {:?}", net.predict(image), net.top_k(image, 3));
        Ok(())
    }

    fn train_for_longer(train: &Dataset<Input<LeNet5>>) -> Result<(), typenet::Error> {
        let mut net = LeNet5::seeded(42);
        let mut trainer = Trainer::new(AdamW::new(3e-3).schedule(Schedule::one_cycle(30)))
            .loss(CrossEntropy::new())
            .batch(128)
            .epochs(30)
            .validation(0.1)
            .clip_grad_norm(1.0)
            .average(Averaging::ema(0.999))
            .early_stopping(EarlyStopping::on(Metric::ValidationLoss).patience(5))
            .restore_best(Metric::ValidationLoss)
            .checkpoint("run.safetensors")
            .log_to("run.jsonl")
            .after_epoch(|moment| println!("epoch {}: loss {:.4}", moment.epoch(), moment.loss()));
        trainer.resume(&mut net)?; // if there is a checkpoint
        let history = trainer.fit(&mut net, train, None)?;
        println!("{history}");
        net.save("lenet5.safetensors")
    }

    /// The three likeliest classes of a 28×28 grey image, with their probabilities.
    fn classify(weights: &[u8], pixels: &[u8]) -> Result<Vec<(usize, f32)>, typenet::Error> {
        let net = LeNet5::from_bytes(weights)?; // include_bytes!("../lenet5.safetensors")
        let image = net.input_from_u8(pixels)?;
        Ok(net.top_k(&image, 3))
    }

    /// The class of a picture, and how probable it is.
    fn classify_file(net: &LeNet5, path: &str) -> Result<(usize, f32), Box<dyn std::error::Error>> {
        let picture = typenet::image::open(path)?;
        let resize = Resize::Fit(typenet::image::imageops::FilterType::Triangle);
        let input = net.input_from_image(&picture, &ImageOptions::new(resize, Channels::Grey))?;
        Ok(net.top_k(&input, 1)[0])
    }
}

mod together {
    use typenet::prelude::*;

    network! {
        /// A part that other nets use. `Features::<32>` is a net of its own.
        pub struct Features<const WIDTH: usize>: [3, 32, 32] -> [WIDTH] {
            block basic(out) {
                residual { conv2d(out, kernel = 3, padding = 1), batch_norm }
                relu,
            }

            conv2d(WIDTH, kernel = 3, padding = 1), relu,
            repeat(2) { basic(WIDTH) }
            global_avg_pool,
        }
    }

    type Backbone = Features<32>;

    network! {
        pub struct Detector: (image: [3, 32, 32], pose: [6]) -> (class: [10], bbox: [4]) {
            from(image),
            features: self::Backbone,
            concat(pose), linear(64), trunk: relu,
            class: linear(10),
            from(trunk), bbox: linear(4),
        }
    }

    fn train(
        images: &[[[[f32; 32]; 32]; 3]],
        poses: &[[f32; 6]],
        labels: &[usize],
        boxes: &[[f32; 4]],
    ) -> Result<(), typenet::Error> {
        let data = DetectorInput::dataset(images, poses, DetectorTarget::zip(labels, boxes)?)?;
        let mut net = Detector::seeded(1);
        Trainer::new(Sgd::new(0.02).momentum(0.9))
            .loss(DetectorLoss { class: CrossEntropy::new(), bbox: (0.5, MeanSquaredError::new()) })
            .epochs(5)
            .fit(&mut net, &data, None)?;
        let output = net.output(&data.inputs()[0]);
        println!("{} {:?}", output.class.largest(), output.bbox);
        Ok(())
    }

    #[test]
    fn a_net_of_parts_and_heads_trains() -> Result<(), typenet::Error> {
        let images = vec![[[[0.5; 32]; 32]; 3]; 20];
        let labels: Vec<usize> = (0..20).map(|i| i % 10).collect();
        train(&images, &[[0.1; 6]; 20], &labels, &[[0.25; 4]; 20])
    }
}

/// Lines without their indentation.
fn lines(text: &str) -> Vec<&str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect()
}

/// The code blocks of one language.
fn blocks<'a>(readme: &'a str, language: &str) -> Vec<&'a str> {
    let fence = format!("```{language}\n");
    readme.split(&fence).skip(1).map(|rest| rest.split("```").next().unwrap_or_default()).collect()
}

fn contains(whole: &[&str], part: &[&str]) -> bool {
    whole.windows(part.len()).any(|window| window == part)
}

#[test]
fn every_program_of_the_readme_is_above() {
    let here = lines(include_str!("readme.rs"));
    let blocks = blocks(include_str!("../README.md"), "rust");
    assert_eq!(blocks.len(), 5);
    for block in blocks {
        assert!(contains(&here, &lines(block)), "not in tests/readme.rs:\n{block}");
    }
}

#[test]
fn the_message_in_the_readme_is_what_the_compiler_says() {
    let message = blocks(include_str!("../README.md"), "text").concat();
    let said = include_str!("ui/kernel_too_large.stderr");
    assert_eq!(message.replace("src/main.rs", "kernel_too_large.rs"), said);
}
