//! Every setting, once. The parsers, the defaults, the messages, `config print` and `docs/configuration.md` come from
//! here.

use super::parse::{self, LogFormat, Origin, StoreUrl, many, one, optional};
use super::secret::Secret;
use super::setting::Fallback::{Computed, Is, Unset};
use super::setting::{Host, Secrecy, Shape, settings};
use ipnet::IpNet;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;
use tracing_subscriber::filter::Targets;
use vestibule_domain::throttle::Budget;
use vestibule_domain::token::Algorithm;
use vestibule_domain::user::{Email, RegistrationMode};
use vestibule_infrastructure::crypto::{Hashing, HmacSecret, MasterKey, Peppers};

settings! {
    /// The two listeners and what clients see of them.
    http: Http {
        /// Where clients connect.
        listen: SocketAddr {
            parse: one(parse::address),
            default: Is("127.0.0.1:8080"),
            expected: "an IP address and a port",
            example: "0.0.0.0:8080",
            flag: Some("--listen"),
        }
        /// Where operators connect: health, metrics. Not to be reachable from outside; `off` for none.
        ops_listen: Option<SocketAddr> {
            parse: one(parse::address_or_off),
            default: Is("127.0.0.1:9090"),
            expected: "an IP address and a port, or off",
            example: "0.0.0.0:9090",
            flag: Some("--ops-listen"),
        }
        /// Under which scheme, host and port clients reach the service. `https://` everywhere but on one's own machine.
        public_url: Origin {
            parse: one(parse::origin),
            default: Is("http://localhost:8080"),
            expected: "scheme, host and, unless it is the default, port, in lower case; no path",
            example: "https://auth.example.com",
            flag: Some("--public-url"),
        }
        /// Proxies whose word about the client's address is believed.
        trusted_proxies: Vec<IpNet> {
            parse: many(parse::network),
            default: Is(""),
            expected: "ranges in CIDR notation",
            example: "10.0.0.0/8,fd00::/8",
            shape: Shape::List,
        }
        /// The header in which those proxies name the client.
        forwarded_header: http::HeaderName {
            parse: one(parse::header),
            default: Is("x-forwarded-for"),
            expected: "the name of a header",
            example: "x-forwarded-for",
        }
        /// Origins of pages that may call the service from a browser.
        cors_origins: Vec<Origin> {
            parse: many(parse::origin),
            default: Is(""),
            expected: "scheme, host and, unless it is the default, port of each, in lower case; no path, no `*`",
            example: "https://app.example.com",
            shape: Shape::List,
        }
        /// Whether answers tell browsers to come by https alone for a year (RFC 6797), where no proxy in front does.
        hsts: bool {
            parse: one(parse::truth),
            default: Is("false"),
            expected: "true or false",
            example: "false",
            shape: Shape::Bare,
        }
    }

    /// Where users, sessions and keys are kept.
    store: Store {
        /// A file of SQLite for one machine, or a PostgreSQL database for any number. `DATABASE_URL` works too, except
        /// for `vestibule dev`.
        url: StoreUrl {
            parse: one(parse::store_url),
            default: Is("sqlite://var/vestibule.db"),
            expected: "sqlite://FILE or postgres://USER:PASSWORD@HOST:PORT/DATABASE",
            example: "postgres://vestibule@db.internal/vestibule",
            flag: Some("--store-url"),
            secrecy: Secrecy::Url,
        }
        /// Connections to the database for the requests that this process answers, at most. With PostgreSQL one more
        /// is for the change feed, so that no load keeps a revocation waiting.
        max_connections: u32 {
            parse: one(parse::number(1, 20)),
            default: Computed {
                documented: "max(4, 2 × cores), at most 20",
                value: |host| (host.cores * 2).clamp(4, 20).to_string(),
            },
            expected: "a whole number from 1 to 20",
            example: "8",
            shape: Shape::Bare,
        }
    }

    /// Access tokens, refresh tokens and the keys behind them.
    tokens: Tokens {
        /// How access tokens are signed. `HS256` is for a single party, because whoever can check such a token can
        /// make one; its key set at `/.well-known/jwks.json` is empty.
        algorithm: Algorithm {
            parse: one(parse::algorithm),
            default: Is("EdDSA"),
            expected: "EdDSA, ES256, RS256 or HS256",
            example: "EdDSA",
        }
        /// Signs with `HS256`, and is needed for nothing else. `openssl rand -base64 32` makes one.
        secret: Option<HmacSecret> {
            parse: optional(parse::hmac_secret),
            default: Unset("none"),
            expected: "base64 of at least 32 random bytes",
            example: "<output of: openssl rand -base64 32>",
            secrecy: Secrecy::Secret,
        }
        /// `iss` of access tokens.
        issuer: Option<String> {
            parse: optional(parse::text),
            default: Unset("`http.public_url`"),
            expected: "a text, usually a URL",
            example: "https://auth.example.com",
        }
        /// `aud` of access tokens.
        audience: String {
            parse: one(parse::text),
            default: Is("vestibule"),
            expected: "a text",
            example: "https://api.example.com",
        }
        /// How long an access token is good for.
        access_ttl: Duration {
            parse: one(parse::duration(Duration::from_mins(1), Duration::from_hours(1))),
            default: Is("10m"),
            expected: "a duration from 1m to 1h",
            example: "10m",
        }
        /// How long a session lasts without being refreshed.
        refresh_idle: Duration {
            parse: one(parse::duration(Duration::from_mins(5), Duration::from_hours(365 * 24))),
            default: Is("14d"),
            expected: "a duration from 5m to 365d",
            example: "14d",
        }
        /// How long a session lasts at most.
        refresh_absolute: Duration {
            parse: one(parse::duration(Duration::from_mins(5), Duration::from_hours(365 * 24))),
            default: Is("30d"),
            expected: "a duration from 5m to 365d, not below tokens.refresh_idle",
            example: "30d",
        }
        /// How long the refresh token before the current one still gets the current one.
        refresh_grace: Duration {
            parse: one(parse::duration(Duration::ZERO, Duration::from_mins(1))),
            default: Is("10s"),
            expected: "a duration from 0s to 60s",
            example: "10s",
        }
        /// Whether access tokens carry the address of the user.
        email_claim: bool {
            parse: one(parse::truth),
            default: Is("true"),
            expected: "true or false",
            example: "false",
            shape: Shape::Bare,
        }
        /// Encrypts private keys in the store: without it a copy of the database signs no tokens. Every replica has
        /// the same. `openssl rand -base64 32` makes one.
        master_key: Option<MasterKey> {
            parse: optional(parse::master_key),
            default: Unset("required with PostgreSQL; with SQLite made in `master.key` beside the database"),
            expected: "base64 of 32 random bytes",
            example: "<output of: openssl rand -base64 32>",
            secrecy: Secrecy::Secret,
        }
    }

    /// Hashing with argon2id (RFC 9106), and what passwords must be like.
    passwords: Passwords {
        /// Memory of one hash, in KiB.
        memory_kib: u32 {
            parse: one(parse::number(19_456, 262_144)),
            default: Is("19456"),
            expected: "a whole number from 19456 to 262144",
            example: "19456",
            shape: Shape::Bare,
        }
        /// Passes over that memory.
        iterations: u32 {
            parse: one(parse::number(2, 10)),
            default: Is("2"),
            expected: "a whole number from 2 to 10",
            example: "2",
            shape: Shape::Bare,
        }
        /// Lanes of that memory.
        parallelism: u32 {
            parse: one(parse::number(1, 16)),
            default: Is("1"),
            expected: "a whole number from 1 to 16",
            example: "1",
            shape: Shape::Bare,
        }
        /// Secrets that go into hashes, so that a copy of the database alone is nothing to guess against. Each has an
        /// id, by which hashes name it. The first is in new hashes, unless `none` stands before it; one that a hash
        /// names must stay. Every replica has the same. `openssl rand -base64 32` makes one
        /// ([more](operations.md#peppers)).
        peppers: Peppers {
            parse: parse::peppers,
            default: Unset("none"),
            expected: "ID:SECRET of each, with an ID of 1 to 8 of a-z, 0-9 and -, and base64 of at least 32 random bytes",
            example: "2026:<output of: openssl rand -base64 32>",
            secrecy: Secrecy::Secret,
            shape: Shape::List,
        }
        /// Which code hashes; the hashes are the same. `fastest`: the fastest code for the processor, unless it turns
        /// out at the start not to give what the reference gives; `reference`: a slower code that more people have
        /// read.
        hashing: Hashing {
            parse: one(parse::hashing),
            default: Is("fastest"),
            expected: "fastest or reference",
            example: "fastest",
        }
        /// Passwords that are hashed at once; each takes a core, and `memory_kib` until there was none for a minute.
        hash_threads: u32 {
            parse: one(parse::number(1, 64)),
            default: Computed {
                documented: "number of cores",
                value: |host| host.cores.clamp(1, 64).to_string(),
            },
            expected: "a whole number from 1 to 64",
            example: "2",
            shape: Shape::Bare,
        }
        /// How long a password may wait to be hashed before the client is told to come back.
        queue_wait: Duration {
            parse: one(parse::duration(Duration::ZERO, Duration::from_mins(1))),
            default: Is("1s"),
            expected: "a duration from 0s, for not at all, to 1m",
            example: "1s",
        }
        /// Characters of a password at least. Under 15 all four classes (upper, lower, digit, other) are needed as
        /// well, from 15 on none.
        min_length: usize {
            parse: one(parse::number(8, 64)),
            default: Is("8"),
            expected: "a whole number from 8 to 64",
            example: "15",
            shape: Shape::Bare,
        }
        /// A filter of breached passwords, made with `vestibule breach build`, that is asked beside the one in the
        /// binary.
        breach_filter: Option<PathBuf> {
            parse: optional(parse::file),
            default: Unset("only the one in the binary"),
            expected: "the path of a file",
            example: "/var/lib/vestibule/breached.filter",
        }
    }

    /// Who may register.
    registration: Registration {
        /// `open`: anyone, and a taken address is said to be taken; `strict`: anyone, and the answer tells nobody who
        /// has an account, but until registrations are confirmed by mail a login afterwards does; `closed`: nobody.
        mode: RegistrationMode {
            parse: one(parse::registration_mode),
            default: Is("open"),
            expected: "open, strict or closed",
            example: "closed",
        }
    }

    /// How often anybody may try, counted by all replicas together.
    limits: Limits {
        /// `false` is for load tests only.
        enabled: bool {
            parse: one(parse::truth),
            default: Is("true"),
            expected: "true or false",
            example: "true",
            shape: Shape::Bare,
        }
        /// Failed logins and wrong current passwords from one address (IPv4) or /64 (IPv6): so many at once, and so
        /// many more in a time.
        login: Budget {
            parse: one(parse::budget),
            default: Is("10+20/1m"),
            expected: "a number at once and a number for a time, like 10+20/1m",
            example: "20+40/1m",
        }
        /// Accounts that one address may fail at within an hour, before it is closed for an hour.
        accounts: u32 {
            parse: one(parse::number(1, 1000)),
            default: Is("15"),
            expected: "a whole number from 1 to 1000",
            example: "15",
            shape: Shape::Bare,
        }
        /// Failures in a row at one account, before each makes the next wait: 1, 3, 5, then 10 seconds.
        free_failures: u32 {
            parse: one(parse::number(1, 100)),
            default: Is("3"),
            expected: "a whole number from 1 to 100",
            example: "3",
            shape: Shape::Bare,
        }
        /// Failures in a row at one account, before only devices that it was opened from before are let in, for a day.
        most_failures: u32 {
            parse: one(parse::number(1, 100)),
            default: Is("100"),
            expected: "a whole number from 1 to 100",
            example: "100",
            shape: Shape::Bare,
        }
        /// Failures of one known device at its account.
        device: Budget {
            parse: one(parse::budget),
            default: Is("5+5/15m"),
            expected: "a number at once and a number for a time, like 10+20/1m",
            example: "10+10/15m",
        }
        /// Failures of all known devices of one account together.
        devices: Budget {
            parse: one(parse::budget),
            default: Is("20+20/15m"),
            expected: "a number at once and a number for a time, like 10+20/1m",
            example: "40+40/15m",
        }
        /// Registrations from one address.
        registration: Budget {
            parse: one(parse::budget),
            default: Is("60+60/1h"),
            expected: "a number at once and a number for a time, like 10+20/1m",
            example: "600+600/1h",
        }
        /// Registrations under one `Idempotency-Key`, whatever comes of them.
        idempotency: Budget {
            parse: one(parse::budget),
            default: Is("20+3/1h"),
            expected: "a number at once and a number for a time, like 10+20/1m",
            example: "50+10/1h",
        }
        /// Answers to one address that an address is taken, where registration is open.
        taken: Budget {
            parse: one(parse::budget),
            default: Is("5+5/1h"),
            expected: "a number at once and a number for a time, like 10+20/1m",
            example: "5+5/1h",
        }
        /// Failed refreshes from one address; each replica counts its own.
        refresh: Budget {
            parse: one(parse::budget),
            default: Is("300+600/1m"),
            expected: "a number at once and a number for a time, like 10+20/1m",
            example: "1000+1000/1m",
        }
    }

    /// How mail leaves. Checked, but without effect: this version sends no mail yet.
    mail: Mail {
        /// A folder that takes messages as files, or a mail server.
        url: Option<Secret> {
            parse: optional(parse::mail_url),
            default: Unset("`file://var/mail` for `vestibule dev`"),
            expected: "file://FOLDER, smtp://HOST or smtps://USER:PASSWORD@HOST",
            example: "smtps://mailer@mail.example.com",
            secrecy: Secrecy::Url,
        }
        /// The sender; needed with a mail server.
        from: Option<Email> {
            parse: optional(parse::mail_address),
            default: Unset("none"),
            expected: "an address like name@example.com",
            example: "no-reply@example.com",
        }
    }

    /// What is written to standard error.
    log: Log {
        /// Lines for people, or JSON for machines.
        format: LogFormat {
            parse: one(parse::log_format),
            default: Computed {
                documented: "`text` on a terminal, else `json`",
                value: |Host { terminal, .. }| if terminal { "text" } else { "json" }.to_owned(),
            },
            expected: "text or json",
            example: "json",
            flag: Some("--log-format"),
        }
        /// A level, and others for parts if wanted. A release says no more at `trace` than at `debug`.
        level: Targets {
            parse: one(parse::log_filter),
            default: Is("info"),
            expected: "error, warn, info, debug, trace or off, and with commas PART=LEVEL",
            example: "info,sqlx=warn",
            flag: Some("--log-level"),
        }
    }
}
