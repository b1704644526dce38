//! What has one spelling is written as it was read: cursors, limits, opaque tokens, ids up to case.

use vestibule_domain::id::SessionId;
use vestibule_domain::page::{Cursor, Limit};
use vestibule_domain::session::{DeviceToken, RefreshToken};

/// Whether it is taken.
pub fn check(input: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(input) else { return false };
    let (cursor, limit, id) = (Cursor::parse(text), Limit::parse(text), SessionId::parse(text));
    let (refresh, device) = (RefreshToken::parse(text), DeviceToken::parse(text));
    let written = [
        cursor.ok().map(Cursor::encode),
        limit.as_ref().ok().map(|limit| limit.get().to_string()),
        refresh.ok().map(|token| token.reveal().to_string()),
        device.ok().map(|token| token.reveal().to_string()),
    ];
    let taken = written.iter().flatten().inspect(|written| assert_eq!(*written, text)).count();
    assert!(taken <= 1, "one text for two purposes");
    assert!(limit.ok().is_none_or(|limit| (1..=Limit::MAX).contains(&limit.get())));
    let is_id = id.is_ok_and(|id| {
        assert_eq!(id.to_string(), text.to_ascii_lowercase());
        true
    });
    is_id || taken == 1
}
