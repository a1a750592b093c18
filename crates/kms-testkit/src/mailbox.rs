//! A mail server that keeps what it is given.

use std::sync::Mutex;

use kms_core::mail::{Mail, Mailer, Sending};

/// See the module.
#[derive(Default)]
pub struct Mailbox(Mutex<Vec<Mail>>);

impl Mailbox {
    /// Takes out what came since the last time.
    pub fn take(&self) -> Vec<Mail> {
        std::mem::take(&mut self.0.lock().unwrap())
    }

    /// `token` of the link in the only mail that came since the last time.
    pub fn token(&self) -> String {
        let mails = self.take();
        let [mail] = &mails[..] else { panic!("{} mails", mails.len()) };
        let token = mail.text.split("token=").nth(1).expect("a link");
        token.split(['&', '\n']).next().unwrap_or_default().to_owned()
    }
}

impl Mailer for Mailbox {
    fn is_configured(&self) -> bool {
        true
    }

    fn send(&self, mail: Mail) -> Sending<'_> {
        self.0.lock().unwrap().push(mail);
        Box::pin(std::future::ready(Ok(())))
    }
}
