//! What must hold in the store after every test, whatever the test was about.

use crate::{StoreKind, TestStore};
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// Each query counts rows that must not be; both stores understand them all.
const ROWS: &[(&str, &str)] = &[
    (
        "one user for each canonical address",
        "SELECT count(*) FROM (SELECT email_canonical FROM users GROUP BY email_canonical HAVING count(*) > 1) AS twice",
    ),
    (
        "one live child for each refresh token",
        "SELECT count(*) FROM (SELECT refresh_parent_hash FROM sessions WHERE refresh_parent_hash IS NOT NULL \
         GROUP BY refresh_parent_hash HAVING count(*) > 1) AS twice",
    ),
    (
        "no refresh token that is its own parent",
        "SELECT count(*) FROM sessions WHERE refresh_parent_hash = refresh_hash",
    ),
    (
        "one session for each family",
        "SELECT count(*) FROM (SELECT refresh_family_hash FROM sessions GROUP BY refresh_family_hash \
         HAVING count(*) > 1) AS twice",
    ),
    (
        "no live session of a disabled user",
        "SELECT count(*) FROM sessions JOIN users ON users.id = sessions.user_id \
         WHERE sessions.ended_at IS NULL AND users.disabled_at IS NOT NULL",
    ),
    (
        "no session, role, password or device of a deleted user",
        "SELECT (SELECT count(*) FROM sessions WHERE user_id NOT IN (SELECT id FROM users)) \
         + (SELECT count(*) FROM user_roles WHERE user_id NOT IN (SELECT id FROM users)) \
         + (SELECT count(*) FROM password_credentials WHERE user_id NOT IN (SELECT id FROM users)) \
         + (SELECT count(*) FROM devices WHERE user_id NOT IN (SELECT id FROM users))",
    ),
    ("no idleness beyond a session's end", "SELECT count(*) FROM sessions WHERE idle_expires_at > expires_at"),
    (
        "a session's mark tells of its sealed child",
        "SELECT count(*) FROM sessions WHERE refresh_is_sealed <> (refresh_sealed_child IS NOT NULL)",
    ),
    ("no end without a reason", "SELECT count(*) FROM sessions WHERE (ended_at IS NULL) <> (end_reason IS NULL)"),
    (
        "every hash has 32 bytes",
        "SELECT (SELECT count(*) FROM sessions WHERE octet_length(refresh_hash) <> 32 \
         OR octet_length(refresh_family_hash) <> 32 OR octet_length(refresh_parent_hash) <> 32) \
         + (SELECT count(*) FROM devices WHERE octet_length(hash) <> 32) \
         + (SELECT count(*) FROM throttles WHERE octet_length(key) <> 32) \
         + (SELECT count(*) FROM clients WHERE octet_length(secret_hash) <> 32)",
    ),
    (
        "one signing key of each generation",
        "SELECT count(*) FROM (SELECT generation FROM signing_keys GROUP BY generation HAVING count(*) > 1) AS twice",
    ),
];

/// What an index knows of when a session expires.
const DAYS: &str = "a session's day is the end of that in which it idles out";

/// Each query counts decisions that the audit trail does not know (I10 of the catalogue).
const TRAIL: &[(&str, &str)] = &[
    (
        "every registration",
        "SELECT count(*) FROM users WHERE (SELECT count(*) FROM audit_events \
         WHERE kind = 'user.registered' AND subject_id = users.id) <> 1",
    ),
    (
        "every login",
        "SELECT count(*) FROM sessions WHERE (SELECT count(*) FROM audit_events \
         WHERE kind = 'login.succeeded' AND session_id = sessions.id) <> 1",
    ),
    (
        "every disabling",
        "SELECT count(*) FROM users WHERE disabled_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM audit_events \
         WHERE kind = 'user.disabled' AND subject_id = users.id)",
    ),
    (
        "every change of a password",
        "SELECT count(*) FROM password_credentials JOIN users ON users.id = password_credentials.user_id \
         WHERE users.epoch > 1 AND password_credentials.changed_at > users.created_at AND NOT EXISTS (SELECT 1 \
         FROM audit_events WHERE kind = 'password.changed' AND subject_id = users.id)",
    ),
    (
        "every breached password that was found",
        "SELECT count(*) FROM password_credentials AS password WHERE breached_at IS NOT NULL AND (SELECT count(*) \
         FROM audit_events WHERE kind = 'password.found_breached' AND subject_id = password.user_id \
         AND at = password.breached_at) <> 1",
    ),
    (
        "every logout and every ending of one session",
        "SELECT count(*) FROM sessions WHERE end_reason IN ('logged_out', 'revoked') AND NOT EXISTS (SELECT 1 \
         FROM audit_events WHERE kind IN ('session.ended', 'session.all_ended') \
         AND subject_id = sessions.user_id AND at = sessions.ended_at)",
    ),
    (
        "every reuse of a refresh token",
        "SELECT count(*) FROM sessions WHERE end_reason = 'refresh_token_reused' AND (SELECT count(*) \
         FROM audit_events WHERE kind = 'refresh_token.reused' AND session_id = sessions.id) <> 1",
    ),
    (
        "every client",
        "SELECT abs((SELECT count(*) FROM clients) \
         - (SELECT count(*) FROM audit_events WHERE kind = 'client.created') \
         + (SELECT count(*) FROM audit_events WHERE kind = 'client.deleted'))",
    ),
    (
        "every signing key",
        "SELECT (SELECT count(*) FROM signing_keys WHERE (SELECT count(*) FROM audit_events \
         WHERE kind = 'key.added' AND key_id = signing_keys.id) <> 1) \
         + (SELECT count(*) FROM signing_keys WHERE (SELECT count(*) FROM audit_events \
         WHERE kind = 'key.revoked' AND key_id = signing_keys.id) <> CASE WHEN revoked_at IS NULL THEN 0 ELSE 1 END)",
    ),
];

