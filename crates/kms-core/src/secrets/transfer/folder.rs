//! Secrets that get another path along with their folder.

use kms_store::{Tx, secrets};

use crate::{
    Core, Error, Result,
    access::{Action, Subject},
    place::Place,
    secrets::{MAX_WRITTEN, Opened, list::TURN},
    text::SecretPath,
};

impl Core {
    /// Refuses a new name for a folder in which, or below which, is a secret that the caller may
    /// not read. Asked once the folder has its new path, so that nobody adds one meanwhile.
    pub(crate) async fn require_carried(&self, tx: &mut Tx, old: &Place, new: &str) -> Result<()> {
        let reads = |action| old.access.rules.allows_all(action, Subject::Secrets);
        if reads(Action::DescribeSecret) && reads(Action::ReadValue) {
            return Ok(());
        }
        let now = old.with_path(SecretPath::parse("path", Some(new))?);
        // Everybody else's writes wait meanwhile.
        let size = secrets::measure(&mut *tx, &now.stored()).await?;
        if usize::try_from(size.bytes).is_ok_and(|bytes| bytes > MAX_WRITTEN) {
            return Err(Error::bad_request(
                "The folder holds too much to ask your rules about each of its secrets; let \
                 somebody rename it who may read all of them",
            ));
        }
        let rows = secrets::list(&mut *tx, &now.stored(), true).await?;
        let labels = self.all_labels(&mut *tx, &old.access).await?;
        for (index, row) in rows.into_iter().enumerate() {
            if index % TURN == TURN - 1 {
                tokio::task::yield_now().await;
            }
            let (path, Some(row)) = row.split() else { continue };
            let below = path.strip_prefix(new).unwrap_or_default();
            let path = format!("{}{below}", old.path);
            let place = old.with_path(SecretPath::parse("path", Some(&path))?);
            let opened = Opened::open(&old.access, row)?;
            let (name, tags) = (&opened.row.name, labels.slugs(opened.tags()));
            let allows = |action| place.allows_secret(action, name, &tags);
            if !(allows(Action::DescribeSecret) && allows(Action::ReadValue)) {
                // Which one it is, or whether the caller may know of it, is not told.
                return Err(old.access.rules.denied(Action::ReadValue, Subject::Secrets));
            }
        }
        Ok(())
    }
}
