//! Many new secrets.

use kms_api::secrets::{BatchBody, BatchResponse};
use kms_store::{StoreError, secrets};

use super::{about, check_size, in_element, look_up, prefix, require_once, told};
use crate::{
    Caller, Core, Error, Result,
    access::Action,
    secrets::{
        create::Target,
        fields::Fields,
        new_name,
        view::{Frame, Show},
    },
};

impl Core {
    /// Creates all of these secrets in one folder, or none.
    pub async fn create_secrets(&self, caller: &Caller, body: &BatchBody) -> Result<BatchResponse> {
        let place = self.batch_place(caller, body).await?;
        check_size(&body.secrets)?;
        let mut wanted = Vec::with_capacity(body.secrets.len());
        for (index, item) in body.secrets.iter().enumerate() {
            let prefix = prefix(index);
            let name = new_name(&place.access, "secretKey", &item.secret_key);
            let name = in_element(&prefix, name)?;
            place.require_possible(Action::Create, &name)?;
            wanted.push((name, Fields::check_new(&prefix, &item.fields)?));
        }
        require_once(wanted.iter().map(|(name, _)| name))?;
        let tagged = wanted.iter().map(|(_, fields)| fields.tags());
        let labels = self.labels(&self.store, &place.access, tagged).await?;
        for (name, fields) in &wanted {
            labels.require(fields.tags())?;
            place.require_secret(Action::Create, name, &labels.slugs(fields.tags()))?;
        }
        let values: Vec<_> = wanted.iter().flat_map(|(_, fields)| fields.values()).collect();
        self.check_references(&self.store, &place, &values).await?;
        let mut tx = self.enter(&place).await?;
        let names: Vec<_> = wanted.iter().map(|(name, _)| name.as_str()).collect();
        let (folder, found) = look_up(&mut tx, &place, &names).await?;
        if !found.is_empty() {
            return Err(exist(found.iter().map(|row| row.name.as_str())));
        }
        let (mut rows, mut answer) = (Vec::new(), Vec::new());
        for (name, fields) in wanted {
            let target = Target { folder: (folder.env_id, folder.id), owner: secrets::SHARED };
            let (row, payload) = self.new_secret(caller, &place, target, name, fields)?;
            answer.push(Frame::of(&place, &labels).secret(row.clone(), payload, Show::Value));
            rows.push(row);
        }
        let (org, project) = (place.access.project.org_id, place.access.id());
        match secrets::insert(&mut tx, org, project, &rows).await {
            Err(StoreError::Duplicate) => return Err(exist(std::iter::empty())),
            done => done?,
        }
        let event = about(&place, "create-secrets", &rows);
        self.leave(tx, caller, &place, [event]).await?;
        Ok(BatchResponse { secrets: answer })
    }
}

fn exist<'n>(names: impl Iterator<Item = &'n str>) -> Error {
    let mut names: Vec<_> = names.collect();
    names.sort_unstable();
    Error::bad_request(format!("Secret already exists: {}", told(names.into_iter())))
}
