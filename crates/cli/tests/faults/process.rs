//! `vestibule serve`, and what clients do with it.

use reqwest::{Client, Response};
use rustix::process::{Pid, Resource, Rlimit, Signal, getrlimit, kill_process, prlimit};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::process::{ExitStatus, Output, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;
use vestibule_testkit::TestStore;

const MASTER_KEY: &str = "qqMRjIQqD0qPfpRXSnxC0CHKiq2PnFH5QmKqSoHaR+c=";
pub(crate) const PASSWORD: &str = "Tr0ub4dor&3-horse";
pub(crate) const ALICE: &str = "alice@example.com";

/// On ports of its own.
pub(crate) struct Process {
    child: Child,
    pub(crate) public: SocketAddr,
    pub(crate) ops: SocketAddr,
    log: Arc<Mutex<Vec<String>>>,
    /// Ends with the log.
    reader: JoinHandle<()>,
    surroundings: Surroundings,
}

/// What every process of a test starts with.
struct Surroundings {
    directory: TempDir,
    environment: Vec<(String, String)>,
}

impl Surroundings {
    fn of(url: &str, settings: &[(&str, &str)]) -> Self {
        let own = [
            ("STORE__URL", url),
            ("TOKENS__MASTER_KEY", MASTER_KEY),
            ("PASSWORDS__QUEUE_WAIT", "30s"),
            // The load of all clients comes from one address.
            ("LIMITS__ENABLED", "false"),
        ];
        let all = own.iter().chain(settings);
        let environment = all.map(|(name, value)| (format!("VESTIBULE_{name}"), (*value).to_owned())).collect();
        Self { directory: tempfile::tempdir().expect("a temporary directory"), environment }
    }

    fn prepare(&self, mut command: Command) -> Command {
        command.env_clear().envs(self.environment.iter().cloned()).current_dir(&self.directory).kill_on_drop(true);
        command
    }
}

impl Process {
    pub(crate) async fn start(store: &TestStore) -> Self {
        Self::start_on(&store.url(), &[]).await
    }

    /// The settings are named as in the environment, without their prefix.
    pub(crate) async fn start_on(url: &str, settings: &[(&str, &str)]) -> Self {
        Self::spawn(Command::new(env!("CARGO_BIN_EXE_vestibule")), Surroundings::of(url, settings)).await
    }

    /// With so few open files.
    pub(crate) async fn start_with_files(store: &TestStore, files: u32) -> Self {
        let mut command = Command::new("/bin/sh");
        let limited = format!("ulimit -n {files}; exec \"$0\" \"$@\"");
        command.args(["-c", &limited]).arg(env!("CARGO_BIN_EXE_vestibule"));
        Self::spawn(command, Surroundings::of(&store.url(), &[])).await
    }

    /// Returns once it is ready, for which the store must be up.
    async fn spawn(command: Command, surroundings: Surroundings) -> Self {
        let mut command = surroundings.prepare(command);
        command.args(["serve", "--listen", "127.0.0.1:0", "--ops-listen", "127.0.0.1:0", "--log-format", "json"]);
        let mut child = command.stderr(Stdio::piped()).spawn().expect("the binary starts");
        let mut lines = BufReader::new(child.stderr.take().expect("a pipe")).lines();
        let mut seen = Vec::new();
        let serving = loop {
            let line = lines.next_line().await.expect("a readable log");
            let line = line.unwrap_or_else(|| unreachable(&seen));
            let entry: Value = serde_json::from_str(&line).unwrap_or_default();
            seen.push(line);
            if entry.to_string().contains("\"serving\"") {
                break entry;
            }
        };
        let log = Arc::new(Mutex::new(seen));
        let all = Arc::clone(&log);
        // A full pipe would stop the process.
        let reader = tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                all.lock().unwrap_or_else(PoisonError::into_inner).push(line);
            }
        });
        let (public, ops) = (address(&serving, "listen"), address(&serving, "ops_listen"));
        let process = Self { child, public, ops, log, reader, surroundings };
        process.is_ready_within(Duration::from_secs(10)).await;
        process
    }

    /// A command with the same settings, while the process goes on.
    pub(crate) async fn beside(&self, arguments: &[&str]) -> Output {
        let mut command = self.surroundings.prepare(Command::new(env!("CARGO_BIN_EXE_vestibule")));
        command.args(arguments).output().await.expect("the command runs")
    }

    /// How many lines of the log so far have this in them.
    pub(crate) fn logged(&self, text: &str) -> usize {
        let log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        log.iter().filter(|line| line.contains(text)).count()
    }

    /// Returns once a line of the log has this in it.
    pub(crate) async fn logs(&self, text: &str) {
        let (mut looks, began) = (tokio::time::interval(Duration::from_millis(5)), Instant::now());
        while self.logged(text) == 0 {
            assert!(began.elapsed() < Duration::from_mins(1), "{text:?} is not logged");
            looks.tick().await;
        }
    }

    /// A file that Linux has about the process.
    pub(crate) fn proc(&self, name: &str) -> std::path::PathBuf {
        format!("/proc/{}/{name}", self.id().as_raw_nonzero()).into()
    }

    pub(crate) fn open_files(&self) -> u64 {
        let files = std::fs::read_dir(self.proc("fd")).expect("the open files");
        u64::try_from(files.count()).unwrap_or(u64::MAX)
    }

    pub(crate) fn limit_files(&self, current: u64) {
        let limit = Rlimit { current: Some(current), maximum: getrlimit(Resource::Nofile).maximum };
        prlimit(Some(self.id()), Resource::Nofile, limit).expect("a limit is set");
    }

    fn id(&self) -> Pid {
        let id = self.child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        id.expect("a running process")
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(self.id(), signal).expect("a signal is sent");
    }

    pub(crate) async fn end(mut self, signal: Signal) -> ExitStatus {
        self.signal(signal);
        self.wait().await
    }

    /// Until it has ended, and all that it logged was read.
    pub(crate) async fn wait(&mut self) -> ExitStatus {
        let status = self.child.wait().await.expect("the process ends");
        (&mut self.reader).await.expect("a readable log");
        status
    }

    pub(crate) async fn get(&self, http: &Client, path: &str) -> Response {
        http.get(format!("http://{}{path}", self.public)).send().await.expect("an answer")
    }

    pub(crate) async fn post(&self, http: &Client, path: &str, body: &Value) -> Response {
        let sent = http.post(format!("http://{}{path}", self.public)).json(body).send().await;
        sent.expect("an answer")
    }

    /// What a login that must succeed answers.
    pub(crate) async fn tokens(&self, email: &str) -> Value {
        let answer = self.post(&over_http1(), "/login", &json!({"email": email, "password": PASSWORD})).await;
        assert_eq!(answer.status(), 200);
        answer.json().await.expect("tokens")
    }

    /// Returns once it is ready, which must be soon.
    pub(crate) async fn is_ready_within(&self, limit: Duration) {
        let (http, began) = (over_http1(), Instant::now());
        while self.get(&http, "/health/ready").await.status() != 200 {
            assert!(began.elapsed() < limit, "not ready after {limit:?}");
        }
    }
}

