use super::store::{Audited, RoundTrip, State, StoredSession};
use async_trait::async_trait;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use vestibule_domain::access::RoleName;
use vestibule_domain::audit::{AuditEvent, AuditRecord, store::AuditWrites};
use vestibule_domain::client::{ClientRecord, store::ClientWrites};
use vestibule_domain::credential::{PasswordHash, store::CredentialWrites};
use vestibule_domain::feed::{Change, store::FeedWrites};
use vestibule_domain::id::{ClientId, KeyId, SessionId, UserId};
use vestibule_domain::session::store::SessionWrites;
use vestibule_domain::session::{DeviceTokenHash, EndReason, RefreshTokenHash, Session};
use vestibule_domain::token::{SigningKey, store::KeyWrites};
use vestibule_domain::user::store::{DeleteOutcome, IdempotencyWrites, ProfileOutcome, ProfileUpdate, UserWrites};
use vestibule_domain::user::{Email, FirstOutcome, IdempotencyClaim, Status, User};
use vestibule_domain::{StoreError, Timestamp, UnitOfWork};

pub(super) struct MemoryWork {
    home: Arc<Mutex<State>>,
    state: State,
    round_trip: RoundTrip,
}

impl MemoryWork {
    pub(super) fn on(home: &Arc<Mutex<State>>, round_trip: &RoundTrip) -> Self {
        let (state, round_trip) = (home.lock().unwrap().clone(), round_trip.clone());
        Self { home: Arc::clone(home), state, round_trip }
    }

    fn touch(&mut self, id: UserId, now: Timestamp, change: impl FnOnce(&mut User)) -> Option<User> {
        let user = self.state.users.get_mut(&id)?;
        change(user);
        user.version += 1;
        user.updated_at = now;
        Some(user.clone())
    }
}

#[async_trait]
impl UnitOfWork for MemoryWork {
    async fn commit(self: Box<Self>) -> Result<(), StoreError> {
        self.round_trip.pass();
        *self.home.lock().unwrap() = self.state;
        Ok(())
    }
}

#[async_trait]
impl IdempotencyWrites for MemoryWork {
    async fn claim_idempotency_key(
        &mut self,
        claim: &IdempotencyClaim,
        user: Option<UserId>,
        now: Timestamp,
        forgotten: Timestamp,
    ) -> Result<Option<FirstOutcome>, StoreError> {
        self.round_trip.pass();
        let first = self.state.idempotency_keys.get(&claim.key).filter(|first| first.at >= forgotten).copied();
        if first.is_none() {
            self.state.idempotency_keys.insert(claim.key, FirstOutcome { request: claim.request, user, at: now });
        }
        Ok(first)
    }
}

#[async_trait]
impl UserWrites for MemoryWork {
    async fn insert_user(&mut self, user: &User, password: Option<&PasswordHash>) -> Result<bool, StoreError> {
        self.round_trip.pass();
        if self.state.users.values().any(|other| other.email.canonical() == user.email.canonical()) {
            return Ok(false);
        }
        self.state.passwords.extend(password.map(|password| (user.id, password.clone())));
        Ok(self.state.users.insert(user.id, user.clone()).is_none())
    }

    async fn update_profile(&mut self, update: &ProfileUpdate) -> Result<ProfileOutcome, StoreError> {
        let (name, email) = (update.name.clone(), update.email.clone());
        let is_taken = |email: &Email| {
            let others = self.state.users.values().filter(|user| user.id != update.id);
            others.into_iter().any(|user| user.email.canonical() == email.canonical())
        };
        if email.as_ref().is_some_and(is_taken) {
            return Ok(ProfileOutcome::EmailTaken);
        }
        let user = self.touch(update.id, update.now, |user| {
            user.name = name.unwrap_or(user.name.clone());
            user.email = email.unwrap_or(user.email.clone());
        });
        Ok(user.map_or(ProfileOutcome::Missing, ProfileOutcome::Updated))
    }

    async fn set_status(&mut self, id: UserId, status: Status, now: Timestamp) -> Result<Option<User>, StoreError> {
        Ok(self.touch(id, now, |user| {
            user.status = status;
            user.epoch += i64::from(status == Status::Disabled);
        }))
    }

    async fn set_roles(
        &mut self,
        id: UserId,
        roles: &BTreeSet<RoleName>,
        now: Timestamp,
    ) -> Result<Option<User>, StoreError> {
        Ok(self.touch(id, now, |user| user.roles = roles.clone()))
    }

    async fn delete_user(&mut self, id: UserId, _: Option<i64>) -> Result<DeleteOutcome, StoreError> {
        self.state.sessions.retain(|_, stored| stored.session.user != id);
        let deleted = self.state.users.remove(&id).is_some();
        Ok(if deleted { DeleteOutcome::Deleted } else { DeleteOutcome::Missing })
    }

    async fn record_login(&mut self, id: UserId, epoch: i64, now: Timestamp) -> Result<Option<User>, StoreError> {
        let holds = |user: &User| user.epoch == epoch && user.status == Status::Active;
        if !self.state.users.get(&id).is_some_and(holds) {
            return Ok(None);
        }
        Ok(self.touch(id, now, |user| user.last_login_at = Some(now)))
    }

    async fn advance_epoch(&mut self, id: UserId, epoch: i64) -> Result<bool, StoreError> {
        let user = self.state.users.get_mut(&id).filter(|user| user.epoch == epoch);
        Ok(user.map(|user| user.epoch += 1).is_some())
    }

    async fn is_last_administrator(&mut self, id: UserId) -> Result<bool, StoreError> {
        let administrators: Vec<_> = self.state.administrators().collect();
        Ok(matches!(administrators[..], [only] if only.id == id))
    }
}

