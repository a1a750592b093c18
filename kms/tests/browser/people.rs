//! The one person of a development server, and what they do on most pages.

use crate::{browser::Browser, server::Server};

impl Server {
    pub(crate) fn email(&self) -> &str {
        self.credential("/user/email")
    }

    pub(crate) fn password(&self) -> &str {
        self.credential("/user/password")
    }
}

impl Browser {
    /// Logs in by password on the page that is shown, or on the first one.
    #[track_caller]
    pub(crate) fn log_in(&self, server: &Server) -> &Self {
        if !self.url().contains("/login") {
            self.goto(&server.page("/login"));
        }
        self.fill("E-mail address", server.email());
        self.fill("Password", server.password());
        self.click("Log in")
    }

    /// Logs in and is at the account.
    #[track_caller]
    pub(crate) fn at_home(&self, server: &Server) -> &Self {
        self.log_in(server).expect_url(&server.page("/account"))
    }

    /// Forgets that anybody logged in.
    #[track_caller]
    pub(crate) fn log_out(&self, server: &Server) -> &Self {
        self.goto(&server.page("/account")).click("Log out of this browser");
        self.expect_url(&server.page("/login"))
    }
}
