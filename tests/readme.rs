//! The README's programs, word for word, so that they compile; and that its words are these.

#[allow(dead_code)]
mod first {
    use typenet::image::{self, imageops::FilterType};
    use typenet::prelude::*;

    network! {
        /// Tells handwritten digits apart, in grey images of 8×8 pixels.
        pub struct Digits: [1, 8, 8] -> [10] {
            conv1: conv2d(16, kernel = 3, padding = 1), relu,
            conv2: conv2d(32, kernel = 3, padding = 1), relu,
            max_pool2d(2),
            flatten,
            fc1: linear(64), relu,
            fc2: linear(10),
        }
    }

    fn main() -> Result<(), Box<dyn std::error::Error>> {
        match std::env::args().nth(1) {
            None => train(),
            Some(path) => predict(&path),
        }
    }

    /// Learns from 1,797 digits, one a line: 64 numbers from 0 (paper) to 16 (ink), and which digit it is.
    fn train() -> Result<(), Box<dyn std::error::Error>> {
        let csv = Csv::new().classes(10).scale(1.0 / 16.0);
        let digits = Dataset::from_csv("../typenet/data/digits.csv.gz", &csv)?;
        let (train, test) = digits.split(0.2, 42)?;
        let mut net = Digits::seeded(42);
        let history = Trainer::new(Sgd::new(0.05).momentum(0.9))
            .loss(CrossEntropy::new())
            .batch(32)
            .epochs(20)
            .fit(&mut net, &train, Some(&test))?;
        println!("{history}");
        net.save("digits.safetensors")?;
        Ok(())
    }

    /// Says what digit a picture shows: dark on white, one that fills it.
    fn predict(path: &str) -> Result<(), Box<dyn std::error::Error>> {
        let net = Digits::load("digits.safetensors")?;
        let mut picture = image::open(path).map_err(|error| format!("{path}: {error}"))?;
        picture.invert(); // The net has learnt that ink is 1 and paper 0.
        let options = ImageOptions::new(Resize::Fit(FilterType::Triangle), Channels::Grey);
        let input = net.input_from_image(&picture, &options)?;
        for (digit, probability) in net.top_k(&input, 3) {
            println!("{digit}: {:.1} %", 100.0 * probability);
        }
        Ok(())
    }

    /// A seven as somebody draws it: two thick strokes of ink on white paper.
    fn seven() -> image::GrayImage {
        let near = |x: f32, y: f32, from: [f32; 2], to: [f32; 2]| {
            let [dx, dy] = [to[0] - from[0], to[1] - from[1]];
            let along = ((x - from[0]) * dx + (y - from[1]) * dy) / (dx * dx + dy * dy);
            let along = along.clamp(0.0, 1.0);
            (x - from[0] - along * dx).hypot(y - from[1] - along * dy) < 13.0
        };
        image::GrayImage::from_fn(140, 180, |x, y| {
            let [x, y] = [x as f32, y as f32];
            let ink =
                near(x, y, [15.0, 15.0], [125.0, 15.0]) || near(x, y, [125.0, 15.0], [60.0, 165.0]);
            image::Luma([if ink { 20 } else { 250 }])
        })
    }

