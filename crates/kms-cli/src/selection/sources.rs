//! What a command reads: one place, or the sources of the project file.

use std::path::PathBuf;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use kms_api::secrets::{ListSecretsQuery, Secret};

use super::{
    Place, PlaceArgs, ROOT, ReadArgs, Reader, fetch, merge::unique, query, warn_about_domain,
};
use crate::{
    Context, env_vars,
    error::CliError,
    project_file::{ProjectFile, Source},
};

/// Sources that are read at one time.
const AT_ONCE: usize = 4;

/// Places in the order in which a later one wins.
#[derive(Clone, Debug)]
pub(crate) struct Selection {
    sources: Vec<(Place, ReadArgs)>,
    /// The file whose sources they are.
    file: Option<PathBuf>,
}

impl Selection {
    /// What flags, environment and project file choose. A project or a folder that is named takes
    /// the place of all sources; an environment that is named is that of each.
    pub(crate) fn resolve(
        place: &PlaceArgs,
        read: &ReadArgs,
        context: &Context,
    ) -> Result<Self, CliError> {
        let settings = &context.settings;
        let project = settings.optional(place.project_id.as_deref(), &env_vars::PROJECT_ID);
        if project.is_none()
            && place.path.is_empty()
            && let Some(file) = settings.project_file()?
            && !file.sources.is_empty()
        {
            warn_about_domain(file, context);
            return Self::of_file(file, place, read, context);
        }
        Ok(Self::of(Place::resolve(place, context)?, read))
    }

    /// As [`Self::resolve`], and who reads.
    pub(crate) async fn to_read(
        place: &PlaceArgs,
        read: &ReadArgs,
        context: &Context,
    ) -> Result<(Reader, Self), CliError> {
        if !context.settings.has_service_token() {
            let selection = Self::resolve(place, read, context)?;
            return Ok((Reader::new(read, context)?, selection));
        }
        if let Some(file) = context.settings.project_file()?.filter(|it| !it.sources.is_empty()) {
            context.ui.warn(&format!(
                "the sources of `{}` are not read: a service token reads its own project",
                file.path.display()
            ));
        }
        let (reader, place) = Place::of_service_token(place, read, context).await?;
        Ok((reader, Self::of(place, read)))
    }

    /// One place.
    fn of(place: Place, read: &ReadArgs) -> Self {
        Self { sources: vec![(place, read.clone())], file: None }
    }

    fn of_file(
        file: &ProjectFile,
        args: &PlaceArgs,
        read: &ReadArgs,
        context: &Context,
    ) -> Result<Self, CliError> {
        let given = args.env.as_deref().filter(|slug| !slug.is_empty());
        let mut sources = Vec::with_capacity(file.sources.len());
        for (at, source) in file.sources.iter().enumerate() {
            let environment = match given.or(source.environment.as_deref()) {
                Some(environment) => environment.to_owned(),
                None => context.settings.environment(None)?,
            };
            let place = Place {
                project: project_of(file, source, at)?,
                environment,
                paths: vec![source.path.clone().unwrap_or_else(|| ROOT.to_owned())],
            };
            let read = ReadArgs {
                recursive: read.recursive.or(source.recursive),
                include_imports: read.include_imports.or(source.include_imports),
                ..read.clone()
            };
            sources.push((place, read));
        }
        Ok(Self { sources, file: Some(file.path.clone()) })
    }

    /// Reads everything. Of several sources there is one secret for each name: that of the last
    /// source that has it.
    pub(crate) async fn fetch(&self, reader: &Reader) -> Result<Vec<Secret>, CliError> {
        let reading = self.sources.iter().map(|(place, read)| fetch(reader, place, read));
        let read: Vec<Vec<Secret>> = stream::iter(reading).buffered(AT_ONCE).try_collect().await?;
        let secrets: Vec<Secret> = read.into_iter().flatten().collect();
        Ok(if self.sources.len() > 1 { unique(secrets) } else { secrets })
    }

    /// The lists that are read.
    pub(crate) fn queries(&self) -> Vec<ListSecretsQuery> {
        let mut queries = Vec::new();
        for (place, read) in &self.sources {
            queries.extend(place.paths.iter().map(|path| query(place, path, read)));
        }
        queries
    }

    /// Whether the rows can be of several folders.
    pub(crate) fn is_several(&self) -> bool {
        let folders = self.sources.iter().map(|(place, _)| place.paths.len()).sum::<usize>();
        folders > 1 || self.sources.iter().any(|(_, read)| read.is_recursive())
    }

    /// The places, first the one that all others win over.
    pub(crate) fn places(&self) -> impl Iterator<Item = &Place> {
        self.sources.iter().map(|(place, _)| place)
    }

    /// The one project of all sources, if it is one.
    pub(crate) fn project(&self) -> Option<&str> {
        let mut projects = self.places().map(|place| place.project.as_str());
        let first = projects.next()?;
        projects.all(|project| project == first).then_some(first)
    }

    /// Where it is, for a message.
    pub(crate) fn title(&self) -> String {
        match (&self.file, self.sources.first()) {
            (Some(file), _) => {
                format!("the {} sources of `{}`", self.sources.len(), file.display())
            }
            (None, Some((place, _))) => {
                format!("`{}` of `{}`", place.paths.join("`, `"), place.environment)
            }
            (None, None) => "nothing".to_owned(),
        }
    }
}

fn project_of(file: &ProjectFile, source: &Source, at: usize) -> Result<String, CliError> {
    source.project.clone().or_else(|| file.project.clone()).ok_or_else(|| {
        let text = format!("`sources[{at}]` of `{}` names no project", file.path.display());
        CliError::usage(text).hint("add `projectId` to it, or `workspaceId` to the file")
    })
}
