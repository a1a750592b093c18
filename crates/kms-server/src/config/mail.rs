//! From the flags to a way to send mail.

use std::{net::IpAddr, path::Path};

use http::Uri;
use lettre::{
    AsyncSmtpTransport, Tokio1Executor,
    message::Mailbox,
    transport::smtp::{
        authentication::Credentials,
        client::{Certificate, Tls, TlsParameters},
    },
};
use secrecy::{ExposeSecret as _, SecretString};

use super::{ServerArgs, StartError};
use crate::mail::Outbox;

/// The ports of mail submission with STARTTLS and inside TLS (RFC 8314).
const SUBMISSION: u16 = 587;
const SUBMISSIONS: u16 = 465;

/// What a URL of a mail server says.
#[derive(Debug, PartialEq)]
struct MailServer {
    host: String,
    port: u16,
    security: Security,
    user: Option<(String, String)>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Security {
    /// TLS from the first byte.
    Tls,
    /// STARTTLS, or nothing is sent.
    StartTls,
    /// STARTTLS where it is offered: to this machine itself.
    IfOffered,
    /// In the clear, because the operator says so.
    None,
}

/// The mail server of the flags, if there is one.
pub(crate) fn outbox(args: &ServerArgs) -> Result<Option<Outbox>, StartError> {
    let Some(url) = &args.smtp_url else { return Ok(None) };
    let usage = |text: String| StartError::Usage(text);
    let from = args.mail_from.as_deref().ok_or_else(|| {
        usage("`--smtp-url` needs `--mail-from`, the address that mail comes from".into())
    })?;
    let from: Mailbox =
        from.parse().map_err(|_| usage(format!("`{from}` is not an address for `--mail-from`")))?;
    // Never repeated: it may hold a password.
    let server = parse(url).map_err(|why| usage(format!("`--smtp-url` {why}")))?;
    let ca = args.smtp_cacert.as_deref();
    let tls = || tls(&server.host, ca);
    let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&server.host)
        .port(server.port)
        .tls(match server.security {
            Security::Tls => Tls::Wrapper(tls()?),
            Security::StartTls => Tls::Required(tls()?),
            Security::IfOffered => Tls::Opportunistic(tls()?),
            Security::None => Tls::None,
        });
    if let Some((user, password)) = server.user {
        builder = builder.credentials(Credentials::new(user, password));
    }
    Ok(Some(Outbox::new(builder.build(), from)))
}

fn tls(host: &str, ca: Option<&Path>) -> Result<TlsParameters, StartError> {
    let mut builder = TlsParameters::builder(host.to_owned());
    if let Some(path) = ca {
        let refuse = |source| StartError::Tls { path: path.to_owned(), source };
        let pem = std::fs::read(path).map_err(StartError::file(path))?;
        let certificate = Certificate::from_pem(&pem).map_err(|error| refuse(error.into()))?;
        builder = builder.add_root_certificate(certificate);
    }
    builder.build_rustls().map_err(|error| StartError::Process(Box::new(error)))
}

fn parse(url: &SecretString) -> Result<MailServer, &'static str> {
    let url: Uri = url.expose_secret().parse().map_err(|_| "is not a URL")?;
    let authority = url.authority().ok_or("names no mail server")?.as_str();
    let (user, address) = match authority.rsplit_once('@') {
        Some((user, address)) => (Some(user), address),
        None => (None, authority),
    };
    let user = user.map(|user| {
        let (name, password) = user.split_once(':').ok_or("names a user without a password")?;
        Ok::<_, &'static str>((decoded(name)?, decoded(password)?))
    });
    let host = url.host().filter(|host| !host.is_empty()).ok_or("names no mail server")?;
    let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    if !matches!(url.path(), "" | "/") {
        return Err("must not have a path");
    }
    let security = match (url.scheme_str(), url.query()) {
        (Some("smtps"), None) => Security::Tls,
        (Some("smtp"), None) if is_this_machine(&host) => Security::IfOffered,
        (Some("smtp"), None) => Security::StartTls,
        (Some("smtp"), Some("tls=none")) => Security::None,
        (Some("smtp" | "smtps"), Some(_)) => return Err("may have `tls=none` as its query only"),
        _ => return Err("must begin with `smtp://` or `smtps://`"),
    };
    let default = if security == Security::Tls { SUBMISSIONS } else { SUBMISSION };
    let has_port = address.rsplit_once(':').is_some_and(|(_, port)| !port.ends_with(']'));
    let port = match url.port_u16() {
        Some(port) => port,
        None if has_port => return Err("names a port that is none"),
        None => default,
    };
    Ok(MailServer { host, port, security, user: user.transpose()? })
}

fn is_this_machine(host: &str) -> bool {
    host == "localhost" || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

fn decoded(text: &str) -> Result<String, &'static str> {
    let decoded = percent_encoding::percent_decode_str(text).decode_utf8();
    Ok(decoded.map_err(|_| "has a user or password that is not UTF-8")?.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(url: &str) -> Result<MailServer, &'static str> {
        parse(&SecretString::from(url))
    }

    #[test]
    fn a_mail_server_is_spoken_to_in_the_clear_only_where_that_is_said() {
        for (url, host, port, security) in [
            ("smtp://mail.example.com", "mail.example.com", 587, Security::StartTls),
            ("smtp://mail.example.com:25", "mail.example.com", 25, Security::StartTls),
            ("smtps://mail.example.com", "mail.example.com", 465, Security::Tls),
            ("smtps://mail.example.com:2465/", "mail.example.com", 2465, Security::Tls),
            ("smtp://localhost:1025", "localhost", 1025, Security::IfOffered),
            ("smtp://127.0.0.1", "127.0.0.1", 587, Security::IfOffered),
            ("smtp://[::1]:1025", "::1", 1025, Security::IfOffered),
            ("smtp://localhost.example.com", "localhost.example.com", 587, Security::StartTls),
            ("smtp://10.0.0.5:25?tls=none", "10.0.0.5", 25, Security::None),
        ] {
            let server = server(url).unwrap();
            assert_eq!((&*server.host, server.port, server.security), (host, port, security));
            assert_eq!(server.user, None, "{url}");
        }
    }

    #[test]
    fn user_and_password_may_hold_what_a_url_cannot() {
        let server = server("smtps://ada%40example.com:p%3Aw%2F@mail.example.com").unwrap();
        assert_eq!(server.user, Some(("ada@example.com".into(), "p:w/".into())));
    }

    #[test]
    fn what_is_no_mail_server_is_refused_without_being_repeated() {
        for url in [
            "",
            "mail.example.com",
            "http://mail.example.com",
            "smtp://",
            "smtp://mail.example.com/path",
            "smtp://user@mail.example.com",
            "smtp://mail.example.com?tls=maybe",
            "smtps://mail.example.com?tls=none",
            "smtp://mail.example.com:99999",
        ] {
            let why = server(url).unwrap_err();
            assert!(!why.contains("example"), "{url}: {why}");
        }
    }
}
