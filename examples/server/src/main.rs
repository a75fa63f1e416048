//! Serves a net that reads drawn digits: `cargo run --release -p typenet-server-example`, then open
//! <http://127.0.0.1:8080>. `--help` lists the limits.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use typenet::Network;
use typenet::zoo::LeNet5;
use typenet_server_example::{Served, Settings, listen, serve};

type Anything = Box<dyn std::error::Error>;

/// Serves a net that reads drawn digits.
#[derive(Parser)]
struct Arguments {
    /// Where to listen. The default is for this computer alone.
    #[arg(long, default_value = "127.0.0.1:8080")]
    address: SocketAddr,
    /// How many requests may wait for the net; more are answered with 503.
    #[arg(long, default_value = "256")]
    queue: NonZeroUsize,
    /// How many of them the net takes at once.
    #[arg(long, default_value = "64")]
    batch: NonZeroUsize,
    /// On how many threads the net runs: more than one pays for larger nets.
    #[arg(long, default_value = "1")]
    threads: NonZeroUsize,
    /// Seconds in which a body must have come, and in which the net must have answered.
    #[arg(long, default_value = "5", value_parser = seconds)]
    timeout: Duration,
    /// Seconds in which a request's head must have come; so long may a connection be idle.
    #[arg(long, default_value = "10", value_parser = seconds)]
    head_timeout: Duration,
    /// Bytes of a body.
    #[arg(long, default_value = "2097152")]
    body_limit: NonZeroUsize,
    /// Connections at a time; more wait until one ends.
    #[arg(long, default_value = "1024")]
    connections: NonZeroUsize,
    /// The net: LeNet-5 has random weights, and is there to be measured.
    #[arg(long, default_value = "digits", hide = true)]
    net: Net,
}

#[derive(Clone, ValueEnum)]
enum Net {
    Digits,
    Lenet5,
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| format!("`{text}` is no number of seconds"))?;
    match Duration::try_from_secs_f64(seconds) {
        Ok(duration) if !duration.is_zero() => Ok(duration),
        _ => Err("must be more than zero".to_owned()),
    }
}

#[tokio::main]
async fn main() -> Result<(), Anything> {
    let arguments = Arguments::parse();
    let settings = Settings {
        queue: arguments.queue,
        batch: arguments.batch,
        threads: arguments.threads,
        timeout: arguments.timeout,
        head_timeout: arguments.head_timeout,
        body_limit: arguments.body_limit,
        connections: arguments.connections,
    };
    match arguments.net {
        Net::Digits => {
            run(arguments.address, typenet_digit_page::DigitNet::pretrained(), settings).await
        }
        Net::Lenet5 => run(arguments.address, LeNet5::seeded(42), settings).await,
    }
}

async fn run<N: Served>(address: SocketAddr, net: N, settings: Settings) -> Result<(), Anything> {
    let listener = listen(address).map_err(|error| format!("{address}: {error}"))?;
    println!("listening on http://{}", listener.local_addr()?);
    serve(listener, net, settings, stop_signal()?).await?;
    println!("stopped");
    Ok(())
}

/// Ends at Ctrl-C, or when the process is told to end.
fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    #[cfg(unix)]
    let mut end = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    Ok(async move {
        #[cfg(unix)]
        let end = end.recv();
        #[cfg(not(unix))]
        let end = std::future::pending::<()>();
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = end => {}
        }
    })
}
