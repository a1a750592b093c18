//! The end of many secrets.

use kms_api::secrets::{BatchBody, BatchResponse};
use kms_store::secrets;

use super::{about, check_size, in_element, known_name, look_up, prefix, require_once, told};
use crate::{
    Caller, Core, Error, Result,
    access::Action,
    secrets::{
        Kind, Opened, owner_of,
        view::{Frame, Show},
    },
};

impl Core {
    /// Deletes all of these secrets of one folder, or none.
    pub async fn delete_secrets(&self, caller: &Caller, body: &BatchBody) -> Result<BatchResponse> {
        let place = self.batch_place(caller, body).await?;
        check_size(&body.secrets)?;
        let mut names = Vec::with_capacity(body.secrets.len());
        for (index, item) in body.secrets.iter().enumerate() {
            let name = known_name(index, item)?;
            place.require_possible(Action::Delete, name)?;
            let kind = in_element(&prefix(index), Kind::parse(item.r#type.as_deref()))?;
            if kind == Kind::Personal {
                owner_of(caller, kind)?;
                let message = "A batch deletes shared secrets; delete overrides one by one";
                return Err(Error::bad_request(message));
            }
            names.push(name);
        }
        require_once(names.iter())?;
        let mut tx = self.enter(&place).await?;
        let (_, rows) = look_up(&mut tx, &place, &names).await?;
        let found = Opened::all(&place.access, rows)?;
        let labels = self.labels(&mut tx, &place.access, found.iter().map(Opened::tags)).await?;
        let absent = |missing: &[&str]| {
            let missing = told(missing.iter().copied());
            Error::not_found(format!("Secrets not found: {missing}"))
        };
        let here = |name: &str| found.iter().any(|opened| opened.row.name == name);
        let missing: Vec<_> = names.iter().copied().filter(|name| !here(name)).collect();
        if let Some(first) = missing.first() {
            return Err(place.missing(Action::Delete, first, || absent(&missing)));
        }
        let mut answer = Vec::with_capacity(found.len());
        let mut rows = Vec::with_capacity(found.len());
        for Opened { row, payload } in found {
            let tags = labels.slugs(&payload.tags);
            place.require_found(Action::Delete, &row.name, &tags, || absent(&[&row.name]))?;
            let show = Show::to_readers(&place, &row.name, &tags);
            answer.push(Frame::of(&place, &labels).secret(row.clone(), payload, show));
            rows.push(row);
        }
        let ids: Vec<_> = rows.iter().map(|row| row.id).collect();
        secrets::delete(&mut tx, place.access.project.org_id, &ids).await?;
        let event = about(&place, "delete-secrets", &rows);
        self.leave(tx, caller, &place, [event]).await?;
        Ok(BatchResponse { secrets: answer })
    }
}
