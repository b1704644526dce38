//! Who is let in to try, and what it costs.

mod login;
mod others;
mod rules;
mod running;
