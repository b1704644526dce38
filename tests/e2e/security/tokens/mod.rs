//! E: access tokens.

mod forged;
mod life;
mod signed;

use vestibule_testkit::app::Client;

async fn refused(client: &Client, token: &str, why: &str) {
    let response = client.with_token(token).get("/users/me").await;
    // What is too large for a header is refused before anyone looks for a token in it.
    if response.status == 431 && token.len() > 8_192 {
        return;
    }
    assert_eq!((response.status, response.code()), (401, "invalid_token"), "{why}");
    let challenge = response.header("www-authenticate").expect("a challenge");
    assert!(challenge.starts_with("Bearer") && challenge.contains("error=\"invalid_token\""), "{why}: {challenge}");
}
