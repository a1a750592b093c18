//! Making, listing and deleting service tokens.

use kms_api::{
    ProjectId, ServiceTokenId,
    service_tokens::{
        CreateServiceToken, CreateServiceTokenResponse, PREFIX, Permission, Scope,
        ServiceTokenResponse, ServiceTokensResponse,
    },
};
use kms_auth::glob::Pattern;
use kms_store::{
    environments, projects,
    service_tokens::{self, ServiceTokenRow},
};

use super::{HASHED_AS, to_wire};
use crate::{
    Caller, Core, Error, Result, UserActor,
    access::{
        Action, Attributes, MAX_PATTERNS, ProjectAccess, Subject, is_literal, rules_of_scopes,
        service_token_mac,
    },
    audit::Event,
    place::check_environment,
    text::{self, SecretPath},
};

/// The longest name, in characters.
const MAX_NAME: usize = 255;
/// Scopes of one token, at most.
const MAX_SCOPES: usize = 100;
/// The longest pattern of folders, in characters.
const MAX_PATH: usize = 512;
/// Seconds that a token lives, at most, unless it never ends: ten years.
const MAX_SECONDS: i64 = 10 * 365 * 86_400;
/// Tokens of one project, at most.
const MAX_TOKENS: usize = 1_000;

impl Core {
    /// Makes a token that allows no more than its maker may (attack T4).
    pub async fn create_service_token(
        &self,
        caller: &Caller,
        body: &CreateServiceToken,
    ) -> Result<CreateServiceTokenResponse> {
        let maker = person(caller)?.id;
        let project = body.workspace_id.trim().parse();
        let project = project.map_err(|_| Error::field("workspaceId", "must be a UUID"))?;
        let access = self.service_tokens_access(caller, project, Action::Create).await?;
        let name = text::name("name", &body.name, MAX_NAME)?;
        let scopes = self.checked_scopes(&access, &body.scopes).await?;
        let permissions = checked_permissions(&body.permissions)?;
        let now = self.now();
        let expires_at = match body.expires_in.unwrap_or(0) {
            0 => None,
            seconds => {
                text::within("expiresIn", seconds, 0, MAX_SECONDS)?;
                Some(now.plus_seconds(seconds).micros())
            }
        };
        access.rules.require_covers(&rules_of_scopes(&scopes, &permissions))?;
        let json = |error| Error::Internal(Box::new(error));
        let secret = self.random_text::<32>();
        let mut row = ServiceTokenRow {
            id: self.new_id(),
            org_id: caller.organization,
            project_id: project,
            name,
            scopes: serde_json::to_string(&scopes).map_err(json)?,
            permissions: serde_json::to_string(&permissions).map_err(json)?,
            secret_hash: self.keys.lookup.hash(HASHED_AS, &secret).as_bytes().to_vec(),
            expires_at,
            created_by: maker,
            last_used_at: None,
            created_at: now.micros(),
            updated_at: now.micros(),
            mac: Vec::new(),
        };
        row.mac = service_token_mac(&self.keys.rows, &row).finish().to_vec();
        let mut tx = self.store.begin().await?;
        projects::lock(&mut tx, row.org_id, project).await?;
        if service_tokens::list(&mut tx, row.org_id, project).await?.len() >= MAX_TOKENS {
            let message = format!("A project has at most {MAX_TOKENS} service tokens");
            return Err(Error::bad_request(message));
        }
        service_tokens::insert(&mut tx, &row).await?;
        tx.audit(self.record(caller, &event("create-service-token", &row)));
        tx.commit().await?;
        Ok(CreateServiceTokenResponse {
            service_token: format!("{PREFIX}{}.{secret}", row.id).into(),
            service_token_data: to_wire(&row)?,
        })
    }

    /// The tokens of a project.
    pub async fn list_service_tokens(
        &self,
        caller: &Caller,
        project: ProjectId,
    ) -> Result<ServiceTokensResponse> {
        person(caller)?;
        self.service_tokens_access(caller, project, Action::Read).await?;
        let rows = service_tokens::list(&self.store, caller.organization, project).await?;
        let service_token_data = rows.iter().map(to_wire).collect::<Result<_>>()?;
        Ok(ServiceTokensResponse { service_token_data })
    }

