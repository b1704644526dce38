//! `GET /.well-known/revocations`: what is over, for services that check tokens by themselves.

use crate::error::ApiError;
use crate::extract::{Context, Parameters, Query, ReadQuery};
use crate::news::Full;
use crate::problem::Code;
use crate::state::AppState;
use axum::Json;
use axum::extract::State;
use serde::Serialize;
use std::time::Duration;
use tokio::sync::watch::Receiver;
use tokio::time::{Instant, sleep, sleep_until};
use utoipa::{IntoParams, ToSchema};
use vestibule_domain::fault::Fault;
use vestibule_domain::feed::service::MAX_REVOCATIONS;
use vestibule_domain::feed::{Revocation, RevocationCursor, RevocationPage};
use vestibule_domain::throttle::Network;

pub(crate) const PATH: &str = "/.well-known/revocations";
/// How long a client can wait for news.
const MAX_WAIT: Duration = Duration::from_secs(30);
/// For waiting and for reading. Less than an exchange may take ([`crate::serve`]), so that the client learns why.
pub(crate) const DEADLINE: Duration = Duration::from_secs(36);
/// How soon a client that waits learns that this process is cut off from the feed, and knows no news.
const LOOK: Duration = Duration::from_millis(250);

#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct RevocationQuery {
    /// The `next_cursor` of the page before. It is good on every replica, and for a day.
    #[param(value_type = Option<String>, pattern = "^[A-Za-z0-9_-]+$")]
    after: Option<RevocationCursor>,
    /// For how many seconds to wait if there is nothing new.
    #[param(value_type = Option<u8>, minimum = 0, maximum = 30, default = 0)]
    wait: Duration,
}

impl ReadQuery for RevocationQuery {
    fn read(parameters: &mut Parameters<'_>) -> Option<Self> {
        let after = parameters.optional("after", RevocationCursor::parse);
        Some(Self { after, wait: parameters.optional("wait", parse_wait).unwrap_or_default() })
    }
}

fn parse_wait(text: &str) -> Result<Duration, Fault> {
    let has_one_spelling = text == "0" || !text.starts_with(['+', '0']);
    let wait = text.parse().ok().filter(|_| has_one_spelling).map(Duration::from_secs);
    wait.filter(|wait| *wait <= MAX_WAIT).ok_or(Fault::new("out_of_range", "must be a whole number from 0 to 30"))
}

/// What is over. There is always a next page.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Revocations {
    #[schema(max_items = 500)]
    data: Vec<Ended>,
    /// To be sent as `after` next time.
    #[schema(pattern = "^[A-Za-z0-9_-]+$")]
    next_cursor: String,
}

/// The end of a session, or without `sid` of a user and all their sessions.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Ended {
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = "uuid", examples("0190b5a2-7c3e-7a00-8000-00000000000a"))]
    sid: Option<String>,
    #[schema(format = "uuid", examples("0190b5a2-7c3e-7a00-8000-000000000000"))]
    sub: String,
    #[schema(format = "date-time", examples("2026-11-23T09:30:00.000Z"))]
    at: String,
}

impl From<Revocation> for Ended {
    fn from(Revocation { user, session, at }: Revocation) -> Self {
        Self { sid: session.map(|id| id.to_string()), sub: user.to_string(), at: at.to_string() }
    }
}

impl From<RevocationPage> for Revocations {
    fn from(page: RevocationPage) -> Self {
        debug_assert!(page.data.len() <= MAX_REVOCATIONS);
        Self { data: page.data.into_iter().map(Ended::from).collect(), next_cursor: page.next.encode() }
    }
}

