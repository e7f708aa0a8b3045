//! A small HTTP server on loopback: it answers what a test says, and remembers what it was asked.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What a client asked for.
#[derive(Debug, Clone)]
pub struct Request {
    /// With the query.
    pub path: String,
    /// The value of `Authorization`.
    pub authorization: Option<String>,
}

/// What it gets.
#[derive(Debug, Clone, Default)]
pub struct Reply {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
    /// Say that the body is this long, whatever is sent.
    length: Option<usize>,
    delay: Duration,
}

/// Runs until the test process ends.
pub struct Server {
    pub host: String,
    asked: Arc<Mutex<Vec<Request>>>,
}

impl Reply {
    pub fn ok(body: impl Into<Vec<u8>>) -> Self {
        Self { status: 200, body: body.into(), ..Self::default() }
    }

    pub fn status(status: u16) -> Self {
        Self { status, ..Self::default() }
    }

    pub fn redirect(to: impl Into<String>) -> Self {
        Self::status(302).header("Location", to)
    }

    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub fn claiming(mut self, length: usize) -> Self {
        self.length = Some(length);
        self
    }

    pub fn after(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }
}

impl Server {
    /// Starts a server. `answer` also gets the server's own `host:port`.
    pub fn start(answer: impl Fn(&Request, &str) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (own_host, log, answer) = (host.clone(), asked.clone(), Arc::new(answer));
        std::thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let (own_host, log, answer) = (own_host.clone(), log.clone(), answer.clone());
                // A client that hangs up early is part of some tests.
                std::thread::spawn(move || serve(connection, &own_host, &log, &*answer));
            }
        });
        Self { host, asked }
    }

    /// The requests so far.
    pub fn asked(&self) -> Vec<Request> {
        self.asked.lock().unwrap().clone()
    }
}

fn serve(
    mut connection: TcpStream,
    host: &str,
    log: &Mutex<Vec<Request>>,
    answer: &dyn Fn(&Request, &str) -> Reply,
) -> std::io::Result<()> {
    let mut lines = BufReader::new(connection.try_clone()?).lines();
    let first = lines.next().transpose()?.unwrap_or_default();
    let path = first.split(' ').nth(1).unwrap_or_default().to_string();
    let mut authorization = None;
    while let Some(line) = lines.next().transpose()?.filter(|line| !line.is_empty()) {
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("authorization")
        {
            authorization = Some(value.trim().to_string());
        }
    }
    let request = Request { path, authorization };
    log.lock().unwrap().push(request.clone());
    let reply = answer(&request, host);
    let length = reply.length.unwrap_or(reply.body.len());
    write!(connection, "HTTP/1.1 {} x\r\nConnection: close\r\nContent-Length: {length}\r\n", reply.status)?;
    for (name, value) in reply.headers {
        write!(connection, "{name}: {value}\r\n")?;
    }
    connection.write_all(b"\r\n")?;
    let (first, rest) = reply.body.split_at(reply.body.len() / 2);
    connection.write_all(first)?;
    std::thread::sleep(reply.delay);
    connection.write_all(rest)
}
