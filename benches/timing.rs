//! Whether the time of an answer tells who has an account: case 43 of the catalogue, at full size and on both stores.
//!
//! `make bench-timing`, on a machine that does nothing else; `SAMPLES=10000` for more than 2,000 of each class. Hashes
//! are the cheapest that are legal, beside which everything else weighs most.
#![expect(clippy::expect_used, clippy::print_stdout, reason = "a bench that cannot be set up has to stop, and reports")]

use std::process::ExitCode;
use vestibule_domain::Settings;
use vestibule_domain::user::RegistrationMode;
use vestibule_testkit::StoreKind;
use vestibule_testkit::app::{Setup, TestApp};
use vestibule_testkit::timing::{self, Comparison};

#[derive(Debug, Clone, Copy)]
enum Experiment {
    Logins,
    ThrottledLogins,
    StrictRegistrations,
}

impl Experiment {
    fn setup(self) -> Setup {
        let mut setup = Setup::default();
        match self {
            Self::Logins => {}
            Self::ThrottledLogins => setup.domain = Settings::default(),
            Self::StrictRegistrations => setup.domain.registration = RegistrationMode::Strict,
        }
        setup
    }

    async fn run(self, store: StoreKind, samples: usize) -> Vec<Comparison> {
        let scene = Box::pin(TestApp::start(store, self.setup())).await;
        let classes = match self {
            Self::Logins => timing::logins(&scene).await,
            Self::ThrottledLogins => timing::throttled_logins(&scene).await,
            Self::StrictRegistrations => timing::registrations(&scene).await,
        };
        let comparisons = timing::compare(classes, samples).await;
        scene.app.finish().await;
        comparisons
    }
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> ExitCode {
    let samples = std::env::var("SAMPLES").map_or(2_000, |text| text.parse().expect("SAMPLES is a number"));
    let mut all_alike = true;
    for experiment in [Experiment::Logins, Experiment::ThrottledLogins, Experiment::StrictRegistrations] {
        for store in [StoreKind::Sqlite, StoreKind::Postgres] {
            let comparisons = Box::pin(experiment.run(store, samples)).await;
            println!("{experiment:?} on {store:?}, {samples} of each\n{}", timing::table(&comparisons));
            for told_apart in comparisons.iter().filter(|comparison| !comparison.is_alike()) {
                println!("FAILED: «{}» differs by more than 2 %, or its |t| is 4.5 or more\n", told_apart.name);
                all_alike = false;
            }
        }
    }
    if all_alike { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
