//! A folder in which commands run, and services that run in it.

use rustix::process::{Pid, Resource, Rlimit, Signal, getrlimit, kill_process, prlimit};
use serde_json::Value;
use std::cell::RefCell;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// Free ones; the log tells which.
const PORTS: [&str; 4] = ["--listen", "127.0.0.1:0", "--ops-listen", "127.0.0.1:0"];
/// For stores that have none beside them.
pub(crate) const MASTER_KEY: &str = "Bz+7jQx0m1sR8o5yPpyb0zqv2J1Y4m3n0rVw8kqTtEU=";

/// Makes a library for `LD_PRELOAD` of a source beside this file.
pub(crate) fn compile_for_preload(source: &str, library: &Path) {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/command").join(source);
    assert!(Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(library).arg(source).status().unwrap().success());
}

pub(crate) struct Place {
    folder: TempDir,
    environment: Vec<(String, String)>,
}

/// What a command left behind.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) status: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Place {
    pub(crate) fn empty() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), environment: Vec::new() }
    }

    pub(crate) fn migrated() -> Self {
        let place = Self::empty();
        place.run(&["migrate"]).succeeded();
        place
    }

    pub(crate) fn with(mut self, variable: &str, value: &str) -> Self {
        self.environment.push((variable.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, content).unwrap();
        path
    }

    pub(crate) fn set_mode(&self, name: &str, mode: u32) {
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(mode)).unwrap();
    }

    pub(crate) fn mode(&self, name: &str) -> u32 {
        fs::metadata(self.path(name)).unwrap().permissions().mode() & 0o777
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.prepared(Command::new(env!("CARGO_BIN_EXE_vestibule")));
        command.args(arguments);
        command
    }

    fn prepared(&self, mut command: Command) -> Command {
        command.current_dir(self.folder.path()).env_clear().envs(self.environment.iter().cloned());
        command
    }

    /// Commands and services on this store, with a master key of their own.
    pub(crate) fn on(url: &str) -> Self {
        Self::empty().with("DATABASE_URL", url).with("VESTIBULE_TOKENS__MASTER_KEY", MASTER_KEY)
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Outcome {
        self.run_with_input(arguments, "")
    }

    pub(crate) fn run_with_input(&self, arguments: &[&str], input: &str) -> Outcome {
        let mut command = self.command(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // A command that does not read its input closes the pipe.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let output = child.wait_with_output().unwrap();
        Outcome {
            status: output.status.code().expect("it was not killed"),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// A service on free ports, which listens.
    pub(crate) fn start(&self, arguments: &[&str]) -> Service {
        let mut service = self.launch(arguments);
        service.public = Some(service.next_address());
        service
    }

    /// A service on free ports, which may never come to listen.
    pub(crate) fn launch(&self, arguments: &[&str]) -> Service {
        Service::spawn(self.service(arguments))
    }

    /// A service that listens, and gets an error (EFBIG) rather than a signal for a file that may not grow.
    pub(crate) fn start_where_files_may_end(&self, arguments: &[&str]) -> Service {
        let service = self.service(arguments);
        let mut command = self.prepared(Command::new("/bin/sh"));
        command.args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""]).arg(service.get_program()).args(service.get_args());
        let mut service = Service::spawn(command);
        service.public = Some(service.next_address());
        service
    }

    /// Logs as it does without a terminal: JSON, unless the place says otherwise.
    fn service(&self, arguments: &[&str]) -> Command {
        self.command(&[arguments, &PORTS].concat())
    }
}

/// Every line as it comes.
fn lines(from: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        BufReader::new(from).lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
    });
    receiver
}

impl Outcome {
    #[track_caller]
    pub(crate) fn succeeded(self) -> Self {
        assert_eq!(self.status, 0, "{self:?}");
        self
    }

    #[track_caller]
    pub(crate) fn failed_with(self, status: i32, said: &str) -> Self {
        assert_eq!(self.status, status, "{self:?}");
        assert!(self.stderr.contains(said) || self.stdout.contains(said), "{said:?} is missing in {self:?}");
        self
    }

