//! A page with everything wrong that the tests look for.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

const PAGE: &str = r#"<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>faulty</title>
<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,"><link rel="stylesheet" href="/style.css"></head>
<body><main><h1>Hello</h1><button id="button">One</button><p id="twice" class="low">low</p><p id="twice">twice</p>
<div id="wide">wide</div><img src="/picture"></main><script src="/page.js"></script></body></html>"#;

const STYLE: &str =
    "body{background:#fff;color:#111} .low{color:#ccc} #wide{width:1000px;height:300px} #late{height:900px}";

const SCRIPT: &str =
    "console.error('bad', 7); const asked = ['/missing', 'http://elsewhere.invalid/'].map(url => fetch(url));
new Promise(() => { throw new Error('thrown') }); document.body.setAttribute('style', 'x:1'); alert('hello');
const painted = () => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
document.getElementById('button').addEventListener('click', () => document.title = 'clicked');
Promise.allSettled(asked).then(painted).then(() => { const late = document.createElement('p'); late.id = 'late';
  document.querySelector('main').prepend(late) });";

/// Serves it, for as long as this process runs.
pub fn serve() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || answer(stream));
        }
    });
    address
}

fn answer(mut stream: TcpStream) {
    let mut request = [0; 4096];
    let read = stream.read(&mut request).unwrap_or(0);
    let request = String::from_utf8_lossy(&request[..read]);
    let large = " ".repeat(20_000);
    let (status, kind, body) = match request.split(' ').nth(1) {
        Some("/") => ("200 OK", "text/html", format!("{PAGE}{large}")),
        Some("/style.css") => ("200 OK", "text/css", STYLE.to_owned()),
        Some("/page.js") => ("200 OK", "text/javascript", SCRIPT.to_owned()),
        _ => ("404 Not Found", "text/plain", "no".to_owned()),
    };
    let policy = "default-src 'self'; connect-src *; img-src * data:; style-src 'self'";
    let length = body.len();
    // A browser that has gone away does not matter.
    let _ = write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Security-Policy: {policy}\r\nContent-Length: {length}\r\n\
         Connection: close\r\n\r\n{body}"
    );
}