/// Each query counts what services that check tokens offline were told wrongly, or not at all.
const FEED: &[(&str, &str)] = &[
    (
        "every end of a session, by its id",
        "SELECT count(*) FROM sessions WHERE ended_at IS NOT NULL AND (SELECT count(*) FROM changes \
         WHERE kind = 'session_ended' AND user_id = sessions.user_id AND session_id = sessions.id) <> 1",
    ),
    (
        "no end of a session that goes on",
        "SELECT count(*) FROM sessions WHERE ended_at IS NULL AND EXISTS (SELECT 1 FROM changes \
         WHERE kind = 'session_ended' AND session_id = sessions.id)",
    ),
    (
        "every deletion of a user",
        "SELECT count(*) FROM audit_events WHERE kind = 'user.deleted' AND NOT EXISTS (SELECT 1 FROM changes \
         WHERE kind = 'user_gone' AND user_id = audit_events.subject_id)",
    ),
];

const ADMINISTRATORS: &str = "SELECT count(*) FROM users JOIN user_roles ON user_roles.user_id = users.id \
     WHERE user_roles.role = 'admin' AND users.disabled_at IS NULL";

/// For any use of the ports.
pub async fn check_rows(store: &TestStore) {
    check("the store", ROWS, store).await;
    let other_days = match store.kind() {
        StoreKind::Postgres => "SELECT count(*) FROM sessions WHERE idle_expires_day <> day_end(idle_expires_at)",
        StoreKind::Sqlite => {
            "SELECT count(*) FROM sessions WHERE idle_expires_day <> idle_expires_at - idle_expires_at % 86400000 + 86400000"
        }
    };
    check("the store", &[(DAYS, other_days)], store).await;
}

/// For what the use cases did: with the trail, the feed, an administrator who stays, and no secret that a client ever
/// held.
pub async fn check_service(store: &TestStore, secrets: &BTreeSet<String>) {
    check_rows(store).await;
    check("the audit trail", TRAIL, store).await;
    check("the change feed", FEED, store).await;
    assert!(store.number(ADMINISTRATORS).await >= 1, "there was an administrator, and none is left");
    check_secrets(store, secrets).await;
}

async fn check(what: &str, rules: &[(&str, &str)], store: &TestStore) {
    for (rule, sql) in rules {
        let violations = store.number(sql).await;
        assert_eq!(violations, 0, "{what} breaks the rule «{rule}» {violations} times");
    }
}

/// No secret in plain text, nor its bytes, in any column of any table.
async fn check_secrets(store: &TestStore, secrets: &BTreeSet<String>) {
    let needles: Vec<_> = secrets.iter().map(|secret| (secret, hexadecimal(secret))).collect();
    for table in store.tables().await {
        for row in store.dump(&table).await {
            let folded = row.to_lowercase();
            let leaked = needles.iter().find(|(text, hex)| row.contains(text.as_str()) || folded.contains(hex));
            assert!(leaked.is_none(), "a row of {table} holds a secret in plain text: {row}");
        }
    }
}

fn hexadecimal(text: &str) -> String {
    text.bytes().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").expect("a string takes any text");
        hex
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::suite::Fixture;

    /// Breaks something past the ports, which alone would not let it happen.
    async fn after(sql: &str) {
        let fixture = Fixture::create(StoreKind::Sqlite).await;
        let alice = fixture.register_admin("alice@example.com").await;
        fixture.sign_in(alice.id).await;
        fixture.database.execute(sql).await.expect("the rows can be broken");
        let secrets = BTreeSet::from(["vrt_handed_out".to_owned()]);
        check_secrets(&fixture.database, &secrets).await;
        check_rows(&fixture.database).await;
    }

    #[tokio::test]
    async fn what_is_sound_passes() {
        after("UPDATE users SET version = 2").await;
    }

    #[tokio::test]
    #[should_panic(expected = "holds a secret in plain text")]
    async fn a_secret_in_text_is_found() {
        after("UPDATE users SET name = 'so: vrt_handed_out'").await;
    }

    #[tokio::test]
    #[should_panic(expected = "holds a secret in plain text")]
    async fn a_secret_in_bytes_is_found() {
        after(
            "UPDATE sessions SET refresh_parent_hash = zeroblob(32), refresh_replaced_at = 1, \
             refresh_sealed_child = CAST('vrt_handed_out' AS BLOB)",
        )
        .await;
    }

    #[tokio::test]
    #[should_panic(expected = "a session's mark tells of its sealed child")]
    async fn a_mark_without_a_sealed_child_is_found() {
        after("UPDATE sessions SET refresh_is_sealed = 1").await;
    }

    #[tokio::test]
    #[should_panic(expected = "a session's day is the end of that in which it idles out")]
    async fn a_day_that_is_another_is_found() {
        after("UPDATE sessions SET idle_expires_day = idle_expires_day + 86400000").await;
    }

    #[tokio::test]
    #[should_panic(expected = "no live session of a disabled user")]
    async fn a_live_session_of_a_disabled_user_is_found() {
        after("UPDATE users SET disabled_at = 1").await;
    }
}