    /// Ends a token. One in a project that the caller is not in answers like one that does not
    /// exist.
    pub async fn delete_service_token(
        &self,
        caller: &Caller,
        id: ServiceTokenId,
    ) -> Result<ServiceTokenResponse> {
        person(caller)?;
        let not_found = format!("Service token with ID '{id}' not found");
        let row = service_tokens::find(&self.store, caller.organization, id).await?;
        let row = row.ok_or_else(|| Error::not_found(not_found.clone()))?;
        let access = self.project_behind(caller, row.project_id, not_found.clone()).await?;
        access.require(Action::Delete, Subject::ServiceTokens, &Attributes::default())?;
        let mut tx = self.store.begin().await?;
        if !service_tokens::delete(&mut tx, caller.organization, id).await? {
            return Err(Error::not_found(not_found));
        }
        self.touches_rights(&mut tx);
        tx.audit(self.record(caller, &event("delete-service-token", &row)));
        tx.commit().await?;
        Ok(ServiceTokenResponse { service_token_data: to_wire(&row)? })
    }

    async fn service_tokens_access(
        &self,
        caller: &Caller,
        project: ProjectId,
        action: Action,
    ) -> Result<ProjectAccess> {
        let access = self.project_access(caller, project).await?;
        access.require(action, Subject::ServiceTokens, &Attributes::default())?;
        Ok(access)
    }

    /// The places of a body, each in an environment that there is.
    async fn checked_scopes(&self, access: &ProjectAccess, sent: &[Scope]) -> Result<Vec<Scope>> {
        if sent.is_empty() || sent.len() > MAX_SCOPES {
            return Err(Error::field("scopes", format!("must be 1 to {MAX_SCOPES} places")));
        }
        let (org, project) = (access.project.org_id, access.id());
        let environments = environments::list(&self.store, org, project).await?;
        let mut scopes = Vec::new();
        for scope in sent {
            let environment = check_environment(&scope.environment)
                .map_err(|_| Error::field("scopes", "must name environments by their slugs"))?;
            if !environments.iter().any(|known| known.slug == environment) {
                let message = format!("Environment with slug '{environment}' not found");
                return Err(Error::not_found(message));
            }
            let environment = environment.to_owned();
            let scope = Scope { environment, secret_path: checked_path(&scope.secret_path)? };
            if !scopes.contains(&scope) {
                scopes.push(scope);
            }
        }
        let patterns = scopes.iter().filter(|scope| !is_literal(&scope.secret_path));
        if patterns.map(|scope| scope.secret_path.len()).sum::<usize>() > MAX_PATTERNS {
            let rule = format!("must have patterns of at most {MAX_PATTERNS} bytes together");
            return Err(Error::field("scopes", rule));
        }
        Ok(scopes)
    }
}

/// Tokens are people's affair; the routes say so too.
fn person(caller: &Caller) -> Result<&UserActor> {
    caller.actor.user().ok_or_else(|| Error::forbidden("Only people manage service tokens"))
}

/// A folder in its one spelling, or a pattern of folders.
fn checked_path(sent: &str) -> Result<String> {
    let path = sent.trim();
    if is_literal(path) {
        return Ok(SecretPath::parse("scopes", Some(path))?.as_str().to_owned());
    }
    let is_plain = path.chars().count() <= MAX_PATH && !path.chars().any(char::is_control);
    if !is_plain || !path.starts_with('/') || path.contains("{{") || Pattern::parse(path).is_err() {
        let rule = "must have folders, or patterns that begin with `/`, such as `/app/**`";
        return Err(Error::field("scopes", rule));
    }
    Ok(path.to_owned())
}

fn checked_permissions(sent: &[Permission]) -> Result<Vec<Permission>> {
    let known = [Permission::Read, Permission::Write];
    let permissions: Vec<_> = known.into_iter().filter(|known| sent.contains(known)).collect();
    if permissions.is_empty() {
        return Err(Error::field("permissions", "must be `read`, `write` or both"));
    }
    Ok(permissions)
}

fn event(kind: &'static str, row: &ServiceTokenRow) -> Event {
    let json = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap_or_default();
    Event::new(kind).project(row.project_id).details([
        ("serviceTokenId", row.id.to_string().into()),
        ("name", row.name.as_str().into()),
        ("scopes", json(&row.scopes)),
        ("permissions", json(&row.permissions)),
    ])
}
