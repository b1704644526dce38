//! A whole service on a real socket, and clients for it.

mod client;
mod hashing;
mod node;
mod response;
mod secrets;

pub use client::{Client, ClientCredentials, Request};
pub use hashing::CountingHasher;
pub use node::Node;
pub use response::Response;

use crate::{MovableClock, SeededRng, StoreKind, TestStore, invariants};
use node::{Fleet, open_node};
use std::collections::BTreeSet;
use std::ops::Deref;
use std::sync::Arc;
use vestibule_api::HttpSettings;
use vestibule_domain::access::RoleName;
use vestibule_domain::credential::{NewPassword, Owner};
use vestibule_domain::throttle::ThrottleSettings;
use vestibule_domain::user::{Email, Name, Register, User};
use vestibule_domain::{RequestContext, Settings};

/// How clients reach every service under test, as far as its answers say.
pub const PUBLIC_URL: &str = "https://auth.example";
pub const ALICE: &str = "alice@example.com";
pub const ADMIN: &str = "admin@example.com";
/// Of everyone who is not said to have another one.
pub const PASSWORD: &str = "Tr0ub4dor&3-horse";
/// Well formed, and no session's.
pub const UNKNOWN_TOKEN: &str =
    "vrt_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAPWl_ULR";
/// For HS256 alone; random.
pub const HMAC_SECRET: &str = "qqMRjIQqD0qPfpRXSnxC0CHKiq2PnFH5QmKqSoHaR+c=";

/// What an operator would have put into the configuration.
#[derive(Debug, Clone)]
pub struct Setup {
    pub domain: Settings,
    pub http: HttpSettings,
    pub issuer: String,
    pub audience: String,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            // Most tests try more often than anybody should.
            domain: Settings { limits: unlimited(), ..Settings::default() },
            http: HttpSettings { public_url: PUBLIC_URL.to_owned(), ..HttpSettings::default() },
            issuer: PUBLIC_URL.to_owned(),
            audience: "vestibule".to_owned(),
        }
    }
}

fn unlimited() -> ThrottleSettings {
    ThrottleSettings { enabled: false, ..ThrottleSettings::default() }
}

/// A service with a store of its own.
#[derive(Debug)]
pub struct TestApp {
    node: Node,
    database: TestStore,
    fleet: Arc<Fleet>,
}

/// What most tests begin with: a service, and three who use it.
#[derive(Debug)]
pub struct Scene {
    pub app: TestApp,
    pub anonymous: Client,
    /// Registered and logged in, with the default role `user`.
    pub alice: Client,
    /// Registered and logged in, with the role `admin`.
    pub admin: Client,
}

/// Runs a test on a scene of its own, and checks the invariants after it.
pub async fn run(kind: StoreKind, setup: Setup, test: impl AsyncFnOnce(&Scene)) {
    let scene = TestApp::start(kind, setup).await;
    test(&scene).await;
    scene.app.finish().await;
}

impl TestApp {
    pub async fn start(kind: StoreKind, setup: Setup) -> Scene {
        // It is larger than what tests hold of it.
        Box::pin(Self::set_up(kind, setup)).await
    }

    async fn set_up(kind: StoreKind, setup: Setup) -> Scene {
        let database = TestStore::create(kind).await;
        let fleet = Arc::new(Fleet::new(setup));
        let node = open_node(&database, &fleet).await;
        let app = Self { node, database, fleet };
        app.register(ADMIN, "Ada Admin", &["admin"]).await;
        app.register(ALICE, "Alice Example", &["user"]).await;
        let anonymous = app.anonymous();
        let alice = anonymous.log_in(ALICE, PASSWORD).await;
        let admin = anonymous.log_in(ADMIN, PASSWORD).await;
        Scene { app, anonymous, alice, admin }
    }

    /// Another process on the same store.
    pub async fn replica(&self) -> Node {
        open_node(&self.database, &self.fleet).await
    }

    /// As the operator does it, past HTTP.
    pub async fn register(&self, email: &str, name: &str, roles: &[&str]) -> User {
        let (email, name) = (Email::parse(email).expect("an address"), Name::parse(name).expect("a name"));
        let owner = Owner { email: Some(&email), name: Some(&name) };
        let password =
            NewPassword::parse(PASSWORD, &self.node.services.password_policy, owner).expect("a good password");
        let roles: BTreeSet<_> = roles.iter().map(|role| RoleName::parse(role).expect("a role")).collect();
        let request = Register { email, name, password };
        let context = RequestContext::default();
        self.node.services.users.create(request, roles, &context).await.expect("a new user")
    }

    /// Another service of the operator.
    pub async fn create_client(&self, name: &str) -> ClientCredentials {
        let name = Name::parse(name).expect("a name");
        let (client, secret) = self.node.services.clients.create(name).await.expect("a new client");
        let secret = secret.reveal().to_string();
        self.fleet.secrets.add(&secret);
        ClientCredentials { id: client.id.to_string(), secret }
    }

    pub fn clock(&self) -> &MovableClock {
        &self.fleet.clock
    }

    pub fn rng(&self) -> &SeededRng {
        &self.fleet.rng
    }

    pub fn database(&self) -> &TestStore {
        &self.database
    }

    /// The kinds of the audit events about a user, with their reasons, in order; those of one millisecond by name.
    pub async fn trail(&self, user: &str) -> Vec<String> {
        let condition = match self.database.kind() {
            StoreKind::Postgres => format!("subject_id = '{user}'"),
            StoreKind::Sqlite => format!("lower(hex(subject_id)) = '{}'", user.replace('-', "")),
        };
        let sql = format!(
            "SELECT kind || CASE WHEN reason IS NULL THEN '' ELSE ' ' || reason END FROM audit_events \
             WHERE {condition} ORDER BY at, 1"
        );
        self.database.column(&sql).await
    }

    pub async fn finish(self) {
        self.node.stop().await;
        invariants::check_service(&self.database, &self.fleet.secrets.all()).await;
    }
}

impl Deref for TestApp {
    type Target = Node;

    fn deref(&self) -> &Node {
        &self.node
    }
}

/// One `#[tokio::test]` on each store for every named test: `scenes!(name, other)` over `async fn name(scene: &Scene)`.
/// Those that need another [`Setup`] stand after `with_setup:` and are `async fn name(store: StoreKind)`.
#[macro_export]
macro_rules! scenes {
    ($($name:ident),* $(,)? $(; with_setup: $($own:ident),+ $(,)?)?) => {
        mod postgres {
            $crate::scenes! { @on Postgres: $($name)* }
            $( $crate::scenes! { @with_setup Postgres: $($own)+ } )?
        }
        mod sqlite {
            $crate::scenes! { @on Sqlite: $($name)* }
            $( $crate::scenes! { @with_setup Sqlite: $($own)+ } )?
        }
    };
    (@on $kind:ident: $($name:ident)*) => {
        $( #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            $crate::app::run($crate::StoreKind::$kind, $crate::app::Setup::default(), super::$name).await;
        } )*
    };
    (@with_setup $kind:ident: $($name:ident)+) => {
        $( #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            super::$name($crate::StoreKind::$kind).await;
        } )+
    };
}
