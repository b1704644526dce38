//! The domain from outside, one module for each area. The ports are fakes that answer at once; what adapters must
//! keep is tested by the store suite.

#[cfg(test)]
mod access;
#[cfg(test)]
mod client;
#[cfg(test)]
mod clock;
#[cfg(test)]
mod context;
#[cfg(test)]
mod drift;
#[cfg(test)]
mod email;
#[cfg(test)]
mod fakes;
#[cfg(test)]
mod feed;
#[cfg(test)]
mod follower;
#[cfg(test)]
mod id;
#[cfg(test)]
mod idempotency;
#[cfg(test)]
mod key;
#[cfg(test)]
mod key_service;
#[cfg(test)]
mod key_times;
#[cfg(test)]
mod login;
#[cfg(test)]
mod logout;
#[cfg(test)]
mod name;
#[cfg(test)]
mod page;
#[cfg(test)]
mod password;
#[cfg(test)]
mod refresh;
#[cfg(test)]
mod register;
#[cfg(test)]
mod revocation;
#[cfg(test)]
mod revocations;
#[cfg(test)]
mod role;
#[cfg(test)]
mod secret;
#[cfg(test)]
mod snapshots;
#[cfg(test)]
mod throttle;
#[cfg(test)]
mod trail;
#[cfg(test)]
mod user;
