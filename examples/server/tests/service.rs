//! The service as its clients see it: good ones, bad ones, and many.

mod client;

use std::io::Cursor;
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use client::{Anything, Response, Server, count, settings};
use serde_json::json;
use typenet::image::{DynamicImage, GrayImage, ImageFormat, Luma, LumaA};
use typenet::prelude::*;
use typenet::zoo::LeNet5;
use typenet_digit_page::{DigitNet, Picture};
use typenet_server_example::{Answer, Drawing, Served};

network! {
    /// A net that takes its time.
    struct Slow: [1, 2, 2] -> [10] { flatten, fc: linear(10) }
}

/// How long it takes for a batch.
const PAUSE: Duration = Duration::from_millis(300);

impl Served for Slow {
    fn numbers(&self, picture: &Picture<'_>) -> Result<Vec<f32>, String> {
        Ok(picture.pixels().iter().map(|&shade| f32::from(shade)).collect())
    }

    fn answer(
        &self,
        workspace: &mut Workspace<Slow>,
        inputs: &[Input<Slow>],
        outputs: &mut [Output<Slow>],
    ) -> typenet::Result<()> {
        thread::sleep(PAUSE);
        self.outputs_into(workspace, inputs, outputs)
    }
}

const SMALL: &str = r#"{"width": 2, "height": 2, "pixels": [1, 2, 3, 4]}"#;

/// A seven, of some size, at some place.
fn seven(top: u32, height: u32) -> GrayImage {
    GrayImage::from_fn(100, 100, |x, y| {
        let (x, y) = (f64::from(x) - 30.0, f64::from(y) - f64::from(top));
        let height = f64::from(height);
        let bar = (0.0..0.14 * height).contains(&y) && (0.0..0.6 * height).contains(&x);
        let slope = 0.6 * height - 0.4 * y - x;
        let stem = (0.0..height).contains(&y) && (0.0..0.14 * height).contains(&slope);
        Luma([if bar || stem { 0 } else { 255 }])
    })
}

fn drawing(image: &GrayImage) -> Result<Vec<u8>, Anything> {
    let (width, height) = (image.width() as usize, image.height() as usize);
    Ok(serde_json::to_vec(&Drawing { width, height, pixels: image.as_raw().clone() })?)
}

fn encoded(image: impl Into<DynamicImage>, format: ImageFormat) -> Result<Vec<u8>, Anything> {
    let mut file = Cursor::new(Vec::new());
    image.into().write_to(&mut file, format)?;
    Ok(file.into_inner())
}

#[test]
fn the_page_is_one_file() -> Result<(), Anything> {
    let server = Server::start(DigitNet::pretrained(), settings())?;
    let page = server.ask("GET", "/", b"")?;
    assert_eq!(page.status, 200);
    assert!(page.head.contains("content-type: text/html"), "{}", page.head);
    assert!(page.text().contains("async function predict("));
    assert!(!page.text().contains(" src=") && !page.text().contains("href=\"http"));
    Ok(())
}

#[test]
fn a_drawing_is_read() -> Result<(), Anything> {
    let server = Server::start(DigitNet::pretrained(), settings())?;
    let answer = server.post("/predict?input=true", drawing(&seven(20, 60))?)?;
    assert_eq!(answer.status, 200, "{answer:?}");
    let answer: Answer = serde_json::from_slice(&answer.body)?;
    assert_eq!(answer.class, 7, "{answer:?}");
    assert!((answer.probabilities.iter().sum::<f32>() - 1.0).abs() < 1e-5);
    assert_eq!(answer.input.map_or(0, |input| input.len()), 64);
    Ok(())
}

#[test]
fn image_files_are_read() -> Result<(), Anything> {
    let server = Server::start(DigitNet::pretrained(), settings())?;
    let dark = seven(20, 60);
    let light = GrayImage::from_fn(100, 100, |x, y| Luma([255 - dark.get_pixel(x, y).0[0]]));
    let on_nothing = typenet::image::ImageBuffer::from_fn(100, 100, |x, y| {
        LumaA([0_u8, 255 - dark.get_pixel(x, y).0[0]])
    });
    let files = [
        encoded(dark.clone(), ImageFormat::Png)?,
        encoded(dark, ImageFormat::Jpeg)?,
        encoded(light, ImageFormat::Png)?,
        encoded(on_nothing, ImageFormat::Png)?,
    ];
    for file in files {
        let answer = server.post("/predict/image", file)?;
        assert_eq!((answer.status, &answer.json()["class"]), (200, &json!(7)), "{answer:?}");
    }
    Ok(())
}

