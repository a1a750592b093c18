//! Tags of projects: what secrets are marked with. Routes of projects and of workspaces answer the
//! same under other names.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{ProjectId, TagId, Timestamp, secrets::ProjectRef, wire::blank_as_none};

/// A tag of a project.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ProjectTag {
    /// Its id.
    pub id: TagId,
    /// What rules and clients name it by, unique in the project.
    pub slug: String,
    /// What people call it; the slug when nothing was said.
    #[serde(default)]
    pub name: String,
    /// Its colour as it was sent; may be empty.
    #[serde(default)]
    pub color: Option<String>,
    /// Its project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<ProjectId>,
    /// When it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// When it last changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Timestamp>,
    /// Who made it.
    #[serde(default)]
    pub created_by: Option<Uuid>,
    /// `user` or `identity`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by_actor_type: Option<String>,
}

/// The body of a create.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CreateTag {
    /// Lower-case letters, digits and hyphens, 1 to 64.
    pub slug: String,
    /// Its colour; may be empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub color: Option<String>,
    /// What people call it; the slug when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// The body of a change; what is left out stays.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UpdateTag {
    /// The new slug.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slug: Option<String>,
    /// The new colour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub color: Option<String>,
    /// The new name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// The body that puts tags on a secret, or takes them off, by their slugs.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct SecretTagsBody {
    /// The project.
    #[serde(flatten)]
    pub project: ProjectRef,
    /// The environment's slug.
    #[serde(default, deserialize_with = "blank_as_none", skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// The folder, `/` when left out.
    #[serde(default, deserialize_with = "blank_as_none", skip_serializing_if = "Option::is_none")]
    pub secret_path: Option<String>,
    /// `shared` (when left out) or `personal`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub r#type: Option<String>,
    /// The tags, at least one.
    pub tag_slugs: Vec<String>,
}

macro_rules! answers {
    ($($(#[$doc:meta])* $name:ident { $(#[$field_doc:meta])* $field:ident: $type:ty })+) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[serde(rename_all = "camelCase")]
        pub struct $name {
            $(#[$field_doc])*
            pub $field: $type,
        }

        impl From<$type> for $name {
            fn from($field: $type) -> Self {
                Self { $field }
            }
        }
    )+};
}

answers! {
    /// The answer about one tag.
    TagResponse {
        /// The tag.
        tag: ProjectTag
    }
    /// The answer to a list.
    TagsResponse {
        /// The tags, by slug.
        tags: Vec<ProjectTag>
    }
    /// The answer about one tag under the older paths.
    WorkspaceTagResponse {
        /// The tag.
        workspace_tag: ProjectTag
    }
    /// The answer to a list under the older paths.
    WorkspaceTagsResponse {
        /// The tags, by slug.
        workspace_tags: Vec<ProjectTag>
    }
}
