//! What a connection to the stand-ins and a round trip take a client that does nothing else.

use std::error::Error;
use std::io;
use std::time::Instant;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

use super::process::{Site, milliseconds};
use super::series::Series;
use super::tls::Front;
use crate::local::{Local, SECRET};
use crate::secrets_manager::ACCESS_KEY_ID;

const ROUND_TRIPS: usize = 200;
const CONNECTIONS: usize = 20;

/// DescribeSecret by hand over one connection, in milliseconds.
pub(super) async fn round_trip(site: &Site) -> Result<f64, Box<dyn Error>> {
    let Some(front) = &site.front else {
        let stream = TcpStream::connect(site.local.secrets_manager_address).await?;
        stream.set_nodelay(true)?;
        return Ok(over(stream, &site.local).await?);
    };
    Ok(over(front.connect().await?, &site.local).await?)
}

/// A connection and its handshake, both ends of it, in milliseconds.
pub(super) async fn handshake(front: &Front) -> Result<f64, Box<dyn Error>> {
    let mut series = Series::default();
    for _ in 0..CONNECTIONS {
        let began = Instant::now();
        drop(front.connect().await?);
        series.push(milliseconds(began.elapsed()));
    }
    Ok(series.median())
}

async fn over(mut stream: impl AsyncRead + AsyncWrite + Unpin, local: &Local) -> io::Result<f64> {
    let body = format!(r#"{{"SecretId":"{}"}}"#, local.arn(SECRET));
    let request = format!(
        "POST / HTTP/1.1\r\nhost: {}\r\ncontent-type: application/x-amz-json-1.1\r\nx-amz-target: \
         secretsmanager.DescribeSecret\r\nauthorization: AWS4-HMAC-SHA256 \
         Credential={ACCESS_KEY_ID}/\r\ncontent-length: {}\r\n\r\n{body}",
        local.secrets_manager_address,
        body.len(),
    );
    let mut buffer = vec![0; 16 * 1024];
    let mut series = Series::default();
    for _ in 0..ROUND_TRIPS {
        let began = Instant::now();
        stream.write_all(request.as_bytes()).await?;
        stream.flush().await?;
        // The answer is small enough to come in one piece.
        if stream.read(&mut buffer).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        series.push(milliseconds(began.elapsed()));
    }
    Ok(series.median())
}