/// A test that fails tells the process's warnings and errors.
impl Drop for Process {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
            let faults = log.iter().filter(|line| line.contains("WARN") || line.contains("ERROR"));
            faults.for_each(|line| eprintln!("{line}"));
        }
    }
}

fn unreachable(log: &[String]) -> ! {
    panic!("the process ended before it served:\n{}", log.join("\n"))
}

/// Wherever the log puts its fields.
fn address(entry: &Value, field: &str) -> SocketAddr {
    let value = entry.get(field).or_else(|| entry.get("fields")?.get(field)).and_then(Value::as_str);
    value.and_then(|text| text.parse().ok()).expect("the log tells where the process listens")
}

pub(crate) fn over_http1() -> Client {
    Client::builder().no_proxy().build().expect("an HTTP client")
}

pub(crate) fn over_http2() -> Client {
    Client::builder().no_proxy().http2_prior_knowledge().build().expect("an HTTP client")
}

pub(crate) async fn register(http: &Client, to: SocketAddr, email: &str) -> Option<u16> {
    let body = json!({"email": email, "password": PASSWORD, "name": "Somebody"});
    let sent = http.post(format!("http://{to}/users")).json(&body).send().await.ok()?;
    Some(sent.status().as_u16())
}

pub(crate) async fn log_in(http: &Client, to: SocketAddr, email: &str) -> u16 {
    let body = json!({"email": email, "password": PASSWORD});
    let sent = http.post(format!("http://{to}/login")).json(&body).send().await;
    sent.expect("an answer").status().as_u16()
}

/// A connection on which so much has been said.
pub(crate) async fn say(to: SocketAddr, text: &str) -> TcpStream {
    let mut stream = TcpStream::connect(to).await.expect("a connection");
    stream.write_all(text.as_bytes()).await.expect("room in the kernel");
    stream
}

/// The status of the answer that is still to come, after which the connection ends.
pub(crate) async fn status(mut stream: TcpStream) -> Option<u16> {
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).split(' ').nth(1)?.parse().ok()
}
