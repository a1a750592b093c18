//! How mail leaves this machine: by SMTP, or onto the terminal of whoever asked for that.
//!
//! A request hands a mail over and goes on; it never waits for the mail server. So many mails wait
//! at most, each is tried some minutes long, and none is kept over a restart: what they hold ends
//! by then. The log tells neither recipients nor texts.

use std::{sync::Arc, time::Duration};

use kms_core::mail::{Mail, MailError, Mailer, Sending};
use lettre::{
    AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor,
    message::{Mailbox, header::ContentType},
    transport::smtp,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::output::say;

/// Mails that wait for the mail server at one time, those between two tries included.
const WAITING: u32 = 1_000;
/// Connections to the mail server at one time.
const CONNECTIONS: usize = 4;
/// How long each try after the first waits. Codes are good for 15 minutes.
const PAUSES: [Duration; 4] = [
    Duration::from_secs(2),
    Duration::from_secs(10),
    Duration::from_mins(1),
    Duration::from_mins(5),
];

/// Sends by SMTP. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Outbox {
    inner: Arc<Inner>,
}

struct Inner {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    waiting: Arc<Semaphore>,
    sending: Semaphore,
}

impl Outbox {
    /// Sends from an address by a mail server.
    pub(crate) fn new(transport: AsyncSmtpTransport<Tokio1Executor>, from: Mailbox) -> Self {
        let waiting = Arc::new(Semaphore::new(WAITING as usize));
        let sending = Semaphore::new(CONNECTIONS);
        Self { inner: Arc::new(Inner { transport, from, waiting, sending }) }
    }

    /// Waits until nothing waits any more, or as long as is given.
    pub(crate) async fn finish(&self, within: Duration) {
        // All places are free once every mail is gone.
        let all = self.inner.waiting.acquire_many(WAITING);
        if tokio::time::timeout(within, all).await.is_err() {
            let free = self.inner.waiting.available_permits();
            tracing::warn!(mails = WAITING as usize - free, "mails were not sent before the stop");
        }
    }
}

impl Mailer for Outbox {
    fn is_configured(&self) -> bool {
        true
    }

    fn send(&self, mail: Mail) -> Sending<'_> {
        let place = Arc::clone(&self.inner.waiting).try_acquire_owned();
        let handed_over = match place {
            Ok(place) => {
                tokio::spawn(Arc::clone(&self.inner).deliver(mail, place));
                Ok(())
            }
            Err(_) => Err(MailError::Failed("too many mails wait already".into())),
        };
        Box::pin(std::future::ready(handed_over))
    }
}

impl Inner {
    async fn deliver(self: Arc<Self>, mail: Mail, place: OwnedSemaphorePermit) {
        let subject = mail.subject.clone();
        let Some(message) = self.message(mail) else {
            tracing::error!(mail.subject = subject, "a mail was not sent: nobody has this address");
            return;
        };
        for pause in [Duration::ZERO].into_iter().chain(PAUSES) {
            tokio::time::sleep(pause).await;
            let Ok(connection) = self.sending.acquire().await else { return };
            let sent = self.transport.send(message.clone()).await;
            drop(connection);
            match sent {
                Ok(_) => {
                    tracing::info!(mail.subject = subject, "a mail was sent");
                    return;
                }
                Err(error) if error.is_permanent() => {
                    tracing::error!(
                        mail.subject = subject,
                        error = told(&error),
                        "a mail was refused"
                    );
                    return;
                }
                Err(error) => {
                    tracing::warn!(mail.subject = subject, error = told(&error), "a mail waits");
                }
            }
        }
        tracing::error!(mail.subject = subject, "a mail was given up");
        drop(place);
    }

    fn message(&self, mail: Mail) -> Option<Message> {
        let to = mail.to.parse().ok()?;
        Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(mail.subject)
            .header(ContentType::TEXT_PLAIN)
            .body(mail.text)
            .ok()
    }
}

/// What the log may say: a mail server repeats addresses in its answers, so of them the code alone.
fn told(error: &smtp::Error) -> String {
    if let Some(code) = error.status() {
        return format!("the mail server answered {code}");
    }
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

/// Writes mails onto the terminal of the server, for whoever asked for it.
pub(crate) struct PrintMail;

impl Mailer for PrintMail {
    fn is_configured(&self) -> bool {
        true
    }

    /// Whoever reads the terminal is not whom the mail is for.
    fn delivers(&self) -> bool {
        false
    }

    fn send(&self, mail: Mail) -> Sending<'_> {
        say(format!("mail to {}: {}\n{}", mail.to, mail.subject, mail.text));
        Box::pin(std::future::ready(Ok(())))
    }
}
