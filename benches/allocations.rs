//! How often a request asks the allocator for memory, from the socket to the socket.

use crate::one_thread::{Connected, OneThread};

const REQUESTS: u32 = 1_000;

pub(crate) fn per_request() -> Vec<(&'static str, f64)> {
    let all = OneThread::start();
    let count = |mut asking: Connected| {
        let counted = allocation_counter::measure(|| {
            all.runtime.block_on(async {
                for _ in 0..REQUESTS {
                    asking.ask().await;
                }
            });
        });
        counted.count_total as f64 / f64::from(REQUESTS)
    };
    vec![("GET /users/me", count(all.me())), ("hello on bare Axum", count(all.hello()))]
}
