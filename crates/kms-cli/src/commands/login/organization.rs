//! The organization that a person's session acts in.

use kms_api::{
    OrganizationId,
    oauth::OrganizationName,
    organizations::{AccessibleOrganization, AccessibleSubOrganization},
};
use kms_client::{Claims, Client, Error as ClientError};

use crate::{error::CliError, profiles::Organization, prompt};

/// A root organization, and the sub-organization below it where one is meant.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) root: Organization,
    pub(super) sub: Option<Organization>,
}

impl Place {
    /// As the server names it.
    pub(super) fn named(root: OrganizationName, sub: Option<OrganizationName>) -> Self {
        let of = |OrganizationName { id, name, slug }| Organization {
            id,
            name: Some(name),
            slug: Some(slug),
        };
        Self { root: of(root), sub: sub.map(of) }
    }

    /// The id that is sent to the server.
    pub(super) fn id(&self) -> OrganizationId {
        self.sub.as_ref().unwrap_or(&self.root).id
    }

    /// What to call it.
    pub(super) fn title(&self) -> String {
        let root = self.root.title();
        match &self.sub {
            Some(sub) => format!("{root} / {}", sub.title()),
            None => root,
        }
    }
}

/// The organizations of the person, each with its sub-organizations.
pub(super) struct Organizations(Vec<AccessibleOrganization>);

impl Organizations {
    /// Asks the server. Older compatible servers only know the root organizations.
    pub(super) async fn list(client: &Client) -> Result<Self, ClientError> {
        match client.list_accessible_organizations().await {
            Ok(answer) => Ok(Self(answer.organizations)),
            Err(ClientError::Status { status: 404, .. } | ClientError::UnexpectedAnswer { .. }) => {
                let answer = client.list_organizations().await?;
                let root =
                    |organization: kms_api::organizations::Organization| AccessibleOrganization {
                        id: organization.id,
                        name: organization.name,
                        slug: organization.slug,
                        created_at: organization.created_at,
                        user_joined_at: None,
                        sub_organizations: Vec::new(),
                    };
                Ok(Self(answer.organizations.into_iter().map(root).collect()))
            }
            Err(error) => Err(error),
        }
    }

    /// The only place that there is to act in.
    pub(super) fn only(&self) -> Option<Place> {
        match self.0.as_slice() {
            [only] if only.sub_organizations.is_empty() => {
                Some(Place { root: of_root(only), sub: None })
            }
            _ => None,
        }
    }

    /// Has the person choose: the organization, then what is below it.
    pub(super) async fn choose(&self) -> Result<Place, CliError> {
        if self.0.is_empty() {
            return Err(CliError::denied("this account is in no organization")
                .hint("ask an administrator of yours to invite it"));
        }
        let labels: Vec<_> = self.0.iter().map(label).collect();
        let root = &self.0[prompt::choose("Organization:", &labels).await?];
        let mut place = Place { root: of_root(root), sub: None };
        if root.sub_organizations.is_empty() {
            return Ok(place);
        }
        let mut labels = vec![format!("{} (organization)", root.name)];
        labels.extend(root.sub_organizations.iter().map(|sub| named(&sub.name, &sub.slug)));
        let chosen = prompt::choose("Organization or sub-organization:", &labels).await?;
        place.sub = chosen.checked_sub(1).map(|index| of_sub(&root.sub_organizations[index]));
        Ok(place)
    }

    /// What is known about the place that a token is for. An id that is in no list is good enough:
    /// the server has accepted it.
    pub(super) fn place(&self, chosen: OrganizationId, claims: Option<&Claims>) -> Place {
        for root in &self.0 {
            if root.id == chosen {
                return Place { root: of_root(root), sub: None };
            }
            if let Some(sub) = root.sub_organizations.iter().find(|sub| sub.id == chosen) {
                return Place { root: of_root(root), sub: Some(of_sub(sub)) };
            }
        }
        let bare = |id| Organization { id, name: None, slug: None };
        let root = claims.and_then(|claims| claims.organization_id).unwrap_or(chosen);
        let sub = claims.and_then(|claims| claims.sub_organization_id);
        Place { root: bare(root), sub: sub.map(bare) }
    }

    /// Of a server that did not say.
    pub(super) fn unknown() -> Self {
        Self(Vec::new())
    }
}

fn label(organization: &AccessibleOrganization) -> String {
    let name = named(&organization.name, &organization.slug);
    match organization.sub_organizations.len() {
        0 => name,
        1 => format!("{name}, 1 sub-organization"),
        count => format!("{name}, {count} sub-organizations"),
    }
}

/// Names repeat, slugs do not.
fn named(name: &str, slug: &str) -> String {
    format!("{name} ({slug})")
}

fn of_root(of: &AccessibleOrganization) -> Organization {
    Organization { id: of.id, name: Some(of.name.clone()), slug: Some(of.slug.clone()) }
}

fn of_sub(of: &AccessibleSubOrganization) -> Organization {
    Organization { id: of.id, name: Some(of.name.clone()), slug: Some(of.slug.clone()) }
}
