//! A disk that fails to flush (`flush.c`), under each store.

use crate::disk::{assert_unavailable, log_in, me, register};
use crate::place::{Place, Service, compile_for_preload};
use serde_json::Value;
use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;
use vestibule_testkit::{StoreKind, TestStore};

const RECOVERY: Duration = Duration::from_secs(10);

struct Disk(TempDir);

impl Disk {
    fn new() -> Self {
        let disk = Self(tempfile::tempdir().unwrap());
        // The server of a test that root runs has an account of its own.
        fs::set_permissions(disk.0.path(), Permissions::from_mode(0o777)).unwrap();
        compile_for_preload("flush.c", &disk.library());
        disk
    }

    fn library(&self) -> PathBuf {
        self.0.path().join("flush.so")
    }

    fn sign(&self) -> PathBuf {
        self.0.path().join("failing")
    }

    fn fails(&self) {
        fs::write(self.sign(), "").unwrap();
    }

    fn is_well(&self) {
        fs::remove_file(self.sign()).unwrap();
    }

    /// A place with an SQLite database on this disk.
    fn with(&self, database: &TestStore) -> Place {
        keep(&path(database));
        let (library, sign) = (self.library(), self.sign());
        Place::on(&database.url())
            .with("LD_PRELOAD", library.to_str().unwrap())
            .with("FLUSH_FAILS", sign.to_str().unwrap())
    }
}

fn path(database: &TestStore) -> PathBuf {
    database.url().strip_prefix("sqlite://").unwrap().into()
}

fn beside(database: &Path, suffix: &str) -> PathBuf {
    format!("{}{suffix}", database.display()).into()
}

/// Nobody has the database open, and all of it is on the disk.
fn keep(database: &Path) {
    fs::copy(database, beside(database, ".disk")).unwrap();
}

/// Leaves of the files what was on the disk.
fn lose_power(service: Service, database: &Path) {
    drop(service);
    for file in [database.to_owned(), beside(database, "-wal")] {
        fs::copy(beside(&file, ".disk"), &file).unwrap();
        let _ = fs::remove_file(beside(&file, ".dirty"));
    }
    fs::remove_file(beside(database, "-shm")).unwrap();
}

async fn assert_all_is_there(place: &Place, database: &TestStore, acknowledged: &[&str]) {
    let service = place.start(&["serve"]);
    for name in acknowledged {
        assert_eq!(log_in(&service, name).0, 200, "{name} was acknowledged");
    }
    drop(service);
    assert_eq!(database.column("PRAGMA integrity_check").await, ["ok"]);
}

fn is_ready(service: &Service) {
    service.get_until("/health/ready", RECOVERY, |body| body.contains("\"status\":\"ready\""));
}

#[tokio::test(flavor = "multi_thread")]
async fn j128_what_cannot_be_flushed_is_not_acknowledged_and_what_is_survives_the_loss_of_power() {
    let (database, disk) = (TestStore::create(StoreKind::Sqlite).await, Disk::new());
    let place = disk.with(&database);
    let service = place.start(&["serve"]);
    assert_eq!(register(&service, "ada").0, 201);
    let tokens: Value = serde_json::from_str(&log_in(&service, "ada").1).unwrap();

    disk.fails();
    for name in ["bob", "eve", "bob"] {
        assert_unavailable(register(&service, name));
        assert_unavailable(log_in(&service, "ada"));
    }
    assert_eq!((me(&service, &tokens), service.get("/health/live").0), (200, 200));
    let (status, checks) = service.get("/health/ready");
    assert_eq!((status, checks.contains("\"store\":\"failing\"")), (503, true), "{checks}");
    let noted = service.log_until("the store fails its readiness check");
    assert!(noted["error"].as_str().unwrap().contains("Input/output error (os error 5)"), "{noted}");

    disk.is_well();
    is_ready(&service);
    // Nothing was half made.
    assert_eq!((register(&service, "bob").0, register(&service, "eve").0), (201, 201));
    lose_power(service, &path(&database));
    assert_all_is_there(&place, &database, &["ada", "bob", "eve"]).await;
}

/// What a registration wrote that could not be flushed is whole, and comes before all that is written later. So does what
/// was counted of attempts.
async fn what_could_not_be_flushed_takes_nothing_with_it(is_killed: bool) {
    let (database, disk) = (TestStore::create(StoreKind::Sqlite).await, Disk::new());
    let place = disk.with(&database);
    let mut service = Some(place.start(&["serve"]));
    assert_eq!(register(service.as_ref().unwrap(), "ada").0, 201);
    disk.fails();
    assert_unavailable(register(service.as_ref().unwrap(), "bob"));
    service.take_if(|_| is_killed);
    disk.is_well();
    let service = service.unwrap_or_else(|| place.start(&["serve"]));
    assert_eq!((register(&service, "eve").0, log_in(&service, "ada").0), (201, 200));
    lose_power(service, &path(&database));
    assert_all_is_there(&place, &database, &["ada", "eve"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn j128_what_a_killed_process_could_not_flush_takes_nothing_with_it_that_is_acknowledged_later() {
    what_could_not_be_flushed_takes_nothing_with_it(true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn j128_what_could_not_be_flushed_takes_nothing_with_it_that_the_same_process_acknowledges_later() {
    what_could_not_be_flushed_takes_nothing_with_it(false).await;
}

/// A PostgreSQL of its own, which ends when its input does.
struct Server {
    process: Child,
    url: String,
}

impl Server {
    fn on(disk: &Disk) -> Self {
        let mut command = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/with-postgres"));
        command.args(["sh", "-c", "echo \"$TEST_DATABASE_URL\"; exec cat"]).env_remove("TEST_DATABASE_URL");
        command.env("DURABLE", "1").env("LD_PRELOAD", disk.library()).env("ONE_FLUSH_FAILS", disk.sign());
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut url = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut url).unwrap();
        Self { process, url: url.trim().to_owned() }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Closes its input first.
        self.process.wait().unwrap();
    }
}

/// A server that cannot flush its log does not know what is on the disk: it drops everybody and starts again from what
/// it can read (`data_sync_retry`).
#[test]
fn j128_a_server_that_could_not_flush_costs_the_requests_that_it_had() {
    let disk = Disk::new();
    let server = Server::on(&disk);
    // Without limits, whose counters would be the first that are not flushed.
    let place = Place::on(&server.url).with("VESTIBULE_LIMITS__ENABLED", "false");
    place.run(&["migrate"]).succeeded();
    let service = place.start(&["serve"]);
    assert_eq!(register(&service, "ada").0, 201);
    disk.fails();
    assert_unavailable(register(&service, "bob"));
    assert!(!disk.sign().exists(), "nothing was flushed");
    assert_eq!(service.get("/health/live").0, 200);
    is_ready(&service);
    assert_eq!(register(&service, "eve").0, 201);
    for name in ["ada", "eve"] {
        assert_eq!(log_in(&service, name).0, 200, "{name} was acknowledged");
    }
}
