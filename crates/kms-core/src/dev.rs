//! What a development instance starts with.

use kms_api::{
    IdentityId, OrganizationId, ProjectId,
    auth::universal::{CreateClientSecret, Settings},
};
use kms_store::Tx;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize, Serializer};

use crate::{
    Core, Error, Installer, Result, bootstrap::already_set_up, identities::NewIdentity,
    projects::NewProject, users::NewUser,
};

/// What it takes to use a development instance; serializes as the file of that name.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DevCredentials {
    /// Where the server is.
    pub url: String,
    /// A person, administrator of the instance, the organization and the project.
    pub user: DevUser,
    /// The organization.
    pub organization: DevOrganization,
    /// The project.
    pub project: DevProject,
    /// Slugs of the project's environments.
    pub environments: Vec<String>,
    /// A machine, administrator of the organization and the project.
    pub machine_identity: DevIdentity,
}

/// See [`DevCredentials::user`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DevUser {
    /// The name to log in with.
    pub email: String,
    /// The password.
    #[serde(serialize_with = "expose")]
    pub password: SecretString,
}

/// See [`DevCredentials::organization`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DevOrganization {
    /// Its id.
    pub id: OrganizationId,
    /// Its slug.
    pub slug: String,
}

/// See [`DevCredentials::project`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DevProject {
    /// Its id.
    pub id: ProjectId,
    /// Its slug.
    pub slug: String,
}

/// See [`DevCredentials::machine_identity`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DevIdentity {
    /// Its id.
    pub id: IdentityId,
    /// What it logs in with by universal auth.
    pub client_id: String,
    /// What it proves that with.
    #[serde(serialize_with = "expose")]
    pub client_secret: SecretString,
}

fn expose<S: Serializer>(secret: &SecretString, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose_secret())
}

impl Core {
    /// Sets an instance up for development; fails when it is set up already.
    pub async fn dev_seed(&self, url: &str) -> Result<DevCredentials> {
        let password = SecretString::from(self.random_text::<12>());
        let password_hash = self.passwords.hash(&password, &self.options.entropy).await?;
        let mut tx = self.begin_set_up().await?;
        let user = NewUser {
            email: "dev@localhost".into(),
            first_name: Some("Dev".into()),
            last_name: None,
            password_hash: Some(password_hash),
            super_admin: true,
            is_accepted: true,
            is_email_verified: true,
        };
        let made = self.seed(&mut tx, "Dev", user, password, url).await?;
        self.finish_set_up(tx, made.organization.id, &Installer::default(), "seed-development")
            .await?;
        Ok(made)
    }

    /// Adds one more organization of the same kind to a development instance, to try out what
    /// keeps organizations apart. Nobody can log in as its administrator.
    pub async fn dev_seed_another(&self, name: &str, url: &str) -> Result<DevCredentials> {
        let user = NewUser {
            email: format!("{name}@localhost"),
            first_name: Some(name.to_owned()),
            last_name: None,
            password_hash: None,
            super_admin: false,
            is_accepted: true,
            is_email_verified: false,
        };
        let mut tx = self.store.begin().await?;
        let made = self.seed(&mut tx, name, user, SecretString::default(), url).await?;
        self.touches_rights(&mut tx);
        tx.commit().await?;
        Ok(made)
    }

    async fn seed(
        &self,
        tx: &mut Tx,
        name: &str,
        user: NewUser,
        password: SecretString,
        url: &str,
    ) -> Result<DevCredentials> {
        let user = self.insert_user(tx, user).await?;
        let organization = self.insert_organization(tx, name).await?;
        let owner = ("user", user.id.uuid());
        self.insert_organization_member(tx, organization.id, owner, "admin").await?;
        let identity = NewIdentity {
            organization: organization.id,
            name: "dev-machine".into(),
            role: "admin".into(),
            has_delete_protection: false,
            metadata: None,
            is_instance_admin: false,
        };
        let identity = self.insert_identity(tx, identity).await?;
        let method = self.insert_universal_auth(tx, &identity, &Settings::default()).await?;
        let secret = CreateClientSecret::default();
        let (client_secret, _) = self.insert_client_secret(tx, &method, &secret).await?;
        let project = NewProject {
            name: name.to_owned(),
            description: None,
            slug: crate::text::slug_from(name, &self.slug_tail()),
            default_environments: true,
            has_delete_protection: false,
            administrators: &[owner, ("identity", identity.id.uuid())],
        };
        let project = self.insert_project(tx, &organization, &project).await?;
        let project = project.ok_or_else(already_set_up)?;
        let client_id = method.client_id.ok_or_else(|| {
            Error::Internal("universal auth was attached without a client id".into())
        })?;
        Ok(DevCredentials {
            url: url.to_owned(),
            user: DevUser { email: user.email, password },
            organization: DevOrganization { id: organization.id, slug: organization.slug },
            project: DevProject { id: project.id, slug: project.slug },
            environments: project.environments.into_iter().map(|row| row.slug).collect(),
            machine_identity: DevIdentity {
                id: identity.id,
                client_id: client_id.to_string(),
                client_secret,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use kms_api::projects::ListProjectsQuery;

    use super::*;
    use crate::{Origin, testing::empty};

    #[tokio::test]
    async fn a_development_instance_is_ready_for_its_machine() {
        let (core, _store, _clock, _directory) = empty().await;
        let made = core.dev_seed("http://localhost:8080").await.unwrap();
        assert!(core.instance_config().await.unwrap().config.initialized);
        assert!(core.setup_token().await.unwrap().is_none());
        let proof = kms_api::auth::universal::Proof {
            client_id: made.machine_identity.client_id.clone(),
            client_secret: made.machine_identity.client_secret.clone(),
            organization_slug: None,
        };
        let login = core.universal_auth_login(&proof, &Origin::default()).await.unwrap();
        let caller = core.authenticate(&login.access_token, Origin::default()).await.unwrap();
        assert_eq!(caller.organization, made.organization.id);
        let list = core.list_projects(&caller, &ListProjectsQuery::default()).await.unwrap();
        assert_eq!(list.projects[0].id, made.project.id);
        let roles = core.caller_permissions(&caller, made.project.id).await.unwrap().data;
        assert_eq!(roles.membership.roles[0].role, "admin");
        assert!(core.dev_seed("http://localhost:8080").await.is_err(), "once only");
    }

    #[tokio::test]
    async fn its_credentials_are_written_as_scripts_read_them() {
        let (core, _store, _clock, _directory) = empty().await;
        let made = core.dev_seed("http://localhost:8080").await.unwrap();
        let json = serde_json::to_value(&made).unwrap();
        assert_eq!(json["url"], "http://localhost:8080");
        assert_eq!(json["environments"], serde_json::json!(["dev", "staging", "prod"]));
        for (object, fields) in [
            ("user", &["email", "password"][..]),
            ("organization", &["id", "slug"]),
            ("project", &["id", "slug"]),
            ("machineIdentity", &["clientId", "clientSecret", "id"]),
        ] {
            let mut names: Vec<_> = json[object].as_object().unwrap().keys().collect();
            names.sort();
            assert_eq!(names, fields, "{object}");
        }
        let again: DevCredentials = serde_json::from_value(json.clone()).unwrap();
        assert_eq!(serde_json::to_value(&again).unwrap(), json);
        let shown = format!("{:?} {:?}", made.user, made.machine_identity);
        assert!(!shown.contains(json["user"]["password"].as_str().unwrap()));
        assert!(!shown.contains(json["machineIdentity"]["clientSecret"].as_str().unwrap()));
    }
}
