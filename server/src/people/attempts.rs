//! Did somebody try to sign in too often?
//!
//! One bucket an account and address, so that nobody can lock another out from elsewhere; one an
//! address, for all accounts.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use portico_shared::error::{ApiError, ErrorCode};

use crate::keys::Bucket;

const PER_ACCOUNT: u64 = 5;
const PER_ADDRESS: u64 = 30;
/// Remembered at most; beyond it the fullest are forgotten, which are those who tried least.
const BUCKETS_MAX: usize = 20_000;

/// Whose attempts: an address, and an account if it is not all of them.
type Whose = (Option<IpAddr>, Option<String>);

#[derive(Debug, Default)]
pub struct Attempts {
    buckets: Mutex<HashMap<Whose, (Bucket, Instant)>>,
}

impl Attempts {
    /// Counts one.
    ///
    /// # Errors
    /// `too_many_attempts`
    pub fn count(&self, address: Option<IpAddr>, account: Option<&str>) -> Result<(), ApiError> {
        self.count_at(address.map(network), account, Instant::now())
    }

    /// Whoever proved to be the account's own has no failed attempts any more.
    pub fn forgive(&self, address: Option<IpAddr>, account: &str) {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        buckets.remove(&(address.map(network), Some(account.to_owned())));
    }

    fn count_at(
        &self,
        address: Option<IpAddr>,
        account: Option<&str>,
        now: Instant,
    ) -> Result<(), ApiError> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= BUCKETS_MAX {
            // One that was left alone for a minute is full again.
            buckets.retain(|_, (_, last)| now.duration_since(*last).as_secs() < 60);
        }
        let mut take = |whose: Whose, per_minute| {
            let new = || (Bucket::new(per_minute, now), now);
            let (bucket, last) = buckets.entry(whose).or_insert_with(new);
            *last = now;
            bucket.take(1, now)
        };
        let taken = take((address, None), PER_ADDRESS).and_then(|()| match account {
            Some(account) => take((address, Some(account.to_owned())), PER_ACCOUNT),
            None => Ok(()),
        });
        taken.map_err(|wait| {
            let retry_after_s = wait.as_secs_f64().ceil().max(1.0);
            ApiError::new(ErrorCode::TooManyAttempts).with("retry_after_s", retry_after_s)
        })
    }
}

/// Whoever has one IPv6 address has its /64.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => {
            std::net::Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn an_account_is_limited_by_address_and_an_address_for_all_accounts() {
        let attempts = Attempts::default();
        let start = Instant::now();
        let [one, other] = ["10.0.0.1", "10.0.0.2"].map(|text| text.parse().ok());
        for _ in 0..PER_ACCOUNT {
            attempts.count_at(one, Some("anna"), start).unwrap();
        }
        let error = attempts.count_at(one, Some("anna"), start).unwrap_err();
        assert_eq!(
            (error.code, error.params["retry_after_s"].as_str()),
            (ErrorCode::TooManyAttempts, "12")
        );
        attempts.count_at(other, Some("anna"), start).unwrap();
        attempts.count_at(one, Some("ben"), start).unwrap();
        attempts.count_at(one, Some("anna"), start + Duration::from_secs(12)).unwrap();
        let n_more =
            (0..100).filter(|i| attempts.count_at(one, Some(&i.to_string()), start).is_ok());
        assert!(n_more.count() < PER_ADDRESS as usize);
    }

    #[test]
    fn a_house_with_ipv6_is_one_address() {
        let network = |text: &str| network(text.parse().unwrap());
        assert_eq!(network("2001:db8::1"), network("2001:db8::ffff:1"));
        assert_ne!(network("2001:db8::1"), network("2001:db8:0:1::1"));
        assert_eq!(network("::ffff:10.0.0.1"), network("10.0.0.1"));
    }
}
