//! A value of which the last write stands.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::clock::Hlc;

/// When and by which operation something was written: a total order that all devices share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "(u64, u32, Uuid)", into = "(u64, u32, Uuid)")]
pub(super) struct Stamp {
    pub(super) at: Hlc,
    pub(super) op: Uuid,
}

impl From<(u64, u32, Uuid)> for Stamp {
    fn from((ms, n, op): (u64, u32, Uuid)) -> Self {
        Self { at: Hlc { ms, n }, op }
    }
}

impl From<Stamp> for (u64, u32, Uuid) {
    fn from(Stamp { at, op }: Stamp) -> Self {
        (at.ms, at.n, op)
    }
}

/// A last-writer-wins register. Two operations of one id and time but different values are a fault
/// or an attack; the larger value then stands, so that all devices still agree.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Register<T>(Option<(Stamp, T)>);

impl<T> Default for Register<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T: PartialOrd> Register<T> {
    pub(super) fn write(&mut self, stamp: Stamp, value: T) {
        let newer = match &self.0 {
            Some((last, standing)) => (&stamp, &value) > (last, standing),
            None => true,
        };
        if newer {
            self.0 = Some((stamp, value));
        }
    }

    /// Takes over what another copy of the register holds, if it is later.
    pub(super) fn join(&mut self, other: &Self)
    where
        T: Clone,
    {
        if let Some((stamp, value)) = &other.0 {
            self.write(*stamp, value.clone());
        }
    }

    pub(super) fn stamp(&self) -> Option<Stamp> {
        self.0.as_ref().map(|&(stamp, _)| stamp)
    }

    pub(super) fn is_unset(&self) -> bool {
        self.0.is_none()
    }

    pub(super) fn get(&self) -> Option<&T> {
        self.0.as_ref().map(|(_, value)| value)
    }
}