/// What `curl --form` sends: of each field its name, the name of its file, if it is one, and its content.
fn form(fields: &[(&str, Option<&str>, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, file, content) in fields {
        let file = file.map_or(String::new(), |file| format!("; filename=\"{file}\""));
        let head =
            format!("--edge\r\ncontent-disposition: form-data; name=\"{name}\"{file}\r\n\r\n");
        body.extend([head.as_bytes(), content, b"\r\n"].concat());
    }
    body.extend(b"--edge--\r\n");
    body
}

fn post_form(server: &Server, kind: &str, body: &[u8]) -> Result<Response, Anything> {
    let mut client = server.connect()?;
    let length = body.len();
    client.send(format!(
        "POST /predict/image HTTP/1.1\r\nhost: test\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n\r\n"
    ))?;
    // The server may answer, and close, before it has read all of the body.
    let _ = client.send(body);
    Ok(client.response()?)
}

#[test]
fn files_come_in_forms_too() -> Result<(), Anything> {
    let server = Server::start(DigitNet::pretrained(), settings())?;
    let png = encoded(seven(20, 60), ImageFormat::Png)?;
    let kind = "multipart/form-data; boundary=edge";
    let whole = form(&[("note", None, b"a seven"), ("image", Some("seven.png"), &png)]);
    let answer = post_form(&server, kind, &whole)?;
    assert_eq!((answer.status, &answer.json()["class"]), (200, &json!(7)), "{answer:?}");
    let twice = form(&[("a", Some("7.png"), &png), ("b", Some("text"), b"what is this?")]);
    assert_eq!(post_form(&server, "Multipart/Form-Data; boundary=\"edge\"", &twice)?.status, 200);

    let no_image = form(&[("image", Some("seven.gif"), b"GIF89a")]);
    let long = form(&[("image", Some("long.png"), &vec![0; 300_000])]);
    for (status, name, kind, body) in [
        (400, "no file", kind, &form(&[("note", None, b"a seven")])[..]),
        (400, "an empty form", kind, &form(&[])),
        (400, "no form", kind, b"what is this?"),
        (400, "half a form", kind, &whole[..whole.len() / 2]),
        (400, "no boundary", "multipart/form-data", &whole),
        (413, "a long file", kind, &long),
        (415, "a file of another kind", kind, &no_image),
    ] {
        let answer = post_form(&server, kind, body)?;
        assert_eq!(answer.status, status, "{name}: {answer:?}");
        assert!(answer.json()["error"].is_string(), "{name}: {answer:?}");
    }
    Ok(())
}

#[test]
fn another_net_is_served_too() -> Result<(), Anything> {
    let net = LeNet5::seeded(42);
    let image = net.input_from_u8(&[9; 784])?;
    let expected = net.probabilities(&image);
    let server = Server::start(net, settings())?;
    let body = json!({"width": 28, "height": 28, "pixels": vec![9; 784]}).to_string();
    let answer: Answer = serde_json::from_slice(&server.post("/predict", &body)?.body)?;
    for (p, expected) in answer.probabilities.iter().zip(expected) {
        assert!((p - expected).abs() < 1e-5, "{answer:?}");
    }
    let body = json!({"width": 7, "height": 7, "pixels": vec![9; 49]}).to_string();
    assert_eq!(server.post("/predict", &body)?.status, 422);
    Ok(())
}

#[test]
fn what_is_wrong_with_a_drawing_is_said() -> Result<(), Anything> {
    let server = Server::start(DigitNet::pretrained(), settings())?;
    for (status, body) in [
        (400, ""),
        (400, "{"),
        (400, "\0\u{1}"),
        (422, "[]"),
        (422, "{}"),
        (422, r#"{"width": 2, "height": 1, "pixels": "ab"}"#),
        (422, r#"{"width": 2, "height": 1, "pixels": [0, 256]}"#),
        (422, r#"{"width": 2, "height": 1, "pixels": [0, -1]}"#),
        (422, r#"{"width": 2, "height": 1, "pixels": [0, 0.5]}"#),
        (422, r#"{"width": 2, "height": 2, "pixels": [0, 1]}"#),
        (422, r#"{"width": 0, "height": 0, "pixels": []}"#),
        (422, r#"{"width": 18446744073709551615, "height": 2, "pixels": [0, 1]}"#),
        (422, r#"{"width": 2, "height": 1, "pixels": [255, 255]}"#),
    ] {
        let answer = server.post("/predict", body)?;
        assert_eq!(answer.status, status, "{body}: {answer:?}");
        assert!(answer.json()["error"].is_string(), "{body}: {answer:?}");
    }
    assert_eq!(server.ask("GET", "/nothing", b"")?.status, 404);
    assert_eq!(server.ask("GET", "/predict", b"")?.status, 405);
    assert_eq!(server.post("/predict?input=perhaps", SMALL)?.status, 400);
    Ok(())
}

#[test]
fn broken_and_huge_images_are_refused() -> Result<(), Anything> {
    let server = Server::start(DigitNet::pretrained(), settings())?;
    let png = encoded(seven(20, 60), ImageFormat::Png)?;
    let jpeg = encoded(seven(20, 60), ImageFormat::Jpeg)?;
    // The size stands in the file's 16th to 24th byte, and behind them a checksum.
    let mut huge = encoded(GrayImage::new(1, 1), ImageFormat::Png)?;
    huge[16..24].copy_from_slice(&[0, 0, 200, 0, 0, 0, 200, 0]);
    let checksum = crc(&huge[12..29]);
    huge[29..33].copy_from_slice(&checksum.to_be_bytes());
    let wide = encoded(GrayImage::new(5000, 1), ImageFormat::Png)?;
    let blank = encoded(GrayImage::new(50, 50), ImageFormat::Png)?;
    for (status, name, file) in [
        (415, "nothing", &b""[..]),
        (415, "text", b"what is this?"),
        (415, "a GIF", b"GIF89a\x01\0\x01\0\0\0\0"),
        (422, "half a PNG", &png[..png.len() / 2]),
        (422, "the head of a PNG", &png[..20]),
        (422, "the head of a JPEG", &jpeg[..jpeg.len() / 8]),
        (413, "a huge PNG", &huge),
        (413, "a wide PNG", &wide),
        (422, "a blank PNG", &blank),
    ] {
        let answer = server.post("/predict/image", file)?;
        assert_eq!(answer.status, status, "{name}: {answer:?}");
        assert!(answer.json()["error"].is_string(), "{name}: {answer:?}");
    }
    Ok(())
}

/// The checksum of PNG files.
fn crc(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for &byte in bytes {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xEDB8_8320 * (crc & 1));
        }
    }
    !crc
}

#[test]
fn long_bodies_are_cut_off() -> Result<(), Anything> {
    let server = Server::start(DigitNet::pretrained(), settings())?;
    assert_eq!(server.post("/predict", vec![b' '; 300_000])?.status, 413);

    // One that never ends.
    let mut client = server.connect()?;
    client.send("POST /predict HTTP/1.1\r\nhost: test\r\ntransfer-encoding: chunked\r\n\r\n")?;
    let chunk = format!("{:x}\r\n{}\r\n", 10_000, " ".repeat(10_000));
    while client.send(&chunk).is_ok() {}
    assert!(client.response().is_ok_and(|answer| answer.status == 413) || client.is_closed());

    assert_eq!(server.ask("GET", "/healthz", b"")?.status, 200);
    Ok(())
}

#[test]
fn slow_clients_do_not_stay() -> Result<(), Anything> {
    let server = Server::start(DigitNet::pretrained(), settings())?;
    let start = Instant::now();
    let mut idle = server.connect()?;
    let mut slow_head = server.connect()?;
    slow_head.send("POST /predict HT")?;
    let mut slow_body = server.connect()?;
    slow_body.send("POST /predict HTTP/1.1\r\nhost: test\r\ncontent-length: 100\r\n\r\n{\"wid")?;
    let mut idle_after_answer = server.connect()?;
    assert_eq!(idle_after_answer.ask("GET", "/healthz", b"")?.status, 200);

    // Drop by drop, each in time.
    let mut dripping = server.connect()?;
    let drip = thread::spawn(move || {
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(5) {
            if dripping.send("G").is_err() {
                return true;
            }
            thread::sleep(Duration::from_millis(50));
        }
        false
    });

    assert_eq!(slow_body.response()?.status, 408);
    assert!(slow_body.is_closed() && slow_head.is_closed() && idle.is_closed());
    assert!(idle_after_answer.is_closed());
    assert!(drip.join().is_ok_and(|ended| ended));
    assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
    Ok(())
}

#[test]
fn who_does_not_read_is_cut_off() -> Result<(), Anything> {
    let server = Server::start(DigitNet::pretrained(), settings())?;
    let stream = TcpStream::connect(server.address)?;
    stream.set_write_timeout(Some(Duration::from_secs(5)))?;
    let requests = "GET / HTTP/1.1\r\nhost: test\r\n\r\n".repeat(1000);
    let start = Instant::now();
    let error = loop {
        if let Err(error) = std::io::Write::write_all(&mut &stream, requests.as_bytes()) {
            break error;
        }
        assert!(start.elapsed() < Duration::from_secs(8));
    };
    assert_ne!(error.kind(), std::io::ErrorKind::WouldBlock, "still connected");
    Ok(())
}

#[test]
fn a_full_queue_says_so_at_once() -> Result<(), Anything> {
    let few = client::count(1);
    let server = Server::start(
        Slow::seeded(1),
        typenet_server_example::Settings {
            queue: few,
            batch: few,
            timeout: Duration::from_secs(5),
            ..settings()
        },
    )?;
    let mut clients = Vec::new();
    // One runs, one waits.
    for _ in 0..2 {
        let mut client = server.connect()?;
        let head = format!(
            "POST /predict HTTP/1.1\r\nhost: test\r\ncontent-length: {}\r\n\r\n",
            SMALL.len()
        );
        client.send(head + SMALL)?;
        clients.push(client);
        thread::sleep(Duration::from_millis(60));
    }
    let start = Instant::now();
    let refused = server.post("/predict", SMALL)?;
    assert!(start.elapsed() < Duration::from_millis(50), "{:?}", start.elapsed());
    assert_eq!(refused.status, 503);
    assert!(refused.head.contains("retry-after: 1"), "{}", refused.head);
    for mut client in clients {
        assert_eq!(client.response()?.status, 200);
    }
    assert_eq!(server.post("/predict", SMALL)?.status, 200);
    Ok(())
}

#[test]
fn a_slow_net_is_not_waited_for() -> Result<(), Anything> {
    let timeout = Duration::from_millis(100);
    let server =
        Server::start(Slow::seeded(1), typenet_server_example::Settings { timeout, ..settings() })?;
    let answer = server.post("/predict", SMALL)?;
    assert_eq!(answer.status, 503, "{answer:?}");
    assert!(answer.text().contains("too long"));
    Ok(())
}

#[test]
fn each_of_many_clients_gets_its_own_answer() -> Result<(), Anything> {
    let server = Server::start(DigitNet::pretrained(), settings())?;
    let net = DigitNet::pretrained();
    thread::scope(|scope| {
        for i in 0..16 {
            let (server, net) = (&server, &net);
            scope.spawn(move || {
                let ask = || -> Result<(), Anything> {
                    let mut client = server.connect()?;
                    for j in 0..20 {
                        let image = seven(i + j % 5, 20 + 2 * j);
                        let picture = Picture::new(100, 100, image.as_raw()).ok_or("no picture")?;
                        let input = typenet_digit_page::input(&picture).ok_or("no ink")?;
                        let expected = net.probabilities(&input);
                        let answer = client.ask("POST", "/predict", &drawing(&image)?)?;
                        let answer: Answer = serde_json::from_slice(&answer.body)?;
                        for (p, expected) in answer.probabilities.iter().zip(expected) {
                            assert!((p - expected).abs() < 1e-4, "{answer:?}, {expected:?}");
                        }
                    }
                    Ok(())
                };
                let asked = ask();
                assert!(asked.is_ok(), "{asked:?}");
            });
        }
    });
    let metrics = server.ask("GET", "/metrics", b"")?.text();
    let counted = "requests_total{path=\"/predict\",status=\"200\"} 320";
    assert!(metrics.contains(counted), "{metrics}");
    for name in ["batch_size_bucket", "request_duration_seconds_bucket", "queue_length 0"] {
        assert!(metrics.contains(name), "{metrics}");
    }
    Ok(())
}

#[test]
fn many_connections_take_turns() -> Result<(), Anything> {
    let connections = count(8);
    let server = Server::start(
        DigitNet::pretrained(),
        typenet_server_example::Settings { connections, ..settings() },
    )?;
    let mut idle = Vec::new();
    for _ in 0..40 {
        idle.push(server.connect()?);
    }
    // Behind 40 that say nothing, of which 8 at a time are heard.
    assert_eq!(server.ask("GET", "/healthz", b"")?.status, 200);
    assert!(idle.iter_mut().all(client::Client::is_closed));
    Ok(())
}

#[test]
fn what_was_accepted_is_answered_before_the_end() -> Result<(), Anything> {
    let mut server = Server::start(Slow::seeded(1), settings())?;
    let mut idle = server.connect()?;
    let mut at_work = server.connect()?;
    let head =
        format!("POST /predict HTTP/1.1\r\nhost: test\r\ncontent-length: {}\r\n\r\n", SMALL.len());
    at_work.send(head + SMALL)?;
    thread::sleep(PAUSE / 3);
    server.tell_to_stop();
    thread::sleep(PAUSE / 3);
    assert!(TcpStream::connect(server.address).is_err(), "still accepts");
    assert!(!server.has_stopped());
    let answer = at_work.response()?;
    assert_eq!(answer.status, 200);
    assert!(answer.head.contains("connection: close"), "{}", answer.head);
    assert!(at_work.is_closed() && idle.is_closed());
    let start = Instant::now();
    while !server.has_stopped() {
        assert!(start.elapsed() < Duration::from_secs(3));
        thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}
