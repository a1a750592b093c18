//! The file that ties a folder to a project: `.kms.json`, else `.infisical.json`.
//!
//! It comes from whoever wrote the repository, so it only chooses among what the user may reach
//! anyway: its `domain`, its `organizationId` and its `profile` choose among the logins that are
//! here, and a server that nobody has logged in to is neither called nor sent a token. Its sources are
//! all of that one server. One that is found on the way up and belongs to another user is refused
//! (attack L8): in a folder that everybody may write to, such as `/tmp`, it is that user's choice.

mod fields;
mod source;

use std::{
    collections::BTreeMap,
    fs::{File, Metadata, OpenOptions},
    io::{self, Read},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use kms_api::OrganizationId;
use kms_client::Origin;
use nix::{fcntl::OFlag, unistd::geteuid};
use serde_json::Value;

use fields::Fields;
pub use source::Source;

/// Names of the file, the first that exists in a folder counts.
pub const NAMES: [&str; 2] = [".kms.json", ".infisical.json"];

/// What can stand in the file. `defaultSecretPath` is the compatible client's, which ignores it too.
const FIELDS: [&str; 8] = [
    "workspaceId",
    "organizationId",
    "defaultEnvironment",
    "gitBranchToEnvironmentMapping",
    "sources",
    "domain",
    "profile",
    "defaultSecretPath",
];

const MAX_BYTES: u64 = 64 * 1024;

/// What a project file says. An empty text counts as absent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProjectFile {
    /// Where it was found.
    pub path: PathBuf,
    /// The project's id (`workspaceId`).
    pub project: Option<String>,
    /// The environment where no flag and no branch names one (`defaultEnvironment`).
    pub default_environment: Option<String>,
    /// Environments by git branch (`gitBranchToEnvironmentMapping`).
    pub branches: BTreeMap<String, String>,
    /// A server (`domain`), good for choosing among those that are known.
    pub domain: Option<String>,
    /// The organization or sub-organization of the project (`organizationId`), which chooses among
    /// the logins that are here.
    pub organization: Option<OrganizationId>,
    /// The name of a login (`profile`), which differs from person to person: for files that are
    /// not shared.
    pub profile: Option<String>,
    /// The places that commands read, a later one winning (`sources`); none if the fields above
    /// name the only one.
    pub sources: Vec<Source>,
}

/// Why a project file was not taken.
#[derive(Debug, thiserror::Error)]
pub enum ProjectFileError {
    /// It exists and cannot be read.
    #[error("cannot read the project file `{}`", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It, or a link to it, belongs to another user than this one, root and the owner of its folder.
    #[error("the project file `{}` belongs to another user", .path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// It is no project file.
    #[error("project file `{}`: {reason}", .path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// Which field, and what is wrong with it.
        reason: String,
    },
}

/// The nearest project file of a folder or one above it, which must be this user's, root's or the
/// folder's owner's.
pub fn find(start: &Path) -> Result<Option<ProjectFile>, ProjectFileError> {
    for folder in start.ancestors() {
        if let Some((path, file)) = open_in(folder)? {
            if !belongs(&path, &file, &trusted_in(folder)).unwrap_or_default() {
                return Err(ProjectFileError::Foreign { path });
            }
            return read(path, file).map(Some);
        }
    }
    Ok(None)
}

/// The project file of exactly this folder, whoever it belongs to: somebody named the folder.
pub fn read_in(folder: &Path) -> Result<Option<ProjectFile>, ProjectFileError> {
    open_in(folder)?.map(|(path, file)| read(path, file)).transpose()
}

fn open_in(folder: &Path) -> Result<Option<(PathBuf, File)>, ProjectFileError> {
    for name in NAMES {
        let path = folder.join(name);
        match open_plain(&path) {
            Ok(file) => return Ok(Some((path, file))),
            Err(error) if is_absent(&error) => {}
            Err(source) => return Err(ProjectFileError::Read { path, source }),
        }
    }
    Ok(None)
}

/// Opens what is a file and nothing else: a pipe would be waited for without end.
fn open_plain(path: &Path) -> io::Result<File> {
    let flags = OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
    let file = OpenOptions::new().read(true).custom_flags(flags.bits()).open(path)?;
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no plain file"))
    }
}

/// The users whose files choose for this one.
fn trusted() -> Vec<u32> {
    vec![geteuid().as_raw(), 0]
}

/// The same, and the owner of a folder in which not everybody can put files: whoever works there has
/// gone to that owner's files, as root in a container does in a checkout of somebody's.
fn trusted_in(folder: &Path) -> Vec<u32> {
    let mut users = trusted();
    let owned = folder.metadata().ok().filter(|of| of.mode() & 0o002 == 0);
    users.extend(owned.map(|of| of.uid()));
    users
}

