//! A browser with a profile of its own, as a person uses it: fields and buttons by the names that a
//! screen reader says.

use std::{
    cell::RefCell,
    rc::Rc,
    thread,
    time::{Duration, Instant},
};

use fantoccini::{
    Client, ClientBuilder, Locator,
    elements::Element,
    error::CmdError,
    wd::{Capabilities, WebDriverCompatibleCommand},
};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::{
    driver::{Driver, Place, runs},
    wire::Extension,
};

/// How long a page may take to show what is expected.
const PATIENCE: Duration = Duration::from_secs(15);

/// What pages may do.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Script {
    /// Pages may run their scripts.
    On,
    /// The user has forbidden JavaScript in the settings.
    Off,
}

/// An open browser with one window. Dropping it fails the test if a page had complaints (errors on
/// the console, breaches of its own content security policy) that were not [`Browser::forgive`]n.
pub(crate) struct Browser {
    runtime: Runtime,
    client: Client,
    forgiven: RefCell<Vec<String>>,
    complaints: RefCell<Vec<String>>,
    requests: RefCell<Vec<String>>,
    // In this order: the driver ends before its folder goes, and then the next test may start.
    driver: Driver,
    _home: tempfile::TempDir,
    _place: Rc<Place>,
}

impl Browser {
    /// With JavaScript, as people have it.
    pub(crate) fn open() -> Self {
        Self::open_with(Script::On)
    }

    pub(crate) fn open_with(script: Script) -> Self {
        let place = Place::take();
        let home = tempfile::tempdir().unwrap();
        let driver = Driver::start(home.path());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let wanted = capabilities(script, &home.path().join("profile"));
        let client = runtime.block_on(async {
            ClientBuilder::new(HttpConnector::new()).capabilities(wanted).connect(&driver.url).await
        });
        let browser = Self {
            runtime,
            client: client.unwrap(),
            forgiven: RefCell::default(),
            complaints: RefCell::default(),
            requests: RefCell::default(),
            driver,
            _home: home,
            _place: place,
        };
        browser.goto("about:blank");
        // What the browser's own first page did is not ours.
        browser.collect();
        browser.complaints.borrow_mut().clear();
        browser.requests.borrow_mut().clear();
        browser
    }

    /// The driver's process.
    pub(crate) fn driver(&self) -> &Driver {
        &self.driver
    }

    /// Waits for a command's answer.
    #[track_caller]
    pub(crate) fn ask(&self, command: impl WebDriverCompatibleCommand + Send + 'static) -> Value {
        self.wait(self.client.issue_cmd(command)).unwrap()
    }

    /// A command of the browser's own debugging protocol.
    #[track_caller]
    pub(crate) fn debug(&self, command: &str, parameters: &Value) -> Value {
        let body = json!({ "cmd": command, "params": parameters });
        self.ask(Extension::post("goog/cdp/execute", body))
    }

    fn wait<T>(&self, answer: impl Future<Output = T>) -> T {
        self.runtime.block_on(answer)
    }

    /// Opens an address, as if typed into the address bar.
    #[track_caller]
    pub(crate) fn goto(&self, url: &str) -> &Self {
        self.wait(self.client.goto(url)).unwrap();
        self
    }

    /// The address that is shown.
    pub(crate) fn url(&self) -> String {
        self.wait(self.client.current_url()).unwrap().into()
    }

    pub(crate) fn title(&self) -> String {
        self.wait(self.client.title()).unwrap()
    }

    /// The text that is visible on the page.
    pub(crate) fn text(&self) -> String {
        self.wait(async {
            let body = self.client.find(Locator::Css("body")).await?;
            body.text().await
        })
        .unwrap_or_default()
    }

    /// The page as it was sent and changed since.
    pub(crate) fn source(&self) -> String {
        self.wait(self.client.source()).unwrap()
    }

