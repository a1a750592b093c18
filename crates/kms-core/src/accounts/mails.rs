//! What the mails say: plain text, short, and links to the configured site alone (attack H11).

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::ExposeSecret as _;

use super::proofs::NewProof;
use crate::mail::Mail;

/// What stands unchanged in a query.
const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The end of every mail that somebody else may have asked for.
const NOT_YOU: &str = "If you did not ask for this, you need not do anything.";

/// The code of somebody who signs up.
pub(super) fn sign_up(address: &str, site: &str, proof: &NewProof) -> Mail {
    let (code, link) = (proof.code.expose_secret(), link(site, "signup", address, proof));
    Mail {
        to: address.into(),
        subject: "Your code to sign up".into(),
        text: format!(
            "Your code to sign up at {site} is\n\n    {code}\n\nIt is good for 15 minutes. In its \
             place you may open\n\n    {link}\n\n{NOT_YOU}\n"
        ),
    }
}

/// To somebody who signs up and has an account already.
pub(super) fn has_account(address: &str, site: &str) -> Mail {
    Mail {
        to: address.into(),
        subject: "You have an account already".into(),
        text: format!(
            "Somebody wants to sign up at {site} with this address, which has an account there.\n\n\
             Log in with it. If you do not know the password any more, set a new one at\n\n    \
             {site}/password-reset\n\n{NOT_YOU}\n"
        ),
    }
}

/// An invitation.
pub(super) fn invitation(address: &str, organization: &str, link: &str) -> Mail {
    Mail {
        to: address.into(),
        subject: "You are invited".into(),
        text: format!(
            "You are invited to the organization \"{organization}\". To join it, open this link \
             within three days\n\n    {link}\n\nIn a terminal, `kms organizations join` takes the \
             same link, in quotes.\n\nIf you do not expect this, you need not do anything.\n"
        ),
    }
}

/// Where an invitation is accepted.
pub(super) fn invitation_link(
    site: &str,
    address: &str,
    organization: kms_api::OrganizationId,
    proof: &NewProof,
) -> String {
    format!("{}&organization_id={organization}", link(site, "signupinvite", address, proof))
}

/// The link of somebody who lost a password.
pub(super) fn recovery(address: &str, site: &str, proof: &NewProof) -> Mail {
    let link = link(site, "password-reset", address, proof);
    Mail {
        to: address.into(),
        subject: "Reset your password".into(),
        text: format!(
            "To set a new password at {site}, open within 30 minutes\n\n    {link}\n\nAll your \
             sessions end then.\n\n{NOT_YOU}\n"
        ),
    }
}

/// After a password was set.
pub(super) fn password_changed(address: &str, site: &str) -> Mail {
    Mail {
        to: address.into(),
        subject: "Your password was changed".into(),
        text: format!(
            "The password of your account at {site} was changed, and all its sessions ended.\n\nIf \
             that was not you, reset it and tell your administrator.\n"
        ),
    }
}

/// The code of somebody who shows that an address is theirs.
pub(super) fn verification(address: &str, site: &str, proof: &NewProof) -> Mail {
    let code = proof.code.expose_secret();
    Mail {
        to: address.into(),
        subject: "Confirm your address".into(),
        text: format!(
            "Your code to confirm this address at {site} is\n\n    {code}\n\nIt is good for 15 \
             minutes.\n\n{NOT_YOU}\n"
        ),
    }
}

fn link(site: &str, page: &str, address: &str, proof: &NewProof) -> String {
    let to = utf8_percent_encode(address, QUERY);
    format!("{site}/{page}?token={}&to={to}", proof.token.expose_secret())
}