/// Whether a file, and the link through which it was opened, are of these users.
fn belongs(path: &Path, file: &File, users: &[u32]) -> io::Result<bool> {
    let is_theirs = |of: Metadata| users.contains(&of.uid());
    Ok(is_theirs(file.metadata()?) && is_theirs(path.symlink_metadata()?))
}

fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

fn read(path: PathBuf, file: File) -> Result<ProjectFile, ProjectFileError> {
    let mut bytes = Vec::new();
    match file.take(MAX_BYTES + 1).read_to_end(&mut bytes) {
        Err(source) => return Err(ProjectFileError::Read { path, source }),
        Ok(count) if count as u64 > MAX_BYTES => {
            let reason = "is larger than 64 KiB".to_owned();
            return Err(ProjectFileError::Content { path, reason });
        }
        Ok(_) => {}
    }
    // What other fields a file of the compatible client may have, is its to say.
    let is_ours = path.file_name().is_some_and(|name| name == NAMES[0]);
    parse(&bytes, is_ours).map_or_else(
        |reason| Err(ProjectFileError::Content { path: path.clone(), reason }),
        |file| Ok(ProjectFile { path: path.clone(), ..file }),
    )
}

fn parse(bytes: &[u8], is_ours: bool) -> Result<ProjectFile, String> {
    let value: Value = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    let Value::Object(map) = value else {
        return Err("expected a JSON object".to_owned());
    };
    let fields = Fields::of_file(&map);
    if is_ours {
        fields.allow(&FIELDS)?;
    }
    let domain: Option<Origin> =
        fields.parsed("domain", "the address of a server, such as `https://kms.example.com`")?;
    Ok(ProjectFile {
        path: PathBuf::new(),
        project: fields.text("workspaceId")?,
        default_environment: fields.text("defaultEnvironment")?,
        branches: branches(&fields)?,
        domain: domain.map(|domain| domain.to_string()),
        organization: fields.parsed("organizationId", "an id")?,
        profile: fields.text("profile")?,
        sources: source::read(&fields)?,
    })
}

fn branches(fields: &Fields<'_>) -> Result<BTreeMap<String, String>, String> {
    const NAME: &str = "gitBranchToEnvironmentMapping";
    let Some(value) = fields.value(NAME) else { return Ok(BTreeMap::new()) };
    let mapping = Fields::of(value, NAME)?;
    let mut branches = BTreeMap::new();
    for branch in value.as_object().into_iter().flat_map(|map| map.keys()) {
        if let Some(environment) = mapping.text(branch)? {
            branches.insert(branch.clone(), environment);
        }
    }
    Ok(branches)
}

/// Whether a field can stand in our own file.
pub(crate) fn is_known(name: &str) -> bool {
    FIELDS.contains(&name) || fields::is_free(name)
}

impl ProjectFile {
    /// The environment for the git branch that a folder is on, else the default one.
    ///
    /// A branch is looked up by its full name, then by what follows its last `/`, which is all
    /// that the compatible client looks at.
    pub fn environment(&self, folder: &Path) -> Option<String> {
        let mapped =
            (!self.branches.is_empty()).then(|| self.branch(folder)).flatten().and_then(|branch| {
                let last = branch.rsplit('/').next().unwrap_or(&branch);
                self.branches.get(&branch).or_else(|| self.branches.get(last))
            });
        mapped.or(self.default_environment.as_ref()).cloned()
    }

    /// The branch that is checked out around a folder; what another user than this one, root and the
    /// owner of this file has checked out there does not count.
    fn branch(&self, folder: &Path) -> Option<String> {
        let mut users = trusted();
        users.extend(self.path.metadata().map(|file| file.uid()));
        git_branch(folder, &users)
    }
}

/// The branch that is checked out around a folder, from git's own files if these users own them; none
/// when detached.
fn git_branch(folder: &Path, users: &[u32]) -> Option<String> {
    let git = folder.ancestors().map(|folder| folder.join(".git")).find(|git| git.exists())?;
    let directory = if git.is_dir() {
        git
    } else {
        // A worktree's or submodule's `.git` is a file that names the directory.
        let text = read_short(&git, users)?;
        git.parent()?.join(text.strip_prefix("gitdir:")?.trim())
    };
    let head = read_short(&directory.join("HEAD"), users)?;
    let branch = head.strip_prefix("ref:")?.trim().strip_prefix("refs/heads/")?;
    Some(branch.to_owned())
}

