//! Tags, under the paths of projects and of workspaces alike; the latter call them
//! `workspaceTag` and `workspaceTags`.

use axum::extract::State;
use kms_api::{
    ProjectId, TagId, routes as paths,
    tags::{
        CreateTag, TagResponse, TagsResponse, UpdateTag, WorkspaceTagResponse,
        WorkspaceTagsResponse,
    },
};
use kms_core::Caller;

use crate::{
    ApiError, AppState, Json,
    extract::{Body, Path},
    route::Route,
};

pub(super) fn routes() -> Vec<Route> {
    let mut routes = project::routes();
    routes.extend(workspace::routes());
    routes
}

/// The same handlers for two families of paths, which answer under different names.
macro_rules! family {
    ($module:ident: $all:ident, $one:ident, $by_slug:ident => $tag:ident, $tags:ident) => {
        mod $module {
            use super::{
                ApiError, AppState, Body, Caller, CreateTag, Json, Path, ProjectId, Route, State,
                TagId, UpdateTag, paths, $tag, $tags,
            };

            pub(super) fn routes() -> Vec<Route> {
                vec![
                    Route::get(paths::$all, list, "Lists the tags of a project"),
                    Route::post(paths::$all, create, "Makes a tag"),
                    Route::get(paths::$one, get, "Shows a tag"),
                    Route::patch(paths::$one, update, "Changes a tag"),
                    Route::delete(paths::$one, delete, "Removes a tag from the project"),
                    Route::get(paths::$by_slug, by_slug, "Shows a tag by its slug"),
                ]
            }

            async fn list(
                caller: Caller,
                State(app): State<AppState>,
                Path(project): Path<ProjectId>,
            ) -> Result<Json<$tags>, ApiError> {
                Ok(Json(app.core.list_tags(&caller, project).await?.into()))
            }

            async fn create(
                caller: Caller,
                State(app): State<AppState>,
                Path(project): Path<ProjectId>,
                Body(body): Body<CreateTag>,
            ) -> Result<Json<$tag>, ApiError> {
                Ok(Json(app.core.create_tag(&caller, project, &body).await?.into()))
            }

            async fn get(
                caller: Caller,
                State(app): State<AppState>,
                Path((project, id)): Path<(ProjectId, TagId)>,
            ) -> Result<Json<$tag>, ApiError> {
                Ok(Json(app.core.get_tag(&caller, project, id).await?.into()))
            }

            async fn update(
                caller: Caller,
                State(app): State<AppState>,
                Path((project, id)): Path<(ProjectId, TagId)>,
                Body(body): Body<UpdateTag>,
            ) -> Result<Json<$tag>, ApiError> {
                Ok(Json(app.core.update_tag(&caller, project, id, &body).await?.into()))
            }

            async fn delete(
                caller: Caller,
                State(app): State<AppState>,
                Path((project, id)): Path<(ProjectId, TagId)>,
            ) -> Result<Json<$tag>, ApiError> {
                Ok(Json(app.core.delete_tag(&caller, project, id).await?.into()))
            }

            async fn by_slug(
                caller: Caller,
                State(app): State<AppState>,
                Path((project, slug)): Path<(ProjectId, String)>,
            ) -> Result<Json<$tag>, ApiError> {
                Ok(Json(app.core.get_tag_by_slug(&caller, project, &slug).await?.into()))
            }
        }
    };
}

family!(project: TAGS, TAG, TAG_BY_SLUG => TagResponse, TagsResponse);
family!(workspace: WORKSPACE_TAGS, WORKSPACE_TAG, WORKSPACE_TAG_BY_SLUG
    => WorkspaceTagResponse, WorkspaceTagsResponse);
