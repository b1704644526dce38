use super::*;
use crate::session::{RefreshSecretHash, RefreshToken, SealedToken};
use async_trait::async_trait;
use futures_channel::oneshot::{self, Sender};
use std::pin::pin;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};
use std::task::{Context, Waker};
use std::time::Duration;
use uuid::Uuid;

/// Tells when groups left, and rotates nothing, when the test says so.
#[derive(Default)]
struct GatedStore {
    left: Mutex<Vec<Vec<i64>>>,
    gate: Mutex<Option<Sender<()>>>,
}

#[async_trait]
impl SessionRotation for GatedStore {
    async fn rotate_refresh(&self, _: &Rotation) -> Result<Option<(Session, User)>, StoreError> {
        panic!("who goes alone does so elsewhere")
    }

    async fn rotate_refreshes(&self, rotations: &[Rotation]) -> Result<Vec<Option<(Session, User)>>, StoreError> {
        self.left.lock().unwrap().push(rotations.iter().map(|one| one.now.as_millis()).collect());
        let (gate, opened) = oneshot::channel();
        *self.gate.lock().unwrap() = Some(gate);
        opened.await.expect("the test opens each gate");
        Ok(Vec::new())
    }
}

fn rotation(number: u8) -> Rotation {
    Rotation {
        presented: RefreshToken::new(Uuid::from_u128(number.into()).into(), [number; 16], [number; 32]).hash(),
        child: RefreshSecretHash::from_bytes([!number; 32]),
        sealed_child: SealedToken::from_bytes(vec![number]),
        now: Timestamp::EPOCH,
        idle: Duration::ZERO,
    }
}

#[test]
fn a_token_is_replaced_when_its_group_leaves() {
    let (rotations, store, millis) = (Rotations::new(), Arc::new(GatedStore::default()), AtomicI64::new(100));
    let now = || Timestamp::from_millis(millis.load(Ordering::SeqCst)).unwrap();
    let rotate = |number| rotations.rotate(Arc::clone(&store) as Arc<dyn SessionRotation>, &now, rotation(number));
    let open = || store.gate.lock().unwrap().take().unwrap().send(()).unwrap();
    let (mut first, mut second) = (pin!(rotate(1)), pin!(rotate(2)));
    let cx = &mut Context::from_waker(Waker::noop());
    // Whoever gets the turn lets others come first.
    assert!(first.as_mut().poll(cx).is_pending() && first.as_mut().poll(cx).is_pending());
    assert!(second.as_mut().poll(cx).is_pending());
    millis.store(800, Ordering::SeqCst);
    open();
    assert!(first.as_mut().poll(cx).is_ready());
    assert!(second.as_mut().poll(cx).is_pending() && second.as_mut().poll(cx).is_pending());
    assert_eq!(*store.left.lock().unwrap(), [[100], [800]]);
}