fn read_short(path: &Path, users: &[u32]) -> Option<String> {
    let file = open_plain(path).ok()?;
    if !belongs(path, &file, users).ok()? {
        return None;
    }
    let mut text = String::new();
    file.take(MAX_BYTES).read_to_string(&mut text).ok()?;
    Some(text)
}

#[cfg(test)]
mod tests {
    use std::{
        fs::{self, Permissions},
        os::unix::fs::{PermissionsExt as _, chown, lchown, symlink},
    };

    use nix::{sys::stat::Mode, unistd::mkfifo};

    use super::*;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        folder
    }

    #[test]
    fn our_own_file_wins_over_the_compatible_one_and_is_found_from_below() {
        let root = folder(&[
            (".infisical.json", r#"{"workspaceId":"old"}"#),
            (".kms.json", r#"{"workspaceId":"new","defaultEnvironment":""}"#),
            ("a/b/x", ""),
        ]);
        let file = find(&root.path().join("a/b")).unwrap().unwrap();
        assert_eq!(file.project.as_deref(), Some("new"));
        assert_eq!(file.default_environment, None);
        assert_eq!(file.path, root.path().join(".kms.json"));
    }

    #[test]
    fn what_init_of_the_compatible_client_writes_is_read() {
        let text = "{\n    \"workspaceId\": \"p\",\n    \"defaultEnvironment\": \"\",\n    \"gitBranchToEnvironmentMapping\": null\n}";
        let root = folder(&[(".infisical.json", text)]);
        let file = read_in(root.path()).unwrap().unwrap();
        assert_eq!(file.project.as_deref(), Some("p"));
        assert!(file.branches.is_empty());
    }

    #[test]
    fn an_error_names_file_and_field() {
        for (text, part) in [
            (r#"{"workspaceId":1}"#, "`workspaceId` must be a text"),
            (r#"{"organizationId":"acme"}"#, "`organizationId` must be an id"),
            (
                r#"{"gitBranchToEnvironmentMapping":{"main":2}}"#,
                "`gitBranchToEnvironmentMapping.main` must be a text",
            ),
            (r#"{"gitBranchToEnvironmentMapping":[]}"#, "Mapping` must be an object"),
            (r#"{"domain":"kms"}"#, "`domain` must be the address of a server"),
            (r#"{"project":"p"}"#, "`project` is not known; allowed are `workspaceId`, "),
            (r#"{"sources":{}}"#, "`sources` must be a list"),
            (r#"{"sources":[{},1]}"#, "`sources[1]` must be an object"),
            (r#"{"sources":[{"path":1}]}"#, "`sources[0].path` must be a text"),
            (
                r#"{"sources":[{"recursive":"yes"}]}"#,
                "`sources[0].recursive` must be `true` or `false`",
            ),
            (
                r#"{"sources":[{"domain":"https://a.example"}]}"#,
                "`sources[0].domain` is not known; allowed are `projectId`, `workspaceId`, \
                 `environment`, `path`, `recursive`, `includeImports`",
            ),
            (
                r#"{"sources":[{"projectId":"a","workspaceId":"b"}]}"#,
                "`sources[0]` has both `projectId` and `workspaceId`",
            ),
            ("[]", "expected a JSON object"),
            ("{", "EOF while parsing"),
        ] {
            let root = folder(&[(".kms.json", text)]);
            let error = find(root.path()).unwrap_err().to_string();
            assert!(error.contains(".kms.json") && error.contains(part), "{error}");
        }
    }

    #[test]
    fn sources_are_read_in_their_order() {
        let text = r#"{
            "$schema": "https://example.com/any", "x-team": 1, "workspaceId": "w",
            "sources": [
                {},
                { "projectId": "p", "environment": "prod", "path": "/a", "recursive": true,
                  "includeImports": false, "x-why": "shared" }
            ]
        }"#;
        let root = folder(&[(".kms.json", text)]);
        let file = find(root.path()).unwrap().unwrap();
        let second = Source {
            project: Some("p".into()),
            environment: Some("prod".into()),
            path: Some("/a".into()),
            recursive: Some(true),
            include_imports: Some(false),
        };
        assert_eq!(file.sources, [Source::default(), second]);
    }

    #[test]
    fn a_file_of_the_compatible_client_may_have_fields_that_are_not_known() {
        let root = folder(&[(".infisical.json", r#"{"workspaceId":"p","new":1}"#)]);
        assert_eq!(find(root.path()).unwrap().unwrap().project.as_deref(), Some("p"));
    }

    #[test]
    fn a_huge_file_is_refused() {
        let text = format!(r#"{{"workspaceId":"{}"}}"#, "x".repeat(70_000));
        let root = folder(&[(".kms.json", &text)]);
        assert!(find(root.path()).unwrap_err().to_string().contains("64 KiB"));
    }

    /// A user that is neither this one nor root.
    const STRANGER: u32 = 54_321;

    #[test]
    fn l8_what_belongs_to_another_user_is_not_taken() {
        let mapping =
            r#"{"defaultEnvironment":"dev","gitBranchToEnvironmentMapping":{"main":"prod"}}"#;
        let root =
            folder(&[(".kms.json", mapping), (".git/HEAD", "ref: refs/heads/main\n"), ("a/x", "")]);
        let (below, path) = (root.path().join("a"), root.path().join(".kms.json"));
        let file = File::open(&path).unwrap();
        assert!(belongs(&path, &file, &trusted()).unwrap());
        assert!(!belongs(&path, &file, &[STRANGER]).unwrap());
        assert_eq!(git_branch(&below, &trusted()).as_deref(), Some("main"));
        assert_eq!(git_branch(&below, &[STRANGER]), None);
        if !geteuid().is_root() {
            return;
        }
        // Only root can give a file away.
        let found = find(&below).unwrap().unwrap();
        chown(root.path().join(".git/HEAD"), Some(STRANGER), None).unwrap();
        assert_eq!(found.environment(&below).as_deref(), Some("dev"));
        chown(&path, Some(STRANGER), None).unwrap();
        let refused = find(&below).unwrap_err();
        assert!(matches!(&refused, ProjectFileError::Foreign { path: named } if *named == path));
        chown(root.path(), Some(STRANGER), None).unwrap();
        assert!(find(&below).unwrap().is_some(), "the folder is its owner's");
        fs::set_permissions(root.path(), Permissions::from_mode(0o1777)).unwrap();
        assert!(find(&below).is_err(), "anybody could have put it there");
        let named = read_in(root.path()).unwrap().unwrap();
        assert_eq!(named.environment(&below).as_deref(), Some("prod"), "the owner's own checkout");
        fs::rename(&path, root.path().join("elsewhere")).unwrap();
        let ours = root.path().join("ours.json");
        fs::write(&ours, mapping).unwrap();
        symlink(&ours, &path).unwrap();
        assert!(find(&below).unwrap().is_some());
        lchown(&path, Some(STRANGER), None).unwrap();
        assert!(find(&below).is_err(), "a stranger's link to a file of this user");
    }

    #[test]
    fn l8_a_pipe_in_the_place_of_a_file_hangs_nothing() {
        let root = folder(&[("a/x", "")]);
        mkfifo(&root.path().join(".kms.json"), Mode::S_IRWXU).unwrap();
        let error = find(&root.path().join("a")).unwrap_err();
        assert!(matches!(error, ProjectFileError::Read { .. }), "{error}");
        let git = folder(&[("a/x", "")]);
        mkfifo(&git.path().join(".git"), Mode::S_IRWXU).unwrap();
        assert_eq!(git_branch(&git.path().join("a"), &trusted()), None);
    }

    #[test]
    fn the_branch_chooses_the_environment_by_full_name_then_by_last_part() {
        let mapping = r#"{"defaultEnvironment":"dev","gitBranchToEnvironmentMapping":{"main":"prod","login":"test","fix/login":"qa"}}"#;
        for (head, expected) in [
            ("ref: refs/heads/main\n", "prod"),
            ("ref: refs/heads/feature/login\n", "test"),
            ("ref: refs/heads/fix/login\n", "qa"),
            ("ref: refs/heads/other\n", "dev"),
            ("8a7d3c\n", "dev"),
        ] {
            let root = folder(&[(".kms.json", mapping), (".git/HEAD", head), ("a/x", "")]);
            let file = find(&root.path().join("a")).unwrap().unwrap();
            let environment = file.environment(&root.path().join("a"));
            assert_eq!(environment.as_deref(), Some(expected), "{head}");
        }
    }

    #[test]
    fn a_worktree_has_its_own_branch() {
        let mapping = r#"{"gitBranchToEnvironmentMapping":{"main":"prod"}}"#;
        let root = folder(&[
            ("tree/.kms.json", mapping),
            ("tree/.git", "gitdir: ../repo/worktrees/tree\n"),
            ("repo/worktrees/tree/HEAD", "ref: refs/heads/main\n"),
        ]);
        let tree = root.path().join("tree");
        let file = find(&tree).unwrap().unwrap();
        assert_eq!(file.environment(&tree).as_deref(), Some("prod"));
    }
}