#[async_trait]
impl CredentialWrites for MemoryWork {
    async fn set_password(&mut self, user: UserId, hash: &PasswordHash, _: Timestamp) -> Result<(), StoreError> {
        self.round_trip.pass();
        self.state.passwords.insert(user, hash.clone());
        self.state.breached.remove(&user);
        Ok(())
    }

    async fn upgrade_hash(&mut self, user: UserId, hash: &PasswordHash) -> Result<(), StoreError> {
        self.state.passwords.insert(user, hash.clone());
        Ok(())
    }

    async fn mark_breached(&mut self, user: UserId, now: Timestamp) -> Result<bool, StoreError> {
        Ok(self.state.breached.insert(user, now).is_none())
    }
}

#[async_trait]
impl SessionWrites for MemoryWork {
    async fn insert_session(&mut self, session: &Session, token: &RefreshTokenHash) -> Result<(), StoreError> {
        let (session, current) = (session.clone(), token.clone());
        let stored = StoredSession { session, current, parent: None, ended: None };
        self.state.sessions.insert(stored.session.id, stored);
        Ok(())
    }

    async fn displace_sessions(
        &mut self,
        user: UserId,
        newest: SessionId,
        keep: u32,
        _: Timestamp,
    ) -> Result<Vec<SessionId>, StoreError> {
        let mine = |stored: &&mut StoredSession| {
            stored.session.user == user && stored.session.id != newest && stored.ended.is_none()
        };
        let older = self.state.sessions.values_mut().rev().filter(mine).skip(keep as usize - 1);
        Ok(older.map(|stored| stored.end(EndReason::Displaced)).collect())
    }

    async fn end_session(
        &mut self,
        user: UserId,
        id: SessionId,
        reason: EndReason,
        _: Timestamp,
    ) -> Result<bool, StoreError> {
        let mine = |stored: &&mut StoredSession| stored.session.user == user && stored.ended.is_none();
        let found = self.state.sessions.get_mut(&id).filter(mine);
        Ok(found.map(|stored| stored.end(reason)).is_some())
    }

    async fn holds_session(&mut self, user: UserId, id: SessionId) -> Result<bool, StoreError> {
        let live = |stored: &StoredSession| stored.session.user == user && stored.ended.is_none();
        Ok(self.state.sessions.get(&id).is_some_and(live))
    }

    async fn end_sessions(
        &mut self,
        user: UserId,
        except: Option<SessionId>,
        reason: EndReason,
        _: Timestamp,
    ) -> Result<Vec<SessionId>, StoreError> {
        let ends = |stored: &&mut StoredSession| {
            stored.session.user == user && stored.ended.is_none() && Some(stored.session.id) != except
        };
        let ended = self.state.sessions.values_mut().filter(ends);
        Ok(ended.map(|stored| stored.end(reason)).collect())
    }

    async fn forget_devices(&mut self, user: UserId) -> Result<(), StoreError> {
        self.state.devices.retain(|(owner, ..)| *owner != user);
        Ok(())
    }

    async fn insert_device(
        &mut self,
        user: UserId,
        device: &DeviceTokenHash,
        _: Timestamp,
        expires_at: Timestamp,
    ) -> Result<(), StoreError> {
        self.state.devices.push((user, device.clone(), expires_at));
        Ok(())
    }
}

#[async_trait]
impl KeyWrites for MemoryWork {
    async fn insert_key(&mut self, key: &SigningKey) -> Result<bool, StoreError> {
        if self.state.keys.iter().any(|other| other.generation == key.generation) {
            return Ok(false);
        }
        self.state.keys.push(key.clone());
        Ok(true)
    }

    async fn retire_keys_before(&mut self, generation: i64, at: Timestamp) -> Result<(), StoreError> {
        for key in self.state.keys.iter_mut().filter(|key| key.generation < generation) {
            key.retires_at = Some(key.retires_at.map_or(at, |earlier| earlier.min(at)));
        }
        Ok(())
    }

    async fn revoke_key(&mut self, id: KeyId, now: Timestamp) -> Result<bool, StoreError> {
        let key = self.state.keys.iter_mut().find(|key| key.id == id && key.revoked_at.is_none());
        Ok(key.map(|key| key.revoked_at = Some(now)).is_some())
    }

    async fn activate_key(&mut self, id: KeyId, now: Timestamp) -> Result<(), StoreError> {
        for key in self.state.keys.iter_mut().filter(|key| key.id == id) {
            key.activates_at = now;
        }
        Ok(())
    }
}

#[async_trait]
impl ClientWrites for MemoryWork {
    async fn insert_client(&mut self, record: &ClientRecord) -> Result<(), StoreError> {
        self.state.clients.push(record.clone());
        Ok(())
    }

    async fn delete_client(&mut self, id: ClientId) -> Result<bool, StoreError> {
        let before = self.state.clients.len();
        self.state.clients.retain(|record| record.client.id != id);
        Ok(self.state.clients.len() < before)
    }
}

#[async_trait]
impl AuditWrites for MemoryWork {
    async fn append_audit(&mut self, record: &AuditRecord<'_>) -> Result<(), StoreError> {
        self.round_trip.pass();
        let AuditEvent { kind, actor, subject, session, key, client, reason, .. } = record.event;
        self.state.audit.push(Audited { kind, actor, subject, session, key, client, reason });
        Ok(())
    }
}

#[async_trait]
impl FeedWrites for MemoryWork {
    async fn append_changes(&mut self, changes: &[Change], at: Timestamp) -> Result<(), StoreError> {
        self.state.changes.extend(changes);
        self.state.changed_at.resize(self.state.changes.len(), at);
        Ok(())
    }
}
