//! How pages look: theme, size, and pictures of them.

use std::{fs, path::PathBuf};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::json;

use crate::browser::Browser;

/// What the user's system is set to.
#[derive(Clone, Copy)]
pub(crate) enum Theme {
    Light,
    Dark,
}

impl Theme {
    pub(crate) const ALL: [Self; 2] = [Self::Light, Self::Dark];

    fn name(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

impl Browser {
    pub(crate) fn theme(&self, theme: Theme) -> &Self {
        let feature = json!({ "name": "prefers-color-scheme", "value": theme.name() });
        self.debug("Emulation.setEmulatedMedia", &json!({ "features": [feature] }));
        self
    }

    /// A phone in the hand: the narrowest that pages have to fit.
    pub(crate) fn phone(&self) -> &Self {
        self.debug(
            "Emulation.setDeviceMetricsOverride",
            &json!({ "width": 320, "height": 640, "deviceScaleFactor": 2, "mobile": true }),
        );
        self
    }

    /// The screen on the desk again.
    pub(crate) fn desk(&self) -> &Self {
        self.debug("Emulation.clearDeviceMetricsOverride", &json!({}));
        self
    }

    /// Pictures of the whole page as `target/screenshots/NAME-{light,dark}.png`, on the desk and
    /// (`NAME-phone-…`) in the hand. Each time the page is checked for what it owes to everybody.
    #[track_caller]
    pub(crate) fn screenshot(&self, name: &str) -> &Self {
        for theme in Theme::ALL {
            self.theme(theme);
            self.picture(&format!("{name}-{}", theme.name()));
            self.phone();
            self.picture(&format!("{name}-phone-{}", theme.name()));
            self.desk();
        }
        self.theme(Theme::Light)
    }

    #[track_caller]
    fn picture(&self, name: &str) {
        self.check(name);
        let whole = json!({ "format": "png", "captureBeyondViewport": true });
        let picture = self.debug("Page.captureScreenshot", &whole);
        let picture = STANDARD.decode(picture["data"].as_str().unwrap()).unwrap();
        let folder = folder();
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(format!("{name}.png")), picture).unwrap();
    }
}

/// Where the pictures are, beside everything else that a build makes.
fn folder() -> PathBuf {
    let program = PathBuf::from(env!("CARGO_BIN_EXE_kms"));
    program.ancestors().nth(2).unwrap().join("screenshots")
}
