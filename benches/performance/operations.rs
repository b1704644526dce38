//! What is asked of the service and of the floor alike.

use crate::floors::Floor;
use crate::service::{PASSWORD, PEOPLE, People, email};
use crate::settings::Settings;
use std::net::SocketAddr;
use vestibule_benches::load::{Answer, Load, Operation, Outcome, Pace, request};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Me,
    Introspect,
    Refresh,
    Login,
    Register,
}

impl Kind {
    /// Those that hash come last: what the others need is told apart from the hashers' memory.
    pub(crate) const ALL: [Self; 5] = [Self::Me, Self::Introspect, Self::Refresh, Self::Login, Self::Register];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Me => "GET /users/me",
            Self::Introspect => "POST /introspect",
            Self::Refresh => "POST /refresh",
            Self::Login => "POST /login",
            Self::Register => "POST /users",
        }
    }

    pub(crate) fn hashes(self) -> bool {
        matches!(self, Self::Login | Self::Register)
    }

    pub(crate) fn of_service(self, people: &People) -> Box<dyn Operation> {
        match self {
            Self::Me => Box::new(me(ME, &people.access_tokens)),
            Self::Introspect => {
                let form = |token: &String| format!("token={token}");
                let head = format!("{FORM}authorization: Basic {}\r\n", people.client);
                Box::new(Same::each(&people.access_tokens, |token| request("POST", "/introspect", &head, &form(token))))
            }
            Self::Refresh => Box::new(Refresh(people.refresh_tokens.clone())),
            Self::Login => Box::new(log_in(LOGIN)),
            Self::Register => Box::new(Register::at(USERS)),
        }
    }

    /// By a look-up of an opaque token instead of a signature.
    pub(crate) fn of_floor(self, floor: &Floor) -> Box<dyn Operation> {
        match self {
            Self::Me => Box::new(me(ME, std::slice::from_ref(&floor.token))),
            Self::Introspect => Box::new(Same::each(&floor.refresh_tokens, |token| {
                request("POST", "/introspect", FORM, &format!("token={token}"))
            })),
            Self::Refresh => Box::new(Refresh(floor.log_in_everyone())),
            Self::Login => Box::new(log_in(LOGIN)),
            Self::Register => Box::new(Register::at(USERS)),
        }
    }
}

pub(crate) const ME: &str = "/users/me";
pub(crate) const LOGIN: &str = "/login";
pub(crate) const USERS: &str = "/users";
const JSON: &str = "content-type: application/json\r\n";
const FORM: &str = "content-type: application/x-www-form-urlencoded\r\n";

/// A request for each connection, always the same.
pub(crate) struct Same(Vec<Vec<u8>>);

impl Same {
    fn each<T>(of: &[T], request: impl Fn(&T) -> Vec<u8>) -> Self {
        Self(of.iter().map(request).collect())
    }
}

impl Operation for Same {
    fn request(&mut self, connection: usize, into: &mut Vec<u8>) {
        into.extend(self.0.iter().cycle().nth(connection).into_iter().flatten());
    }

    fn answered(&mut self, _: usize, answer: &Answer<'_>) -> bool {
        // An introspection that finds nothing is a 200 too, and so is better-auth's null for no session.
        answer.status == 200 && !answer.body.ends_with(b"false}") && *answer.body != *b"null"
    }
}

pub(crate) fn hello() -> Same {
    Same(vec![request("GET", "/hello", "", "")])
}

pub(crate) fn me(path: &str, tokens: &[String]) -> Same {
    Same::each(tokens, |token| request("GET", path, &format!("authorization: Bearer {token}\r\n"), ""))
}

/// Each connection somebody else.
pub(crate) fn log_in(path: &str) -> Same {
    Same::each(&(0..PEOPLE).collect::<Vec<_>>(), |n| log_in_as(path, *n))
}

pub(crate) fn log_in_as(path: &str, n: usize) -> Vec<u8> {
    let body = format!(r#"{{"email":"{}","password":"{PASSWORD}"}}"#, email(n));
    request("POST", path, JSON, &body)
}

pub(crate) fn registration(path: &str, email: &str) -> Vec<u8> {
    let body = format!(r#"{{"email":"{email}","password":"{PASSWORD}","name":"Ada Lovelace"}}"#);
    request("POST", path, JSON, &body)
}

/// Each connection a session of its own, whose token changes with each answer.
struct Refresh(Vec<String>);

impl Operation for Refresh {
    fn request(&mut self, connection: usize, into: &mut Vec<u8>) {
        let token = self.0.get(connection).expect("a session for each connection");
        into.extend(request("POST", "/refresh", JSON, &format!(r#"{{"refresh_token":"{token}"}}"#)));
    }

    fn answered(&mut self, connection: usize, answer: &Answer<'_>) -> bool {
        let (Some(held), Some(next)) = (self.0.get_mut(connection), answer.text("refresh_token")) else { return false };
        next.clone_into(held);
        answer.status == 200
    }
}

pub(crate) struct Register {
    path: &'static str,
    count: u64,
}

impl Register {
    pub(crate) fn at(path: &'static str) -> Self {
        Self { path, count: 0 }
    }
}

impl Operation for Register {
    fn request(&mut self, connection: usize, into: &mut Vec<u8>) {
        self.count += 1;
        let at = std::time::Instant::now();
        // Unlike that of any other load of the run.
        let email = format!("{}.{connection}.{:x}@example.com", self.count, unique(&at));
        into.extend(registration(self.path, &email));
    }

    fn answered(&mut self, _: usize, answer: &Answer<'_>) -> bool {
        // better-auth answers 200.
        matches!(answer.status, 200 | 201)
    }
}

fn unique(of: &impl std::fmt::Debug) -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(format!("{of:?}"))
}

pub(crate) fn load(address: SocketAddr, connections: usize, pace: Pace, settings: &Settings) -> Load {
    let (warm_up, measured) = (settings.warm_up, settings.measured);
    Load { address, connections, pace, warm_up, measured, yielding: false }
}

pub(crate) fn run(load: Load, operation: &mut dyn Operation) -> Outcome {
    let outcome = load.run(operation).expect("a service that answers");
    assert!(outcome.answered > 0, "no good answer: {load:?}");
    outcome
}
