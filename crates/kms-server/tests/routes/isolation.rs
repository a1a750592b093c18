//! Attack T1, made from the table of routes: whatever a route is given of another organization,
//! it answers byte for byte as if there were no such thing, and changes nothing there.

use http::{Method, StatusCode};
use kms_server::route::Route;
use kms_testkit::Answer;
use serde_json::{Map, Value};

use crate::world::{INSTANCE, Names, World, common_fields, filled, parameters, routes};

/// Stands for everything that is nowhere.
const NO_ID: &str = "0198c0de-0000-7000-8000-000000000000";
const NO_NAME: &str = "nowhere";

/// Fields of queries and bodies that name something of an organization.
const NAMING_FIELDS: [&str; 8] = [
    "projectId",
    "workspaceId",
    "workspaceSlug",
    "projectSlug",
    "organizationId",
    "orgId",
    "identityId",
    "folderId",
];

/// Parameters of a path and fields of a query or body.
type Parts = (Names, Map<String, Value>);

/// What is wrong with a route's answers about something of theirs and about nothing at all.
async fn told(
    world: &World,
    route: &Route,
    name: &'static str,
    naming: impl Fn(&str) -> Parts,
) -> Option<String> {
    let what = format!("{} {} by {name}", route.method, route.info.path);
    let their_value = world.their_names[name].as_str();
    let no_value = if their_value.parse::<uuid::Uuid>().is_ok() { NO_ID } else { NO_NAME };
    let ask = async |value| {
        let (names, fields) = naming(value);
        world.call(&world.ours, route, &names, &fields).await
    };
    let (theirs, nowhere) = (ask(their_value).await, ask(no_value).await);
    if theirs.status != StatusCode::NOT_FOUND {
        return Some(format!("{what}: {} {}", theirs.status, theirs.text()));
    }
    let (theirs, nowhere) = (anonymous(&theirs, their_value), anonymous(&nowhere, no_value));
    (theirs != nowhere).then(|| format!("{what} tells {theirs:?} from {nowhere:?}"))
}

/// An answer without what belongs to the request or was sent with it.
fn anonymous(answer: &Answer, sent: &str) -> (StatusCode, Vec<String>, String) {
    let own = |name: &str| matches!(name, "x-request-id" | "content-length" | "etag");
    let headers = answer.headers.iter().filter(|(name, _)| !own(name.as_str()));
    let headers = headers.map(|(name, value)| format!("{name}: {value:?}")).collect();
    let body = answer.without_request_id().to_string().replace(sent, "…");
    (answer.status, headers, body)
}

/// Everything that can be read of theirs, read by themselves; their log alone may grow.
async fn their_possessions(world: &World) -> Vec<String> {
    let mut found = Vec::new();
    let reads = routes().filter(|route| route.method == Method::GET);
    for route in reads.filter(|route| !route.info.path.contains("audit-logs")) {
        let fields = common_fields(&world.their_names);
        let answer = world.call(&world.theirs, &route, &world.their_names, &fields).await;
        assert_eq!(answer.status, StatusCode::OK, "{}: {}", route.info.path, answer.text());
        found.push(format!("{}: {}", route.info.path, answer.text()));
    }
    found
}

#[tokio::test]
async fn t1_no_parameter_of_a_path_reaches_another_organization() {
    let world = World::prepare().await;
    let before = their_possessions(&world).await;
    let fields = common_fields(&world.our_names);
    let (mut compared, mut wrong) = (0, Vec::new());
    for route in routes() {
        // A new secret may have any name.
        let creates = route.method == Method::POST;
        let names = parameters(route.info.path).into_iter();
        for name in names.filter(|name| !(creates && *name == "secretName")) {
            let naming = |value: &str| {
                let mut names = world.our_names.clone();
                names.insert(name, value.to_owned());
                (names, fields.clone())
            };
            wrong.extend(told(&world, &route, name, naming).await);
            compared += 1;
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(compared > 80, "{compared}");
    assert_eq!(their_possessions(&world).await, before);
    world.server.stop().await;
}

#[tokio::test]
async fn t1_no_field_of_a_query_or_body_reaches_another_organization() {
    let world = World::prepare().await;
    let before = their_possessions(&world).await;
    let (mut compared, mut wrong) = (0, Vec::new());
    for route in routes() {
        let documented = world.documented(&route);
        let in_path = parameters(route.info.path);
        // What the path says counts; the field is not read then.
        let said_by_path = |name: &str| {
            in_path.contains(&name) || (name == "orgId" && in_path.contains(&"organizationId"))
        };
        let fields = NAMING_FIELDS.into_iter().filter(|name| !said_by_path(name));
        for name in fields.filter(|name| documented.iter().any(|known| known == name)) {
            let naming = |value: &str| {
                let mut fields = common_fields(&world.our_names);
                fields.remove("projectId");
                fields.insert(name.to_owned(), value.into());
                (world.our_names.clone(), fields)
            };
            wrong.extend(told(&world, &route, name, naming).await);
            compared += 1;
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(compared > 20, "{compared}");
    assert_eq!(their_possessions(&world).await, before);
    world.server.stop().await;
}

/// Whoever administers an organization administers no more than that.
#[tokio::test]
async fn t4_no_route_about_the_instance_answers_the_administrator_of_an_organization() {
    let world = World::prepare().await;
    let names = Names::from([("userId", NO_ID.to_owned())]);
    let mut refused = 0;
    let of_instance = kms_server::routes()
        .into_iter()
        .filter(|route| route.info.path.starts_with(INSTANCE) && !route.info.access.is_public());
    for route in of_instance {
        let path = filled(route.info.path, &names);
        let request = world.server.call(route.method.clone(), &path).bearer(&world.ours.token);
        let reads = route.method == Method::GET;
        let request = if reads { request } else { request.json(Value::Object(Map::new())) };
        let answer = request.send().await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{} {path}", route.method);
        refused += 1;
    }
    assert!(refused >= 5, "{refused}");
    world.server.stop().await;
}

/// The counterpart, without which the others could pass by refusing everything.
#[tokio::test]
async fn everything_that_is_ours_is_found() {
    let world = World::prepare().await;
    let fields = common_fields(&world.our_names);
    for route in routes().filter(|route| route.method == Method::GET) {
        let answer = world.call(&world.ours, &route, &world.our_names, &fields).await;
        assert_eq!(answer.status, StatusCode::OK, "{}: {}", route.info.path, answer.text());
    }
    world.server.stop().await;
}
