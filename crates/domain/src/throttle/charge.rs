//! Which budgets an attempt is charged to.

use super::{BucketKey, Budget, Lockout, Network, Rule, Spread, Throttle};
use crate::context::RequestContext;
use crate::id::{SessionId, UserId};
use crate::session::DeviceTokenHash;
use crate::user::{Email, IdempotencyKey};
use std::time::Duration;

/// What an operator decides.
#[derive(Debug, Clone, Copy)]
pub struct ThrottleSettings {
    pub enabled: bool,
    /// Failed logins and wrong current passwords from one address.
    pub login: Budget,
    /// Accounts that one address may fail at in an hour.
    pub spread: Spread,
    /// Failures at one account.
    pub account: Lockout,
    /// Failures of one known device at its account.
    pub device: Budget,
    /// Failures of all known devices of one account.
    pub devices: Budget,
    /// Registrations from one address.
    pub registration: Budget,
    /// Registrations under one idempotency key.
    pub idempotency: Budget,
    /// Answers to one address that an address is taken.
    pub taken: Budget,
    /// Failed refreshes from one address; counted by each process for itself.
    pub refresh: Budget,
}

impl Default for ThrottleSettings {
    fn default() -> Self {
        Self {
            enabled: true,
            login: Budget::new(10, Duration::from_secs(3)),
            spread: Spread { most: 15 },
            account: Lockout { free: 3, most: 100 },
            device: Budget::new(5, Duration::from_mins(3)),
            devices: Budget::new(20, Duration::from_secs(45)),
            registration: Budget::new(60, Duration::from_mins(1)),
            idempotency: Budget::new(20, Duration::from_mins(20)),
            taken: Budget::new(5, Duration::from_mins(12)),
            refresh: Budget::new(300, Duration::from_millis(100)),
        }
    }
}

/// What one attempt costs one bucket.
#[derive(Debug, Clone)]
pub(crate) struct Charge {
    pub(super) policy: &'static str,
    pub(super) key: BucketKey,
    pub(super) rule: Rule,
    /// Whose the bucket is; `None` for an address.
    pub(super) account: Option<Account>,
}

#[derive(Debug, Clone)]
pub(super) enum Account {
    /// It may not exist.
    Claimed(Email),
    Known(UserId),
}

impl Throttle {
    /// Known devices answer for themselves alone, so that nobody else can lock their owner out by guessing
    /// (CVE-2024-1722): each has a budget, and all together, so that many stolen ones are not as many budgets.
    /// Everybody else shares what the address and the account have left. An account is what its canonical address says,
    /// whether it exists or not (CVE-2025-6004).
    pub(crate) fn login(
        &self,
        email: &Email,
        device: Option<&DeviceTokenHash>,
        context: &RequestContext,
    ) -> Vec<Charge> {
        let of_account = |policy, key, rule| {
            let account = Some(Account::Claimed(email.clone()));
            Charge { policy, key, rule, account }
        };
        if let Some(device) = device {
            let (one, all) = (self.settings.device, self.settings.devices);
            return vec![
                of_account("device", self.key("device", device.as_bytes()), Rule::Failures(one)),
                of_account("devices", self.key("devices", email.canonical().as_bytes()), Rule::Failures(all)),
            ];
        }
        let account = self.account(email);
        let mut charges = self.address(context, "login", Rule::Failures(self.settings.login));
        charges.extend(self.address(context, "accounts", Rule::Accounts(self.settings.spread, account)));
        charges.push(of_account("account", account, Rule::InARow(self.settings.account)));
        charges
    }

    /// Whoever has somebody's session may guess their password no faster than a stranger, and locks nobody out but that
    /// session.
    pub(crate) fn change_of_password(&self, user: UserId, session: SessionId, context: &RequestContext) -> Vec<Charge> {
        let key = self.key("current password", session.as_uuid().as_bytes());
        let mut charges = self.address(context, "login", Rule::Failures(self.settings.login));
        let (rule, account) = (Rule::InARow(self.settings.account), Some(Account::Known(user)));
        charges.push(Charge { policy: "account", key, rule, account });
        charges
    }

    /// Where the answer tells whether an address is taken, that has a budget of its own. So has an idempotency key:
    /// whoever knows somebody's, and what was registered under it, could otherwise try passwords until the answer is
    /// that of the first time. Nothing is given back there, whatever the outcome, which strict registration must not
    /// tell.
    pub(crate) fn registration(
        &self,
        tells: bool,
        key: Option<&IdempotencyKey>,
        context: &RequestContext,
    ) -> Vec<Charge> {
        let mut charges = self.address(context, "registration", Rule::Attempts(self.settings.registration));
        if tells {
            charges.extend(self.address(context, "taken", Rule::Failures(self.settings.taken)));
        }
        charges.extend(key.map(|key| {
            let rule = Rule::Attempts(self.settings.idempotency);
            Charge { policy: "idempotency", key: self.key("registrations under", key.as_bytes()), rule, account: None }
        }));
        charges
    }

    /// The answer tells whether the address is taken, to whoever has an account, from wherever they ask.
    pub(crate) fn new_address(&self, caller: UserId, context: &RequestContext) -> Vec<Charge> {
        let rule = Rule::Failures(self.settings.taken);
        let mut charges = self.address(context, "taken", rule);
        let (key, account) = (self.key("taken by", caller.as_uuid().as_bytes()), Some(Account::Known(caller)));
        charges.push(Charge { policy: "taken", key, rule, account });
        charges
    }

    pub(crate) fn refresh(&self, context: &RequestContext) -> Vec<Charge> {
        self.address(context, "refresh", Rule::Failures(self.settings.refresh))
    }

    pub(super) fn account(&self, email: &Email) -> BucketKey {
        self.key("account", email.canonical().as_bytes())
    }

    /// Nothing for whoever has no address: the command line.
    fn address(&self, context: &RequestContext, policy: &'static str, rule: Rule) -> Vec<Charge> {
        let charge =
            |network: Network| Charge { policy, key: self.key(policy, &network.octets()), rule, account: None };
        context.network().map(charge).into_iter().collect()
    }

    fn key(&self, purpose: &'static str, data: &[u8]) -> BucketKey {
        BucketKey::new(&*self.ports.keyed_hash, purpose, data)
    }
}