/// List what is over
///
/// For services that check access tokens by themselves: the sessions that ended, and the users who are gone, after
/// `after`; without it those whose tokens could still be taken for good. With `wait` the answer comes as soon as there
/// is something to tell, which is within a second of the end; an answer can also be empty, and come earlier than it
/// should. The same end can be told twice. Of one address (IPv4 /32, IPv6 /64) a hundred can wait at once.
#[utoipa::path(
    get,
    path = "/.well-known/revocations",
    tag = "Services",
    params(RevocationQuery),
    responses(
        (status = 200, description = "A page, in the order of the ends.", body = Revocations),
        (status = 429, description = "rate_limited"),
        (status = 503, description = "overloaded"),
    ),
)]
pub(super) async fn list_revocations(
    State(state): State<AppState>,
    Context(context): Context,
    Query(RevocationQuery { mut after, wait }): Query<RevocationQuery>,
) -> Result<Json<Revocations>, ApiError> {
    let (deadline, network) = (Instant::now() + wait, context.ip.map(Network::of));
    // Before the first look, so that nothing comes between.
    let mut news = state.news.listen();
    let mut place = None;
    loop {
        let page = look(&state, network, after).await?;
        if !page.data.is_empty() || wait.is_zero() || state.readiness.is_draining() {
            return Ok(Json(page.into()));
        }
        if place.is_none() {
            place = match state.news.place(network) {
                Ok(place) => Some(place),
                // Better heard too early than not at all.
                Err(Full::ForAll) => return Ok(Json(page.into())),
                Err(Full::ForNetwork) => return Err(ApiError::new(Code::RateLimited)),
            };
        }
        if !grows(&state, &mut news, deadline).await? {
            return Ok(Json(page.into()));
        }
        after = Some(page.next);
    }
}

/// From memory, or when it is this request's turn from the store.
async fn look(
    state: &AppState,
    network: Option<Network>,
    after: Option<RevocationCursor>,
) -> Result<RevocationPage, ApiError> {
    let revocations = &state.services.revocations;
    if let Some(page) = after.as_ref().and_then(|after| revocations.remembered(after)) {
        return Ok(page);
    }
    let _turn = state.news.turn(network).await.ok_or_else(|| ApiError::new(Code::Overloaded))?;
    Ok(revocations.page(after).await?)
}

/// Whether the feed grows before the wait is over. Fails when it is not followed: then no news would mean nothing.
async fn grows(state: &AppState, news: &mut Receiver<()>, deadline: Instant) -> Result<bool, ApiError> {
    while state.services.revocations.can_wait() {
        tokio::select! {
            () = state.readiness.drained() => return Ok(false),
            () = sleep_until(deadline) => return Ok(false),
            _ = news.changed() => return Ok(true),
            () = sleep(LOOK) => {}
        }
    }
    Err(ApiError::new(Code::Unavailable).because("the change feed is not followed"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::read_query;
    use crate::testing::state_of_silence;
    use tokio::time::timeout;

    #[test]
    fn a_wait_is_a_whole_number_of_seconds_up_to_thirty() {
        for (text, seconds) in [("0", 0), ("1", 1), ("30", 30)] {
            assert_eq!(read_query::<RevocationQuery>(&format!("wait={text}")).unwrap().wait.as_secs(), seconds);
        }
        for text in ["31", "-1", "%2B1", "01", "00", "1.5", "", "1e1", "99999999999999999999", "x"] {
            let error = read_query::<RevocationQuery>(&format!("wait={text}")).unwrap_err();
            assert_eq!(error.faults(), [("/wait", "out_of_range")], "{text}");
        }
        assert_eq!(read_query::<RevocationQuery>("").unwrap().wait, Duration::ZERO);
    }

    #[test]
    fn a_cursor_is_one_of_this_list() {
        let error = read_query::<RevocationQuery>("after=x&since=1").unwrap_err();
        assert_eq!(error.faults(), [("/after", "invalid_cursor"), ("/since", "unknown_field")]);
        assert!(read_query::<RevocationQuery>("after=AAAAAAAAAAA").unwrap().after.is_some());
    }

    fn cursor() -> RevocationCursor {
        RevocationCursor::parse("AAAAAAAAAAE").unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn while_two_read_the_store_others_are_told_to_come_back() {
        let state = state_of_silence();
        let reading: Vec<_> = (0..2).map(|n| tokio::spawn(read(state.clone(), n))).collect();
        tokio::task::yield_now().await;
        let began = Instant::now();
        let refused = timeout(Duration::from_secs(2), read(state.clone(), 2)).await.unwrap().unwrap_err();
        assert_eq!((refused.code(), began.elapsed()), (Code::Overloaded, Duration::from_secs(1)));
        for reading in reading {
            reading.abort();
        }
    }

    async fn read(state: AppState, network: u32) -> Result<(), ApiError> {
        let network = Network::of(std::net::Ipv4Addr::from(network).into());
        look(&state, Some(network), Some(cursor())).await.map(drop)
    }
}