    /// Each line as JSON.
    pub(crate) fn json(&self) -> Vec<Value> {
        self.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

pub(crate) struct Service {
    child: Child,
    stdout: Receiver<String>,
    log: Receiver<String>,
    /// The lines that were looked at.
    seen: RefCell<Vec<String>>,
    public: Option<SocketAddr>,
}

impl Service {
    fn spawn(mut command: Command) -> Self {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (stdout, log) = (lines(child.stdout.take().unwrap()), lines(child.stderr.take().unwrap()));
        Self { child, stdout, log, seen: RefCell::default(), public: None }
    }

    fn next_address(&self) -> SocketAddr {
        self.log_line(|line| match serde_json::from_str::<Value>(line) {
            Ok(event) if event["message"] == "listening" => event["address"].as_str()?.parse().ok(),
            Ok(_) => None,
            Err(_) => line.split_once("listening address=")?.1.split(' ').next()?.parse().ok(),
        })
    }

    /// The next log line with this message.
    pub(crate) fn log_until(&self, message: &str) -> Value {
        self.log_line(|line| serde_json::from_str::<Value>(line).ok().filter(|event| event["message"] == message))
    }

    /// Once each of them was logged, in whatever order.
    pub(crate) fn log_has(&self, texts: &[&str]) {
        for text in texts {
            let is_seen = self.seen.borrow().iter().any(|line| line.contains(text));
            if !is_seen {
                self.log_line(|line| line.contains(text).then_some(()));
            }
        }
    }

    /// What is found in the next log line that has it.
    #[track_caller]
    fn log_line<T>(&self, find: impl Fn(&str) -> Option<T>) -> T {
        while let Ok(line) = self.log.recv_timeout(PATIENCE) {
            let found = find(&line);
            self.seen.borrow_mut().push(line);
            if let Some(found) = found {
                return found;
            }
        }
        panic!("not logged, but:\n{}", self.seen.borrow().join("\n"));
    }

    /// What was printed, up to and with the line that contains `end`.
    pub(crate) fn printed_until(&self, end: &str) -> String {
        let mut seen = String::new();
        while let Ok(line) = self.stdout.recv_timeout(PATIENCE) {
            seen = seen + &line + "\n";
            if line.contains(end) {
                return seen;
            }
        }
        panic!("{end:?} was not printed, but:\n{seen}");
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.public.unwrap()
    }

    pub(crate) fn get(&self, path: &str) -> (u16, String) {
        self.request("GET", path, "", "")
    }

    pub(crate) fn post(&self, path: &str, body: &str) -> (u16, String) {
        self.request("POST", path, "", body)
    }

    pub(crate) fn post_form(&self, path: &str, form: &str) -> (u16, String) {
        self.send("POST", path, "application/x-www-form-urlencoded", "", form)
    }

    /// `headers` end each with a line break.
    pub(crate) fn request(&self, method: &str, path: &str, headers: &str, body: &str) -> (u16, String) {
        self.send(method, path, "application/json", headers, body)
    }

    fn send(&self, method: &str, path: &str, content_type: &str, headers: &str, body: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(self.address()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let length = body.len();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
             content-type: {content_type}\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
    }

    /// Asks again until the answer is the one that is waited for.
    pub(crate) fn get_until(&self, path: &str, within: Duration, is_it: impl Fn(&str) -> bool) {
        let start = Instant::now();
        loop {
            let (_, body) = self.get(path);
            if is_it(&body) {
                return;
            }
            assert!(start.elapsed() < within, "still after {within:?}: {body}");
        }
    }

    /// As Linux tells them.
    pub(crate) fn limits(&self) -> String {
        fs::read_to_string(format!("/proc/{}/limits", self.child.id())).unwrap()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// From now on no file grows beyond this; `None` takes that back.
    pub(crate) fn end_files_at(&self, bytes: Option<u64>) {
        let maximum = getrlimit(Resource::Fsize).maximum;
        let limit = Rlimit { current: bytes.or(maximum), maximum };
        prlimit(Some(Pid::from_child(&self.child)), Resource::Fsize, limit).unwrap();
    }

    /// All lines, once it has ended.
    pub(crate) fn whole_log(&self) -> Vec<String> {
        self.seen.borrow_mut().extend(self.log.iter());
        self.seen.borrow().clone()
    }

    /// Told twice, so that it does not wait for a load balancer.
    pub(crate) fn end(&mut self) -> Vec<String> {
        self.signal(Signal::TERM);
        self.log_line(|line| line.contains("shutting down").then_some(()));
        self.signal(Signal::TERM);
        assert_eq!(self.wait().code(), Some(0));
        self.whole_log()
    }

    pub(crate) fn wait(&mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
