//! How long do chats stay on the server that nobody uses?

use std::time::Duration;

use portico_shared::error::ApiError;

use super::{People, PersonId, policy, store};
use crate::gateway::Gateway;
use crate::keys::now_s;

const DAY_S: u64 = 86_400;
const EVERY: Duration = Duration::from_secs(3_600);

impl People {
    /// Whose chats are deleted after how many days; the others' stay.
    async fn retentions(&self) -> Result<Vec<(PersonId, u64)>, ApiError> {
        let found = self.db.call(|connection| {
            let mut found = Vec::new();
            for person in store::list(connection)? {
                if let Some(days) = policy::may(connection, &person)?.retention_days {
                    found.push((person.id, days));
                }
            }
            Ok(found)
        });
        Ok(found.await?)
    }
}

impl Gateway {
    /// Deletes chats that were used last, and snapshots of chats that were made, before the time that the rules
    /// give them.
    pub async fn expire_chats(&self) -> Result<(), ApiError> {
        if !self.people.has_any().await? {
            return Ok(());
        }
        for (person, days) in self.people.retentions().await? {
            let before_s = now_s().saturating_sub(days.saturating_mul(DAY_S));
            let n_shares = self.shares.expire(person, before_s).await?;
            let expired = self.sync.expire(person, before_s.saturating_mul(1_000)).await?;
            let n_expired = expired.len();
            self.attachments.expire(person, expired).await?;
            if n_expired + n_shares > 0 {
                tracing::info!(%person, n_expired, n_shares, "chats were past their time");
            }
        }
        Ok(())
    }

    /// Again and again, for ever.
    pub async fn keep_expiring(&self) {
        loop {
            tokio::time::sleep(EVERY).await;
            if let Err(error) = self.expire_chats().await {
                tracing::error!(%error, "chats that are past their time could not be deleted");
            }
        }
    }
}
