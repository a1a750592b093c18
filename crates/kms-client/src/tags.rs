//! Tags of a project.

use kms_api::{
    TagId, routes,
    tags::{CreateTag, TagResponse, TagsResponse, UpdateTag},
};
use reqwest::Method;

use crate::{Client, Error, http::path};

impl Client {
    /// Lists the tags of a project.
    pub async fn list_tags(&self, project: &str) -> Result<TagsResponse, Error> {
        self.get(&path(routes::TAGS, &[&project])?, &()).await
    }

    /// Reads a tag by its slug.
    pub async fn get_tag_by_slug(&self, project: &str, slug: &str) -> Result<TagResponse, Error> {
        self.get(&path(routes::TAG_BY_SLUG, &[&project, &slug])?, &()).await
    }

    /// Makes a tag.
    pub async fn create_tag(&self, project: &str, body: &CreateTag) -> Result<TagResponse, Error> {
        self.send(Method::POST, &path(routes::TAGS, &[&project])?, body).await
    }

    /// Changes a tag.
    pub async fn update_tag(
        &self,
        project: &str,
        id: TagId,
        body: &UpdateTag,
    ) -> Result<TagResponse, Error> {
        self.send(Method::PATCH, &path(routes::TAG, &[&project, &id])?, body).await
    }

    /// Removes a tag, and with it its mark on every secret.
    pub async fn delete_tag(&self, project: &str, id: TagId) -> Result<TagResponse, Error> {
        self.call(Method::DELETE, &path(routes::TAG, &[&project, &id])?).await
    }
}
