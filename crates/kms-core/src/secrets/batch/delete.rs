//! The end of many secrets.

use kms_api::secrets::{BatchBody, BatchResponse};
use kms_store::secrets;

use super::{about, check_size, in_element, known_name, look_up, prefix, require_once, told};
use crate::{
    Caller, Core, Error, Result,
    access::Action,
    secrets::{
        Kind, owner_of,
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
            place.require_secret(Action::Delete, name)?;
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
        if rows.len() < names.len() {
            let missing = names.iter().filter(|name| rows.iter().all(|row| row.name != **name));
            let missing = told(missing.copied());
            return Err(Error::not_found(format!("Secrets not found: {missing}")));
        }
        let ids: Vec<_> = rows.iter().map(|row| row.id).collect();
        secrets::delete(&mut tx, place.access.project.org_id, &ids).await?;
        let event = about(&place, "delete-secrets", &rows);
        let mut answer = Vec::with_capacity(rows.len());
        for row in rows {
            let show = Show::to_readers(&place, &row.name);
            answer.push(Frame::of(&place).open(row, show)?);
        }
        self.leave(tx, caller, &place, [event]).await?;
        Ok(BatchResponse { secrets: answer })
    }
}
