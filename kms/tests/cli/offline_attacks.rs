//! Attacks on copies: swapped, put back, damaged, and kept for longer than the right to them.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::json;

use crate::{
    kept::{at, log_in, login_then, projects},
    offline::{SHOW, copies, folder, reader, show, value},
    support::{
        CANARY, Home, Reply, Server,
        people::{ORGANIZATION, OTHER, direct, organizations, selected, welcome},
        run, secrets,
    },
};

fn ended() -> Vec<Reply> {
    vec![Reply::error(401, "revoked"), Reply::error(401, "revoked")]
}

fn contents(paths: &[PathBuf]) -> Vec<Vec<u8>> {
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

/// Everything in a folder, to be put back.
fn saved(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(saved(&path));
        } else {
            files.push((path.clone(), fs::read(path).unwrap()));
        }
    }
    files
}

fn put_back(files: &[(PathBuf, Vec<u8>)]) {
    for (path, content) in files {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
}

#[test]
fn s4_copies_of_two_places_that_are_swapped_are_refused() {
    for other in ["--env=prod", "--projectId=p2", "--path=/a", "--recursive", "--expand=false"] {
        let home = Home::new();
        let server =
            Server::start(login_then([value("one"), value("two"), value("one"), value("two")]));
        log_in(&home, &server, ORGANIZATION);
        let get = |more: &[&str]| {
            let project =
                if other.starts_with("--projectId") { None } else { Some("--projectId=p1") };
            let project = if more.contains(&other) { project } else { Some("--projectId=p1") };
            run(at(&home).args(["run", "--silent"]).args(project).args(more).args(SHOW))
        };
        get(&[]).ends_with(0);
        get(&[other]).ends_with(0);
        assert_eq!(get(&["--offline"]).ends_with(0).stdout, "one");
        assert_eq!(get(&["--offline", other]).ends_with(0).stdout, "two");
        let files = copies(&home);
        let [one, two] = contents(&files).try_into().unwrap();
        fs::write(&files[0], two).unwrap();
        fs::write(&files[1], one).unwrap();
        for more in [vec!["--offline"], vec!["--offline", other]] {
            let ran = get(&more).ends_with(125);
            assert_eq!(ran.stdout, "");
            ran.says("is not used").says("reads from the server and keeps a new copy");
        }
        assert_eq!(get(&[]).ends_with(0).stdout, "one");
        assert_eq!(get(&["--offline"]).ends_with(0).stdout, "one");
    }
}

#[test]
fn s4_copies_of_two_logins_that_are_swapped_are_refused() {
    let home = Home::new();
    let others = [welcome(), selected(OTHER), organizations()];
    let server =
        Server::start(login_then([value("one")].into_iter().chain(others).chain([value("two")])));
    log_in(&home, &server, ORGANIZATION);
    show(&home, &[]).ends_with(0);
    log_in(&home, &server, OTHER);
    show(&home, &[]).ends_with(0);
    let cache = folder(&home).join("cache");
    let logins = fs::read_dir(&cache).unwrap().map(|entry| entry.unwrap().path());
    let logins: Vec<PathBuf> = logins.filter(|path| path.is_dir()).collect();
    let away = cache.join("away");
    fs::rename(&logins[0], &away).unwrap();
    fs::rename(&logins[1], &logins[0]).unwrap();
    fs::rename(&away, &logins[1]).unwrap();
    for name in ["example", "other"] {
        let ran = show(&home, &["--offline", "--profile", name]).ends_with(125);
        assert_eq!(ran.stdout, "");
        ran.says("is not used");
    }
}

#[test]
fn s4_an_older_copy_that_is_put_back_is_refused() {
    let (home, server) = reader([value("two")]);
    let file = copies(&home).remove(0);
    let index = file.with_file_name("index");
    let (old, old_index) = (fs::read(&file).unwrap(), fs::read(&index).unwrap());
    assert_eq!(show(&home, &[]).ends_with(0).stdout, "two");
    let (new, new_index) = (fs::read(&file).unwrap(), fs::read(&index).unwrap());
    drop(server);
    fs::write(&file, &old).unwrap();
    show(&home, &["--offline"]).ends_with(125).says("an older copy was put in its place");
    show(&home, &[]).ends_with(125).says("could not reach").says("an older copy");
    // An old index does not help: it is of the old copy alone.
    fs::write(&file, &new).unwrap();
    fs::write(&index, &old_index).unwrap();
    show(&home, &["--offline"]).ends_with(125).says("is not used");
    fs::write(&index, &new_index).unwrap();
    assert_eq!(show(&home, &["--offline"]).ends_with(0).stdout, "two");
    // Without an index nothing counts.
    fs::remove_file(&index).unwrap();
    show(&home, &["--offline"]).ends_with(125).says("there is no offline copy");
}

#[test]
fn s4_a_login_that_was_revoked_takes_its_copies_along() {
    for args in [vec!["projects", "list"], vec!["secrets", "--projectId=p1"]] {
        let (home, _server) = reader(ended());
        let before = saved(&folder(&home).join("cache"));
        let keys = fs::read_dir(folder(&home).join("vault")).unwrap().count();
        run(at(&home).args(&args)).ends_with(3);
        assert!(copies(&home).is_empty());
        assert_eq!(fs::read_dir(folder(&home).join("vault")).unwrap().count(), keys - 1);
        show(&home, &["--offline"]).ends_with(125).says("there is no offline copy");
        // Nothing opens what somebody kept of it.
        put_back(&before);
        let ran = show(&home, &["--offline"]).ends_with(125);
        assert_eq!(ran.stdout, "");
    }
}

#[test]
fn s4_what_was_wiped_does_not_come_back_with_the_next_copy() {
    let others = [welcome(), selected(ORGANIZATION), organizations(), value("two")];
    let (home, server) = reader(ended().into_iter().chain(others));
    let before = saved(&folder(&home).join("cache"));
    run(at(&home).args(["projects", "list"])).ends_with(3);
    log_in(&home, &server, ORGANIZATION);
    assert_eq!(show(&home, &[]).ends_with(0).stdout, "two");
    put_back(&before);
    let ran = show(&home, &["--offline"]).ends_with(125);
    assert_eq!(ran.stdout, "");
    ran.says("is not used");
}

#[test]
fn s4_who_is_no_member_any_more_loses_the_copies_of_that_project() {
    let home = Home::new();
    let gone = Reply::error(403, "You are not a member of the project with ID 'p1'");
    let server = Server::start(login_then([value("one"), value("prod"), value("other"), gone]));
    log_in(&home, &server, ORGANIZATION);
    show(&home, &[]).ends_with(0);
    show(&home, &["--env=prod"]).ends_with(0);
    let other = ["run", "--projectId=p2"];
    run(at(&home).args(other).args(SHOW)).ends_with(0);
    assert_eq!(copies(&home).len(), 3);
    show(&home, &[]).ends_with(125).says("not a member");
    assert_eq!(copies(&home).len(), 1);
    for more in [vec!["--offline"], vec!["--offline", "--env=prod"]] {
        show(&home, &more).ends_with(125).says("there is no offline copy");
    }
    let ran = run(at(&home).args(other).arg("--offline").args(SHOW)).ends_with(0);
    assert_eq!(ran.stdout, "other");
}

#[test]
fn s4_a_copy_of_what_is_not_there_any_more_is_dropped_and_others_stay() {
    let missing = Reply::error(404, "Folder with path '/a' not found");
    let (home, _server) = reader([value("a"), missing]);
    show(&home, &["--path=/a"]).ends_with(0);
    show(&home, &["--path=/a"]).ends_with(125);
    show(&home, &["--offline", "--path=/a"]).ends_with(125).says("there is no offline copy");
    assert_eq!(show(&home, &["--offline"]).ends_with(0).stdout, "one");
}

#[test]
fn s4_logout_reset_and_a_new_login_leave_no_copy() {
    let done = Reply::json(200, json!({ "message": "Successfully logged out" }));
    let (home, _server) = reader([done]);
    run(at(&home).arg("logout")).ends_with(0);
    assert!(copies(&home).is_empty());
    assert_eq!(fs::read_dir(folder(&home).join("vault")).unwrap().count(), 2);

    let (home, _server) = reader([]);
    run(at(&home).args(["reset", "--yes"])).ends_with(0);
    assert_eq!(fs::read_dir(folder(&home)).unwrap().count(), 0);

    let (home, server) = reader(direct());
    log_in(&home, &server, ORGANIZATION);
    assert!(copies(&home).is_empty());
    show(&home, &["--offline"]).ends_with(125).says("there is no offline copy");
}

#[test]
fn s4_a_login_that_moves_to_another_address_leaves_its_copies() {
    let (home, _server) = reader([]);
    let status = json!({
        "date": "2026-01-02T03:04:05.678Z", "message": "Ok", "emailConfigured": false,
        "inviteOnlySignup": false, "redisConfigured": true, "secretScanningConfigured": false,
    });
    let moved = Server::start([Reply::json(200, status), projects()]);
    run(at(&home).args(["user", "update", "domain", &moved.url(), "--yes"])).ends_with(0);
    assert!(copies(&home).is_empty());
    show(&home, &["--offline"]).ends_with(125).says("there is no offline copy");
}

#[test]
fn s4_what_is_damaged_is_read_anew_online_and_refused_offline() {
    let (home, server) = reader([value("two"), value("three")]);
    let file = copies(&home).remove(0);
    let (good, index) = (fs::read(&file).unwrap(), file.with_file_name("index"));
    let good_index = fs::read(&index).unwrap();
    let spoilt = |bytes: &[u8], at: usize| {
        let mut bytes = bytes.to_vec();
        bytes[at] ^= 1;
        bytes
    };
    let middle = good.len() / 2;
    for bad in [vec![], good[..7].to_vec(), good[..middle].to_vec(), spoilt(&good, middle)] {
        fs::write(&file, bad).unwrap();
        let ran = show(&home, &["--offline"]).ends_with(125);
        assert_eq!(ran.stdout, "");
        ran.says("is not used");
    }
    assert_eq!(show(&home, &["--prefer-offline"]).ends_with(0).stdout, "two");
    for bad in [vec![], spoilt(&good_index, 0), spoilt(&good_index, good_index.len() - 1)] {
        fs::write(&index, bad).unwrap();
        show(&home, &["--offline"]).ends_with(125).says("is not used");
    }
    assert_eq!(show(&home, &[]).ends_with(0).stdout, "three");
    assert_eq!(show(&home, &["--offline"]).ends_with(0).stdout, "three");
    assert_eq!(server.requests().len(), 6);
}

#[test]
fn s4_no_copy_shows_a_value_a_name_or_a_place() {
    let home = Home::new();
    let listed = Reply::json(200, secrets(&[("NAME_OF_A_SECRET", CANARY)]));
    let server = Server::start(login_then([listed]));
    log_in(&home, &server, ORGANIZATION);
    let args = ["secrets", "--projectId=project-of-tests", "--env=prod", "--path=/folder-of-tests"];
    run(at(&home).args(args)).ends_with(0);
    let heap = home.everything();
    for text in [CANARY, "NAME_OF_A_SECRET", "project-of-tests", "folder-of-tests"] {
        assert!(!heap.contains(text), "{text}");
    }
    for (path, _) in saved(&folder(&home).join("cache")) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        assert!(!name.contains("tests"), "{name}");
    }
    assert_eq!(copies(&home).len(), 1);
}

