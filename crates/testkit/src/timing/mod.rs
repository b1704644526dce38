//! Whether answers can be told apart by the time they take.

mod scenes;
mod statistics;

pub use scenes::{logins, registrations, throttled_logins, unhashed_login};
pub use statistics::{Comparison, table};

use crate::SeededRng;
use crate::app::Request;
use std::fmt;
use std::time::{Duration, Instant};
use vestibule_domain::Rng;

/// One kind of request.
pub struct Class {
    name: &'static str,
    /// What all of them are answered.
    status: u16,
    next: Box<dyn FnMut() -> Request + Send>,
}

impl Class {
    fn new(name: &'static str, status: u16, next: impl FnMut() -> Request + Send + 'static) -> Self {
        Self { name, status, next: Box::new(next) }
    }

    async fn time(&mut self) -> Duration {
        let request = (self.next)();
        let began = Instant::now();
        let response = request.await;
        let took = began.elapsed();
        assert_eq!(response.status, self.status, "{}: {response}", self.name);
        took
    }
}

impl fmt::Debug for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Class").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Compares every class with the first one, by as many `samples` of each. Requests are sent one after another, on one
/// connection, in blocks of one of each class, whose order is drawn for each block: what the machine does meanwhile,
/// and what a request leaves behind for the next one, meets every class alike.
pub async fn compare(mut classes: Vec<Class>, samples: usize) -> Vec<Comparison> {
    let rng = SeededRng::from_seed(43);
    let mut order: Vec<_> = (0..classes.len()).collect();
    let mut times = vec![Vec::with_capacity(samples); classes.len()];
    // Connections are opened, statements prepared and caches filled before anything counts.
    let warm_up = 5 + samples / 20;
    for block in 0..warm_up + samples {
        shuffle(&mut order, &rng);
        for &class in &order {
            let took = classes[class].time().await;
            if block >= warm_up {
                times[class].push(took);
            }
        }
    }
    classes.iter().zip(&times).map(|(class, mine)| Comparison::new(class.name, &times[0], mine)).collect()
}

/// Fisher and Yates's.
fn shuffle(order: &mut [usize], rng: &dyn Rng) {
    for last in (1..order.len()).rev() {
        let draw = u32::from_le_bytes(rng.bytes()) as usize;
        order.swap(last, draw % (last + 1));
    }
}
