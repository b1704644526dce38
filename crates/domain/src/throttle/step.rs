//! What an attempt does to its buckets, when it begins and when it is through. Pure: the same in the store and in the
//! memory of a process.

use super::charge::Charge;
use super::{Bucket, BucketKey, Rule, Standing};
use crate::clock::Timestamp;
use std::sync::Arc;

#[derive(Debug, Clone)]
pub(super) struct Step {
    /// In the order of their keys.
    pub charges: Arc<[Charge]>,
    /// The bucket whose standing is told.
    pub shown: Option<BucketKey>,
    pub began: Timestamp,
    pub act: Act,
    pub known: Known,
}

#[derive(Debug, Clone)]
pub(super) enum Act {
    /// Charges every bucket, or none.
    Charge,
    /// What came of the attempt, which is known since then.
    Settle(Verdict, Timestamp),
}

/// One of [`Rule::succeed`], [`Rule::fail`], [`Rule::withdraw`].
pub(super) type Verdict = fn(&Rule, &mut Bucket, Timestamp, Timestamp);

/// How it is known what the store holds before it is changed there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    /// For whoever begins: a guess would tell by its time whether somebody has tried before.
    Ask,
    /// From what this process has seen last, and only if that is wrong it is asked.
    Guess,
}

/// What charging came to; whoever settles is admitted.
#[derive(Debug)]
pub(super) enum Decision {
    /// With what is left of the budget that is shown.
    Admitted(Option<Standing>),
    /// By which bucket.
    Refused(BucketKey, Standing),
}

#[derive(Debug)]
pub(super) struct Taken {
    pub decision: Decision,
    /// What is closed, by failures alone, without the trail telling so.
    pub closed: Vec<BucketKey>,
}

impl Step {
    pub(super) fn keys(&self) -> impl Iterator<Item = BucketKey> {
        self.charges.iter().map(|charge| charge.key)
    }

    /// `keys` are in order and have its own among them; `buckets` are theirs.
    pub(super) fn take(&self, keys: &[BucketKey], buckets: &mut [Bucket]) -> Taken {
        let among = keys.iter().zip(buckets).filter(|(key, _)| self.keys().any(|own| own == **key));
        let mut own: Vec<_> = among.map(|(_, bucket)| bucket).collect();
        let (now, decision) = match self.act {
            Act::Charge => (self.began, self.charge(&mut own)),
            Act::Settle(verdict, now) => {
                for (charge, bucket) in self.charges.iter().zip(&mut own) {
                    verdict(&charge.rule, bucket, self.began, now);
                }
                (now, Decision::Admitted(self.standing(&own, now)))
            }
        };
        // A client that hung up settles nothing, and nobody told of what its attempt has closed.
        Taken { decision, closed: self.report(&mut own, now) }
    }

    fn charge(&self, buckets: &mut [&mut Bucket]) -> Decision {
        let now = self.began;
        let refusals = self.charges.iter().zip(&*buckets).filter_map(|(charge, bucket)| {
            let reset = charge.rule.refuses(bucket, now)?;
            let standing = charge.rule.standing(charge.policy, bucket, now);
            Some((charge.key, Standing { remaining: 0, reset, ..standing }))
        });
        if let Some((key, standing)) = refusals.max_by_key(|(_, standing)| standing.reset) {
            return Decision::Refused(key, standing);
        }
        for (charge, bucket) in self.charges.iter().zip(&mut *buckets) {
            charge.rule.charge(bucket, now);
        }
        Decision::Admitted(self.standing(buckets, now))
    }

    fn standing(&self, buckets: &[&mut Bucket], now: Timestamp) -> Option<Standing> {
        let mut shown = self.charges.iter().zip(buckets).filter(|(charge, _)| self.shown == Some(charge.key));
        shown.next().map(|(charge, bucket)| charge.rule.standing(charge.policy, bucket, now))
    }

    fn report(&self, buckets: &mut [&mut Bucket], now: Timestamp) -> Vec<BucketKey> {
        let all = self.charges.iter().zip(buckets);
        let unreported = all.filter(|(charge, bucket)| !bucket.is_reported && charge.rule.has_closed(bucket, now));
        unreported
            .map(|(charge, bucket)| {
                bucket.is_reported = true;
                charge.key
            })
            .collect()
    }
}
