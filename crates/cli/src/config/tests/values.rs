use super::super::parse::Written;
use super::super::setting::Fallback;
use super::super::table::SETTINGS;
use super::super::{LogFormat, StoreUrl, reference};
use super::{KEY, given};
use std::path::Path;
use std::time::Duration;
use vestibule_domain::access::{Permission, RoleName};
use vestibule_domain::token::Algorithm;
use vestibule_infrastructure::crypto::Hashing;

#[test]
fn without_anything_the_defaults_of_the_contract_hold() {
    let config = given().config();
    assert_eq!(config.http.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(config.http.ops_listen.unwrap().to_string(), "127.0.0.1:9090");
    assert_eq!(config.http.public_url.as_str(), "http://localhost:8080");
    assert!(config.http.trusted_proxies.is_empty() && config.http.cors_origins.is_empty());
    assert!(matches!(&config.store.url, StoreUrl::Sqlite(path) if path == Path::new("var/vestibule.db")));
    assert_eq!((config.store.max_connections, config.passwords.hash_threads), (8, 4));
    assert_eq!(config.tokens.algorithm, Algorithm::EdDsa);
    assert_eq!((config.issuer().as_str(), config.tokens.audience.as_str()), ("http://localhost:8080", "vestibule"));
    assert_eq!(config.tokens.access_ttl, Duration::from_mins(10));
    assert_eq!(config.tokens.refresh_idle, Duration::from_hours(14 * 24));
    assert_eq!(config.tokens.refresh_absolute, Duration::from_hours(30 * 24));
    assert_eq!(config.tokens.refresh_grace, Duration::from_secs(10));
    assert!(config.tokens.email_claim && config.limits.enabled);
    let passwords = &config.passwords;
    assert_eq!((passwords.memory_kib, passwords.iterations, passwords.parallelism), (19_456, 2, 1));
    assert_eq!(passwords.hashing, Hashing::Fastest);
    assert_eq!((passwords.queue_wait, passwords.min_length), (Duration::from_secs(1), 8));
    assert_eq!(config.log.format, LogFormat::Json);
    assert_eq!(config.warnings, [""; 0]);
}

#[test]
fn connections_follow_the_cores_between_four_and_twenty() {
    for (cores, connections) in [(1, 4), (2, 4), (6, 12), (64, 20)] {
        let mut given = given();
        given.inputs.host.cores = cores;
        assert_eq!(given.config().store.max_connections, connections);
    }
}

#[test]
fn a_terminal_gets_text() {
    let mut given = given();
    given.inputs.host.terminal = true;
    assert_eq!(given.config().log.format, LogFormat::Text);
}

#[test]
fn a_flag_beats_a_variable_beats_the_file_beats_the_default() {
    let file = given().file("[http]\nlisten = \"127.0.0.1:1\"");
    assert_eq!(file.config().http.listen.port(), 1);
    let variable = file.variable("VESTIBULE_HTTP__LISTEN", "127.0.0.1:2");
    assert_eq!(variable.config().http.listen.port(), 2);
    let flag = variable.flag("http.listen", "--listen", "127.0.0.1:3");
    assert_eq!(flag.config().http.listen.port(), 3);
}

#[test]
fn what_is_overridden_need_not_be_right() {
    let given = given().file("[http]\nlisten = \"nonsense\"").variable("VESTIBULE_HTTP__LISTEN", "127.0.0.1:2");
    assert_eq!(given.config().http.listen.port(), 2);
}

#[test]
fn lists_are_arrays_in_toml_and_have_commas_elsewhere() {
    let toml = given().file("[http]\ntrusted_proxies = [\"10.0.0.0/8\", \"fd00::/8\", \"192.0.2.1\"]").config();
    let variable = given().variable("VESTIBULE_HTTP__TRUSTED_PROXIES", "10.0.0.0/8, fd00::/8,192.0.2.1").config();
    let shown: Vec<_> = toml.http.trusted_proxies.iter().map(ToString::to_string).collect();
    assert_eq!(shown, ["10.0.0.0/8", "fd00::/8", "192.0.2.1/32"]);
    assert_eq!(toml.http.trusted_proxies, variable.http.trusted_proxies);
}

#[test]
fn toml_may_write_numbers_as_toml_does() {
    let config = given().file("[passwords]\nmemory_kib = 65_536\n[limits]\nenabled = false").config();
    assert_eq!(config.passwords.memory_kib, 65_536);
    assert!(!config.limits.enabled);
}

#[test]
fn dotted_keys_and_sections_are_the_same() {
    assert_eq!(given().file("http.listen = \"127.0.0.1:7\"").config().http.listen.port(), 7);
}

#[test]
fn the_operators_listener_can_be_off() {
    assert_eq!(given().variable("VESTIBULE_HTTP__OPS_LISTEN", "off").config().http.ops_listen, None);
}

#[test]
fn the_issuer_follows_the_public_url_unless_it_is_set() {
    let followed = given().variable("VESTIBULE_HTTP__PUBLIC_URL", "https://auth.example.com");
    assert_eq!(followed.config().issuer(), "https://auth.example.com");
    assert_eq!(
        followed.variable("VESTIBULE_TOKENS__ISSUER", "https://id.example").config().issuer(),
        "https://id.example"
    );
}

#[test]
fn database_url_sets_the_store_unless_the_services_own_variable_does() {
    let url = given().variable("DATABASE_URL", "sqlite:///a.db");
    assert!(matches!(&url.config().store.url, StoreUrl::Sqlite(path) if path == Path::new("/a.db")));
    let both = url.variable("VESTIBULE_STORE__URL", "sqlite:///b.db");
    assert!(matches!(&both.config().store.url, StoreUrl::Sqlite(path) if path == Path::new("/b.db")));
}

#[test]
fn database_url_does_not_count_where_it_must_not() {
    let mut given =
        given().variable("DATABASE_URL", "postgres://elsewhere/other").variable("DATABASE_URL_FILE", "/none");
    given.inputs.with_database_url = false;
    assert!(given.config().is_default("store.url"));
}

#[test]
fn roles_get_the_permissions_that_are_listed() {
    let file = given().file("[roles]\nauditor = [\"audit:read\"]\nsupport = []");
    let config = file.variable("VESTIBULE_ROLES__HELPDESK", "users:read,users:write").config();
    let allows = |role: &str, permission| config.roles.allow(&[RoleName::parse(role).unwrap()].into(), permission);
    assert!(allows("auditor", Permission::AuditRead) && !allows("auditor", Permission::UsersRead));
    assert!(allows("helpdesk", Permission::UsersWrite) && !allows("helpdesk", Permission::RolesWrite));
    assert!(!allows("support", Permission::UsersRead), "the built-in permissions are replaced");
    assert!(Permission::ALL.into_iter().all(|permission| allows("admin", permission)));
}

#[test]
fn variables_of_others_do_not_matter() {
    given().variable("PATH", "/bin").variable("VESTIBULED", "1").variable("VESTIBULE_CONFIG", "/x").config();
}

#[test]
fn unwise_settings_are_allowed_with_a_warning() {
    let given = given()
        .variable("VESTIBULE_HTTP__PUBLIC_URL", "http://auth.example.com")
        .variable("VESTIBULE_LIMITS__ENABLED", "false")
        .variable("VESTIBULE_TOKENS__SECRET", KEY);
    let warnings = given.config().warnings;
    for key in ["http.public_url", "limits.enabled", "tokens.secret"] {
        assert!(warnings.iter().any(|warning| warning.starts_with(key)), "{key}: {warnings:?}");
    }
}

#[test]
fn a_look_alike_of_this_machine_is_not_local() {
    for url in ["http://localhost.example.com", "http://127.0.0.1.example.com", "http://[::1].example"] {
        let loaded = given().variable("VESTIBULE_HTTP__PUBLIC_URL", url).load();
        assert!(loaded.is_err() || !loaded.unwrap().warnings.is_empty(), "{url}");
    }
}

#[test]
fn every_row_of_the_table_is_complete() {
    for setting in SETTINGS {
        let texts = [setting.expected, setting.example, setting.documentation.trim()];
        assert!(texts.iter().all(|text| !text.is_empty()), "{}", setting.key);
        assert!(!matches!(setting.default, Fallback::Unset("")), "{}", setting.key);
    }
    let mut keys: Vec<_> = SETTINGS.iter().map(|setting| setting.key).collect();
    keys.sort_unstable();
    assert!(keys.windows(2).all(|pair| pair[0] != pair[1]));
}

#[test]
fn every_example_is_accepted_in_the_environment() {
    for setting in SETTINGS.iter().filter(|setting| !setting.example.contains('<')) {
        let given = given()
            .variable("VESTIBULE_TOKENS__MASTER_KEY", KEY)
            .variable("VESTIBULE_MAIL__FROM", "no-reply@example.com")
            .variable(&setting.variable(), setting.example);
        assert!(given.load().is_ok(), "{}: {}", setting.key, given.load().unwrap_err());
    }
}

#[test]
fn the_reference_has_every_setting() {
    let page = reference::markdown();
    for setting in SETTINGS {
        assert!(page.contains(&format!("`{}`<br>`{}`", setting.key, setting.variable())), "{}", setting.key);
    }
    assert!(page.ends_with("```\n"));
}

#[test]
fn a_list_shows_its_items_with_commas() {
    assert_eq!(Written::from_items(&["a", "b"]).joined(), "a,b");
}
