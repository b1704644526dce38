//! A service that starts before its PostgreSQL does.

use crate::place::{Place, Service};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpSocket, TcpStream};
use vestibule_testkit::{StoreKind, TestStore};

const MASTER_KEY: &str = "Bz+7jQx0m1sR8o5yPpyb0zqv2J1Y4m3n0rVw8kqTtEU=";

/// The way to a server: closed, though nobody else can take the port, until it is opened.
struct Way {
    socket: TcpSocket,
    server: String,
    /// The URL of the database by this way.
    url: String,
}

impl Way {
    fn closed(url: &str) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        let (credentials, rest) = url.rsplit_once('@').unwrap();
        let (server, database) = rest.split_once('/').unwrap();
        let url = format!("{credentials}@{}/{database}", socket.local_addr().unwrap());
        Self { socket, server: server.to_owned(), url }
    }

    fn open(self) {
        let listener = self.socket.listen(64).unwrap();
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let mut server = TcpStream::connect(&self.server).await.unwrap();
                tokio::spawn(async move { copy_bidirectional(&mut client, &mut server).await });
            }
        });
    }
}

fn start(way: &Way) -> Service {
    let place = Place::empty().with("DATABASE_URL", &way.url).with("VESTIBULE_TOKENS__MASTER_KEY", MASTER_KEY);
    let service = place.start(&["serve"]);
    assert_eq!((service.get("/health/live").0, service.get("/health/ready").0), (200, 503));
    service
}

#[tokio::test(flavor = "multi_thread")]
async fn case_119_it_comes_up_unaided_when_the_database_does() {
    let store = TestStore::create(StoreKind::Postgres).await;
    let way = Way::closed(&store.url());
    let service = start(&way);
    way.open();
    service.get_until("/health/ready", Duration::from_secs(10), |body| body.contains("\"status\":\"ready\""));
    let user = r#"{"email": "ada@example.com", "password": "nine green lanterns", "name": "Ada"}"#;
    let (status, body) = service.post("/users", user);
    assert_eq!(status, 201, "{body}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pending_migration_ends_it_when_the_database_comes_up() {
    let store = TestStore::create(StoreKind::Postgres).await;
    let newest = "DELETE FROM _sqlx_migrations WHERE version = (SELECT max(version) FROM _sqlx_migrations)";
    assert_eq!(store.execute(newest).await.unwrap(), 1);
    let way = Way::closed(&store.url());
    let mut service = start(&way);
    way.open();
    assert_eq!(service.wait().code(), Some(1));
    let log = service.rest_of_log().join("\n");
    assert!(log.contains("1 migration step is pending"), "{log}");
}