#[test]
fn s1_without_the_passphrase_there_is_no_copy() {
    let (home, _server) = reader([]);
    run(at(&home).args(["vault", "lock"])).ends_with(0);
    let mut locked = crate::support::kms();
    locked.env("KMS_CONFIG_DIR", folder(&home)).args(["run", "--projectId=p1", "--offline"]);
    let ran = run(locked.args(SHOW)).ends_with(125);
    assert_eq!(ran.stdout, "");
    ran.says("KMS_VAULT_FILE_PASSPHRASE");
}

#[test]
fn s4_a_login_that_cannot_be_renewed_takes_its_copies_along_too() {
    let home = Home::new();
    let login = login_then([value("one"), Reply::error(401, "revoked")]);
    let server = Server::start(login.into_iter().map(|reply| reply.without("set-cookie")));
    log_in(&home, &server, ORGANIZATION);
    assert_eq!(show(&home, &[]).ends_with(0).stdout, "one");
    assert_eq!(copies(&home).len(), 1);
    show(&home, &[]).ends_with(125).says("has ended");
    assert!(copies(&home).is_empty());
    show(&home, &["--offline"]).ends_with(125).says("there is no offline copy");
}

#[test]
fn s4_the_page_of_a_gateway_ends_no_login() {
    let page = Reply::text(404, "text/plain", "404 page not found");
    let (home, _server) = reader([Reply::error(401, "ended"), page]);
    show(&home, &[]).ends_with(125);
    assert_eq!(copies(&home).len(), 1);
    assert_eq!(show(&home, &["--offline"]).ends_with(0).stdout, "one");
}

#[test]
fn s4_a_folder_that_is_misspelt_is_not_the_project() {
    let message = "Folder with path '/project-x' in environment 'dev' was not found.";
    let (home, _server) = reader([Reply::error(404, message)]);
    show(&home, &["--path=/project-x"]).ends_with(125);
    assert_eq!(copies(&home).len(), 1);
}
