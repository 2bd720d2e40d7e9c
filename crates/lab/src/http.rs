//! HTTP/1.1 as one who asks speaks it: a request, an answer, and another one on
//! the same connection.

use std::io::{self, BufRead as _, BufReader, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::Path;

use rustix::net::{AddressFamily, SocketFlags, SocketType};

use crate::daemon::PATIENCE;

/// What a connection is made of.
trait Duplex: Read + Write + Send {}
impl<T: Read + Write + Send> Duplex for T {}

/// A connection.
pub struct HttpConnection {
    wire: BufReader<Box<dyn Duplex>>,
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpAnswer {
    /// The status code.
    pub status: u16,
    /// The headers, their names in small letters.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

impl HttpAnswer {
    /// A header of this name, in small letters.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

impl HttpConnection {
    /// Connects to a Unix socket.
    ///
    /// # Errors
    /// What the system says.
    pub fn unix(path: &Path) -> io::Result<Self> {
        let stream = UnixStream::connect(path)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Self { wire: BufReader::new(Box::new(stream)) })
    }

    /// Connects to a port.
    ///
    /// # Errors
    /// What the system says.
    pub fn tcp(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Self { wire: BufReader::new(Box::new(stream)) })
    }

    /// Connects to a port from this address, which has to be one of this host.
    ///
    /// # Errors
    /// What the system says.
    pub fn tcp_from(source: IpAddr, address: SocketAddr) -> io::Result<Self> {
        let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
        let (kind, flags) = (SocketType::STREAM, SocketFlags::CLOEXEC);
        let socket = rustix::net::socket_with(family, kind, flags, None)?;
        rustix::net::bind(&socket, &SocketAddr::new(source, 0))?;
        rustix::net::connect(&socket, &address)?;
        let stream = TcpStream::from(socket);
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Self { wire: BufReader::new(Box::new(stream)) })
    }

    /// Asks for something and waits for the answer.
    ///
    /// # Errors
    /// If the connection ends before it.
    pub fn get(&mut self, target: &str, headers: &[(&str, &str)]) -> io::Result<HttpAnswer> {
        let mut request = format!("GET {target} HTTP/1.1\r\nHost: localhost\r\n");
        for (name, value) in headers {
            request.extend([name, ": ", value, "\r\n"]);
        }
        self.send((request + "\r\n").as_bytes())?;
        self.receive()
    }

    /// Sends these bytes, whatever they are.
    ///
    /// # Errors
    /// What the system says.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.wire.get_mut().write_all(bytes)
    }

    /// Waits for an answer.
    ///
    /// # Errors
    /// If the connection ends before it, or what comes is no answer.
    pub fn receive(&mut self) -> io::Result<HttpAnswer> {
        let odd = || io::Error::other("no answer of HTTP/1.1");
        let first = self.line()?;
        let status = first.split(' ').nth(1).and_then(|code| code.parse().ok()).ok_or_else(odd)?;
        let mut headers = Vec::new();
        loop {
            let line = self.line()?;
            if line.is_empty() {
                break;
            }
            let (name, value) = line.split_once(':').ok_or_else(odd)?;
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        let mut answer = HttpAnswer { status, headers, body: String::new() };
        if let Some(length) = answer.header("content-length") {
            let mut body = vec![0; length.parse().map_err(|_| odd())?];
            self.wire.read_exact(&mut body)?;
            answer.body = String::from_utf8_lossy(&body).into_owned();
        }
        Ok(answer)
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        if self.wire.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(line.trim_end().to_owned())
    }
}
