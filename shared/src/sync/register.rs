//! A value of which the last write stands.

use uuid::Uuid;

use super::clock::Hlc;

/// When and by which operation something was written: a total order that all devices share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Stamp {
    pub(super) at: Hlc,
    pub(super) op: Uuid,
}

/// A last-writer-wins register. Two operations of one id and time but different values are a fault
/// or an attack; the larger value then stands, so that all devices still agree.
#[derive(Clone, Debug, PartialEq)]
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

    pub(super) fn get(&self) -> Option<&T> {
        self.0.as_ref().map(|(_, value)| value)
    }
}