    /// What the page says to do, in a folder beside one of the repository's name.
    #[test]
    fn the_first_page_trains_and_tells_a_picture() -> Result<(), Box<dyn std::error::Error>> {
        let folder = tempfile::tempdir()?;
        let data = folder.path().join("typenet/data");
        std::fs::create_dir_all(&data)?;
        std::fs::create_dir(folder.path().join("first"))?;
        let digits = concat!(env!("CARGO_MANIFEST_DIR"), "/../data/digits.csv.gz");
        std::fs::copy(digits, data.join("digits.csv.gz"))?;
        std::env::set_current_dir(folder.path().join("first"))?;

        assert!(predict("seven.png").is_err(), "there is no net yet");
        train()?;
        seven().save("seven.png")?;
        predict("seven.png")?;

        let net = Digits::load("digits.safetensors")?;
        let csv = Csv::new().classes(10).scale(1.0 / 16.0);
        let digits = Dataset::from_csv("../typenet/data/digits.csv.gz", &csv)?;
        let (_, test) = digits.split(0.2, 42)?;
        let accuracy = evaluate(&net, &CrossEntropy::new(), &test)?.accuracy();
        assert!(accuracy.is_some_and(|accuracy| accuracy >= 0.97), "{accuracy:?}");
        let mut picture = image::open("seven.png")?;
        picture.invert();
        let options = ImageOptions::new(Resize::Fit(FilterType::Triangle), Channels::Grey);
        assert_eq!(net.predict(&*net.input_from_image(&picture, &options)?), 7);
        std::env::set_current_dir("/")?;
        Ok(())
    }
}

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

    network! {
        pub struct Pets: [3, 32, 32] -> [3] {
            conv2d(16, kernel = 3, padding = 1), relu, max_pool2d(2), flatten, linear(3),
        }
    }

    fn train_on_folder() -> Result<(), typenet::Error> {
        let crop = Resize::Crop(typenet::image::imageops::FilterType::Triangle);
        let options = ImageOptions::new(crop, Channels::Rgb);
        let images: Images<Input<Pets>> = ImageFolder::new("pets/train", options).open()?;
        let (mut train, mut validation) = images.split_stratified(0.1, 7)?;
        let statistics = train.channel_statistics()?;
        train.normalize(&statistics)?;
        validation.normalize(&statistics)?;

        let augment = Augment::new().border(Border::Reflect).random_crop(4).horizontal_flip();
        let train = train.augmented(augment, 7)?;
        let mut net = Pets::seeded(42);
        Trainer::new(Sgd::new(0.05).momentum(0.9).weight_decay(5e-4))
            .loss(CrossEntropy::new().label_smoothing(0.1))
            .batch(64)
            .epochs(20)
            .fit(&mut net, &train, Some(&validation))?;
        net.save("pets.safetensors") // with the names of the classes and the normalisation
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

/// What the table for users of PyTorch has on its right side.
#[allow(dead_code)]
mod coming_from_pytorch {
    use typenet::Normalization;
    use typenet::own::{Gradients, Layer, Parameters, Shape, ShapeError};
    use typenet::prelude::*;

    use super::programs::LeNet5;

    network! {
        struct Layers: [1, 32, 32] -> [10] {
            block basic(out) { residual { conv2d(out, kernel = 3, padding = 1) } relu }

            #[init(xavier_uniform)] stem: conv2d(6, kernel = 5, padding = 2), batch_norm,
            max_pool2d(3, stride = 2, ceil_mode = true),
            conv1: conv2d(6, kernel = 5), relu,
            skip: conv2d(64, kernel = 1), relu, add(skip),
            repeat(3) { basic(64) }
            a: conv_transpose2d(32, kernel = 2, stride = 2), relu, concat(a),
            max_pool2d(8), flatten, dropout(0.5), linear(120), linear(128),
            reshape([4, 8, 4]), max_pool2d(1), flatten, reshape([8, 4, 4]), global_avg_pool,
            #[frozen] fc: linear(256), reshape([4, 8, 8]), flatten, linear(10),
        }
    }

    type Data = Dataset<Input<LeNet5>>;

    fn data(mut data: Data, mean: Vec<f32>, std: Vec<f32>) -> typenet::Result<(Data, Data)> {
        data.normalize(&Normalization { mean, std })?;
        let (train, test) = data.split(0.2, 42)?;
        Ok((train, test))
    }

    fn loop_by_trainer(train: &Data, test: Data) -> typenet::Result<()> {
        let mut net = LeNet5::seeded(42);
        let sgd = Sgd::new(0.05).momentum(0.9).schedule(Schedule::cosine(30));
        let loss = CrossEntropy::new();
        Trainer::new(sgd.clone()).loss(loss.clone()).batch(128).fit(
            &mut net,
            &train,
            Some(&test),
        )?;
        Trainer::new(sgd).loss(loss).epochs(10).fit(&mut net, &train, Some(&test))?;
        net.set_trainable("conv1", false)?;
        Ok(())
    }

    /// A formula of its own; a larger one is in the example `own_layer`.
    #[derive(Debug)]
    struct Square;

    #[typenet::layer]
    impl Square {
        const fn output(self, input: Shape) -> Result<Shape, ShapeError> {
            Ok(input)
        }
    }

    impl Layer for Square {
        fn forward(&self, _: Shape, _: Parameters<'_>, x: &[f32], y: &mut [f32]) {
            y.iter_mut().zip(x).for_each(|(y, x)| *y = x * x);
        }

        fn backward(
            &self,
            _: Shape,
            _: Parameters<'_>,
            x: &[f32],
            dy: &[f32],
            dx: &mut [f32],
            _: Gradients<'_>,
        ) {
            (0..x.len()).for_each(|i| dx[i] = 2.0 * x[i] * dy[i]);
        }

        fn reference(&self, _: Shape, _: Parameters<'_, f64>, x: &[f64], y: &mut [f64]) {
            y.iter_mut().zip(x).for_each(|(y, x)| *y = x * x);
        }
    }

    fn longer(train: &Data) -> typenet::Result<()> {
        let mut net = LeNet5::seeded(42);
        let adam = AdamW::new(1e-3)
            .group("fc3", |group| group.learning_rate(1e-2))
            .schedule(Schedule::one_cycle(30));
        let trainer = Trainer::new(adam).loss(CrossEntropy::new());
        let trainer = trainer.clip_grad_norm(1.0);
        let trainer = trainer.average(Averaging::ema(0.999));
        let mut trainer = trainer.checkpoint("run.safetensors");
        trainer.resume(&mut net)?;
        trainer.fit(&mut net, train, None)?;
        Ok(())
    }

    // The README's reader holds the net itself, not a reference to it.
    #[allow(clippy::needless_borrow)]
    fn by_hand(
        net: &mut LeNet5,
        data: &Data,
        loss: &CrossEntropy,
        seed: u64,
    ) -> typenet::Result<()> {
        let mut ws = LeNet5::workspace(128);
        let mut sgd = Sgd::new(0.05).state(net);
        for batch in data.minibatches(128, seed) {
            let (x, y) = (&batch.inputs, &batch.labels);
            let mut net = &mut *net;
            net.forward(x, &mut ws);
            loss.forward_backward(y, &mut ws)?;
            net.backward(x, &mut ws);
            sgd.step(&mut net, ws.gradients());
            println!("{:?} {:?}", net.conv1.weight[0], ws.gradients().conv1.weight);
        }
        Ok(())
    }

    fn losses() -> (CrossEntropy, MeanSquaredError, BinaryCrossEntropy) {
        (CrossEntropy::new(), MeanSquaredError::new(), BinaryCrossEntropy::new())
    }

    // Without `no_grad`: nothing is recorded.
    fn use_it(
        mut net: LeNet5,
        images: Vec<Input<LeNet5>>,
        labels: Vec<usize>,
    ) -> typenet::Result<()> {
        let (image, loss) = (images[0], CrossEntropy::new());
        println!("{} {:?}", net.predict(&image), net.predict_batch(&images));
        println!("{:?} {:?}", net.probabilities(&image), net.top_k(&image, 3));
        println!("{}", LeNet5::summary());
        println!("{}", net.trace(&image));
        net.save("a.safetensors")?;
        net.load_weights("a.safetensors", &LoadOptions::new().keep("fc3."))?;
        let path = "b.safetensors";
        LeNet5::load_with(path, &LoadOptions::new().strip("module."))?;
        // RAYON_NUM_THREADS=4
        assert_eq!(net, LeNet5::load("a.safetensors")?);
        println!("{}", gradcheck(&net, &loss, &images, &labels)?);
        println!("{}", gradcheck_fast(&net, &loss, &images, &labels, 3, 1)?);
        let (x, v) = (images[0], images[1]);
        let (_output, _tangent) = net.jvp(&x, Direction::of_input(&v))?;
        Ok(())
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
    let mut here = lines(include_str!("readme.rs"));
    here.extend(lines(include_str!("../examples/classify/src/main.rs")));
    let mut all = blocks(include_str!("../README.md"), "rust");
    assert_eq!(all.len(), 7);
    all.extend(blocks(include_str!("../docs/embedding.md"), "rust"));
    for (guide, program) in [
        (include_str!("../docs/service.md"), include_str!("../examples/server/examples/guide.rs")),
        (include_str!("../docs/web.md"), include_str!("../examples/digit-page/guide.rs")),
    ] {
        here.extend(lines(program));
        all.extend(blocks(guide, "rust"));
    }
    for block in all {
        assert!(contains(&here, &lines(block)), "not in tests/readme.rs:\n{block}");
    }
}

/// The calls in the table for users of PyTorch, on the right of each line, without those that leave
/// something out.
#[test]
fn every_call_of_the_table_is_above() {
    let here =
        include_str!("readme.rs").split("mod coming_from_pytorch").nth(1).unwrap_or_default();
    let readme = include_str!("../README.md");
    let table = readme.split("| in PyTorch | in typenet |\n|---|---|\n").nth(1).unwrap_or_default();
    let mut calls = 0;
    for line in table.lines().take_while(|line| line.starts_with('|')) {
        let right = line.trim_end_matches(" |").rsplit(" | ").next().unwrap_or_default();
        for call in right.split('`').skip(1).step_by(2).filter(|call| !call.contains('…')) {
            // Lines are broken elsewhere there.
            let close = |text: &str| text.split_whitespace().collect::<String>();
            let call = call.replace(r"\|", "|");
            assert!(close(here).contains(&close(&call)), "`{call}` is not in tests/readme.rs");
            calls += 1;
        }
    }
    assert!(calls > 40, "{calls} calls");
}

#[test]
fn the_message_in_the_readme_is_what_the_compiler_says() {
    let message = blocks(include_str!("../README.md"), "text").concat();
    let said = include_str!("ui/kernel_too_large.stderr");
    assert_eq!(message.replace("src/main.rs", "kernel_too_large.rs"), said);
}