    /// Waits until the page shows this text.
    #[track_caller]
    pub(crate) fn expect(&self, text: &str) -> &Self {
        let started = Instant::now();
        loop {
            let shown = self.text();
            if shown.contains(text) {
                return self;
            }
            let url = self.url();
            assert!(started.elapsed() < PATIENCE, "{text:?} is not shown at {url}:\n{shown}");
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until the address starts with this.
    #[track_caller]
    pub(crate) fn expect_url(&self, start: &str) -> &Self {
        let started = Instant::now();
        loop {
            let url = self.url();
            if url.starts_with(start) {
                return self;
            }
            assert!(started.elapsed() < PATIENCE, "at {url}, not at {start}:\n{}", self.text());
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Replaces what is in the field of this name.
    #[track_caller]
    pub(crate) fn fill(&self, label: &str, text: &str) -> &Self {
        self.with(FIELDS, label, async |field| {
            field.clear().await?;
            field.send_keys(text).await
        })
    }

    /// Presses the button, follows the link, or ticks the box or the choice of this name.
    #[track_caller]
    pub(crate) fn click(&self, name: &str) -> &Self {
        self.with(CLICKABLE, name, async |element| element.click().await)
    }

    /// Chooses from the list of this name.
    #[track_caller]
    pub(crate) fn choose(&self, label: &str, option: &str) -> &Self {
        self.with("select", label, async |list| list.select_by_label(option).await)
    }

    /// Whether a button, link or field of this name can be seen.
    pub(crate) fn shows(&self, name: &str) -> bool {
        let all = format!("{FIELDS}, {CLICKABLE}");
        self.wait(self.named(&all, name)).ok().flatten().is_some()
    }

    /// Types where the focus is, as a keyboard does.
    #[track_caller]
    pub(crate) fn press(&self, keys: &str) -> &Self {
        let focused = self.wait(self.client.active_element()).unwrap();
        self.wait(focused.send_keys(keys)).unwrap();
        self
    }

    /// The name of what has the focus.
    pub(crate) fn focused(&self) -> String {
        let focused = self.wait(self.client.active_element()).unwrap();
        self.wait(self.name(&focused)).unwrap()
    }

    /// Runs a function's body in the page.
    #[track_caller]
    pub(crate) fn run(&self, script: &str) -> Value {
        self.wait(self.client.execute(script, Vec::new())).unwrap()
    }

    /// As [`Self::run`], and waits for the promise that it returns.
    #[track_caller]
    pub(crate) fn run_async(&self, script: &str) -> Value {
        let script = format!(
            "const done = arguments[arguments.length - 1];
             (async () => {{ {script} }})().then(done, error => done('' + error));"
        );
        self.wait(self.client.execute_async(&script, Vec::new())).unwrap()
    }

    /// The page's cookies, as the browser keeps them with their flags.
    pub(crate) fn cookies(&self) -> Vec<Value> {
        self.ask(Extension::get("cookie")).as_array().unwrap().clone()
    }

    /// Addresses that were asked for, the pages' own included, in order; also those that a page's
    /// policy then refused.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.collect();
        self.requests.borrow().clone()
    }

    /// What pages complained about and was not forgiven.
    pub(crate) fn complaints(&self) -> Vec<String> {
        self.collect();
        let forgiven = self.forgiven.borrow();
        let is_new = |said: &&String| !forgiven.iter().any(|text| said.contains(text));
        self.complaints.borrow().iter().filter(is_new).cloned().collect()
    }

    /// Complaints that hold this text are expected: a page that is answered with 403 is one.
    pub(crate) fn forgive(&self, text: &str) -> &Self {
        self.forgiven.borrow_mut().push(text.to_owned());
        self
    }

    /// The first visible element of this name; pages that are just being replaced are asked again.
    #[track_caller]
    #[expect(clippy::needless_pass_by_value, reason = "a closure says what it takes only by value")]
    fn with(
        &self,
        selector: &str,
        name: &str,
        act: impl AsyncFn(&Element) -> Result<(), CmdError>,
    ) -> &Self {
        let started = Instant::now();
        loop {
            let tried = self.wait(async {
                let Some(element) = self.named(selector, name).await? else { return Ok(false) };
                act(&element).await.map(|()| true)
            });
            if matches!(tried, Ok(true)) {
                return self;
            }
            let url = self.url();
            assert!(
                started.elapsed() < PATIENCE,
                "nothing to use is named {name:?} at {url} ({tried:?}):\n{}",
                self.text()
            );
            thread::sleep(Duration::from_millis(20));
        }
    }

    async fn named(&self, selector: &str, name: &str) -> Result<Option<Element>, CmdError> {
        for element in self.client.find_all(Locator::Css(selector)).await? {
            if self.name(&element).await? == name && element.is_displayed().await? {
                return Ok(Some(element));
            }
        }
        Ok(None)
    }

    /// The name that a screen reader says, as the browser computes it.
    async fn name(&self, element: &Element) -> Result<String, CmdError> {
        let path = format!("element/{}/computedlabel", &*element.element_id());
        let name = self.client.issue_cmd(Extension::get(path)).await?;
        Ok(name.as_str().unwrap_or_default().trim().to_owned())
    }

    /// Reads what the browser has noted since it was last asked.
    fn collect(&self) {
        let log = |kind: &str| {
            let entries = self.ask(Extension::post("se/log", json!({ "type": kind })));
            entries.as_array().unwrap().clone()
        };
        for entry in log("browser") {
            if entry["level"] == "SEVERE" {
                let message = entry["message"].as_str().unwrap().to_owned();
                self.complaints.borrow_mut().push(message);
            }
        }
        for entry in log("performance") {
            let message = entry["message"].as_str().unwrap_or_default();
            let event: Value = serde_json::from_str(message).unwrap_or_default();
            if event["message"]["method"] == "Network.requestWillBeSent" {
                let url = event["message"]["params"]["request"]["url"].as_str();
                self.requests.borrow_mut().push(url.unwrap().to_owned());
            }
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if !thread::panicking() && runs(self.driver.id()) {
            let complaints = self.complaints();
            assert!(complaints.is_empty(), "the pages complain: {complaints:#?}");
        }
        // The driver would do so by itself, but not as quickly.
        let _ = self.wait(self.client.clone().close());
    }
}

const FIELDS: &str = "input, select, textarea";
const CLICKABLE: &str = "button, a, summary, [type=submit], [type=radio], [type=checkbox]";

fn capabilities(script: Script, profile: &std::path::Path) -> Capabilities {
    let mut arguments = vec![
        "--headless=new".to_owned(),
        // Ends the browser with its driver.
        "--remote-debugging-pipe".to_owned(),
        // Shared memory is small in containers.
        "--disable-dev-shm-usage".to_owned(),
        "--disable-component-update".to_owned(),
        "--disable-breakpad".to_owned(),
        "--window-size=1000,800".to_owned(),
        // Nothing beyond this machine is there, not even by name.
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1".to_owned(),
        format!("--user-data-dir={}", profile.display()),
    ];
    if nix::unistd::geteuid().is_root() {
        arguments.push("--no-sandbox".to_owned());
    }
    let mut preferences = json!({
        "session.restore_on_startup": 4,
        "session.startup_urls": ["about:blank"],
    });
    if script == Script::Off {
        preferences["profile.managed_default_content_settings.javascript"] = json!(2);
    }
    let wanted = json!({
        "goog:chromeOptions": { "args": arguments, "prefs": preferences },
        "goog:loggingPrefs": { "browser": "ALL", "performance": "ALL" },
    });
    wanted.as_object().unwrap().clone()
}
