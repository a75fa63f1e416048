//! Connections: how many, how long, and how they end.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tokio_io_timeout::TimeoutStream;

use crate::metrics::Metrics;
use crate::queue::Queue;
use crate::routes::router;
use crate::served::Served;
use crate::settings::Settings;

/// How many may have connected and not been accepted.
const BACKLOG: u32 = 4096;

/// Listens with room for many that connect at once: those for whom there is none would try again after a
/// second, and `TcpListener::bind` has room for 128.
///
/// # Errors
/// When the address cannot be had.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // A server that starts again need not wait for the connections of the last one.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Serves the net until `stop` ends. Then no connections are accepted, and those with requests end
/// when these are answered, or after three times the timeout.
///
/// # Errors
/// When the net's thread cannot be started.
pub async fn serve<N: Served>(
    listener: TcpListener,
    net: N,
    settings: Settings,
    stop: impl Future<Output = ()>,
) -> io::Result<()> {
    let (net, metrics) = (Arc::new(net), Arc::new(Metrics::new()));
    let Settings { queue, batch, threads, .. } = settings;
    let queue = Queue::start(net.clone(), queue, batch, threads, metrics.clone())?;
    let service = TowerToHyperService::new(router(net, queue, metrics.clone(), settings));

    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(settings.head_timeout);
    let free = Arc::new(Semaphore::new(settings.connections.get()));
    let connections = GracefulShutdown::new();
    let mut stop = pin!(stop);
    loop {
        let accepted = async {
            let Ok(place) = free.clone().acquire_owned().await else { unreachable!() };
            (place, listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            accepted = accepted => accepted,
            () = &mut stop => break,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(_) => {
                // The peer has gone, or this process has no more file handles: some come back.
                sleep(Duration::from_millis(20)).await;
                continue;
            }
        };
        // Answers are small and whole: waiting for more would delay them. A failure costs speed only.
        let _ = stream.set_nodelay(true);
        let mut stream = TimeoutStream::new(stream);
        // For those who ask and do not read the answers.
        stream.set_write_timeout(Some(settings.timeout));
        let connection = http.serve_connection(TokioIo::new(Box::pin(stream)), service.clone());
        let connection = connections.watch(connection);
        let open = metrics.connections().clone();
        open.inc();
        tokio::spawn(async move {
            // How a connection broke is its peer's concern.
            let _ = connection.await;
            open.dec();
            drop(place);
        });
    }
    drop(listener);
    let _ = timeout(3 * settings.timeout, connections.shutdown()).await;
    // The net's thread ends with the last connection.
    Ok(())
}
