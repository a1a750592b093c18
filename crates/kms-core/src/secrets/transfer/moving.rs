//! Secrets that leave one folder for another.

use std::collections::{HashMap, HashSet};

use kms_api::transfers::{MoveResponse, MoveSecrets};
use kms_store::{
    Tx, folders,
    secrets::{self, SecretRow},
};

use super::{Ends, Landing, about, absent, checked_ids, require_readable, take_over};
use crate::{
    Caller, Core, Result,
    access::Action,
    secrets::{MAX_WRITTEN, Opened, too_large_a_write, update::write_versions},
};

impl Core {
    /// Moves all of these secrets to another folder of the project, or none. Each keeps its id and
    /// its history; one that takes the place of another gives it a version and ends.
    pub async fn move_secrets(&self, caller: &Caller, body: &MoveSecrets) -> Result<MoveResponse> {
        let Ends { source, destination } = self.ends(caller, &body.ways).await?;
        let ids = checked_ids(&body.secret_ids)?;
        let access = &source.access;
        let mut tx = self.store.begin().await?;
        // Folders are entered in one order by everybody.
        let mut both = [&source, &destination];
        both.sort_by(|one, other| {
            (&one.environment, &one.path).cmp(&(&other.environment, &other.path))
        });
        for place in both {
            self.enter_also(&mut tx, place).await?;
        }
        let leaving = self.leaving(&mut tx, &source, &ids).await?;
        let labels = self.all_labels(&mut tx, access).await?;
        require_readable(&source, &labels, &leaving)?;
        for opened in &leaving {
            let tags = labels.slugs(opened.tags());
            source.require_found(Action::Delete, &opened.row.name, &tags, absent)?;
        }
        let folder = folders::find_at(&mut tx, &destination.stored()).await?;
        let landing = Landing {
            place: &destination,
            folder: folder.ok_or_else(|| destination.not_found())?,
            labels: &labels,
            should_overwrite: body.ways.should_overwrite,
        };
        let overrides = secrets::overrides_of_all(&mut tx, access.project.org_id, &ids).await?;
        let arrivals = self.land(&mut tx, &landing, leaving).await?;
        let (mut rows, mut ended) = (Vec::with_capacity(ids.len()), Vec::new());
        for Opened { mut row, payload } in arrivals.new {
            row.env_id = landing.folder.env_id;
            row.folder_id = landing.folder.id;
            self.advance(caller, access, &mut row, &payload)?;
            rows.push(row);
        }
        for (there, Opened { row: from, payload }) in arrivals.over {
            let mut row = there.row;
            take_over(&mut row, &from);
            self.advance(caller, access, &mut row, &payload)?;
            rows.push(row);
            ended.push(from.id);
        }
        write_versions(&mut tx, access, &rows).await?;
        self.carry(&mut tx, &landing, overrides).await?;
        secrets::delete(&mut tx, access.project.org_id, &ended).await?;
        let event = about("move-secrets", &source, &destination, &rows);
        self.leave(tx, caller, &source, [event]).await?;
        Ok(MoveResponse { is_source_updated: true, is_destination_updated: true })
    }

    /// Everybody's overrides follow what they override, at their versions. Who has one at the
    /// destination already keeps that: the other ends with what it was of.
    async fn carry(
        &self,
        tx: &mut Tx,
        landing: &Landing<'_>,
        overrides: Vec<SecretRow>,
    ) -> Result<()> {
        if overrides.iter().map(|row| row.sealed.len()).sum::<usize>() > MAX_WRITTEN {
            return Err(too_large_a_write());
        }
        let (access, folder) = (&landing.place.access, &landing.folder);
        let org = access.project.org_id;
        let mut there = HashMap::new();
        for row in overrides {
            if !there.contains_key(&row.name) {
                let known = secrets::overrides_of(tx, org, folder.id, &row.name).await?;
                let owners: HashSet<_> = known.into_iter().map(|row| row.owner_id).collect();
                there.insert(row.name.clone(), owners);
            }
            if there.get(&row.name).is_some_and(|owners| owners.contains(&row.owner_id)) {
                secrets::delete(tx, org, &[row.id]).await?;
                continue;
            }
            let Opened { mut row, payload } = Opened::open(access, row)?;
            (row.env_id, row.folder_id) = (folder.env_id, folder.id);
            self.seal(access, &mut row, &payload)?;
            secrets::place_override(tx, org, &row).await?;
        }
        Ok(())
    }
}
