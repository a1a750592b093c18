//! Sending mail, injected: this crate says what is to be told to whom, the skin knows how mail
//! leaves the machine.

use std::{fmt, pin::Pin};

/// A message to one person. Its text may hold a code or a link that proves who reads it, so
/// `Debug` tells the recipient alone.
#[derive(Clone)]
pub struct Mail {
    /// The recipient's address, canonical.
    pub to: String,
    /// The subject; never holds a code.
    pub subject: String,
    /// The body, plain text.
    pub text: String,
}

impl fmt::Debug for Mail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mail").field("to", &self.to).finish_non_exhaustive()
    }
}

/// Why a message was not sent.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// The operator configured no way to send mail.
    #[error("no mail is configured on this server")]
    NotConfigured,
    /// Too much waits for the mail server already; the cause is for the log.
    #[error("the mail could not be sent")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// A message on its way. Boxed, so that a [`Mailer`] can be chosen at start.
pub type Sending<'m> = Pin<Box<dyn Future<Output = Result<(), MailError>> + Send + 'm>>;

/// A way to send mail.
pub trait Mailer: Send + Sync {
    /// Whether there is any hope that [`Mailer::send`] sends something.
    fn is_configured(&self) -> bool;

    /// Whether what is sent reaches its recipient and nobody else, so that a reader of it has
    /// shown whose address it is.
    fn delivers(&self) -> bool {
        self.is_configured()
    }

    /// Hands a message over to be sent; does not wait for the mail server.
    fn send(&self, mail: Mail) -> Sending<'_>;
}

/// What a server without mail settings has.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoMail;

impl Mailer for NoMail {
    fn is_configured(&self) -> bool {
        false
    }

    fn send(&self, _: Mail) -> Sending<'_> {
        Box::pin(std::future::ready(Err(MailError::NotConfigured)))
    }
}
