//! What only the store on SQLite promises; what both stores promise is in the suite of the testkit.

#![cfg(test)]

mod audit;
mod backup;
mod corruption;
mod file;
mod fixture;
mod migration;
mod pages;
mod plans;
mod serving;
mod transaction;
