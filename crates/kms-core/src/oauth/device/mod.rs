//! Logins of devices that have no browser (RFC 8628).
//!
//! A program asks for two codes ([`Core::ask_device`]): a long one that it keeps, and a short one
//! that its owner types at a page of ours, on whatever device. The owner, signed in there, sees what
//! asks ([`Core::device_login`]) and approves or denies it. The program asks with its code until
//! there is an answer, and an approval is good for one session.
//!
//! The short code can be guessed, so wrong ones are counted for the person who types them, whatever
//! session they type them in, and for the address (attack L6). Neither asking nor polling can make
//! the store grow: logins that wait are limited for each address and in all, and swept.

mod answer;
mod ask;
mod poll;
#[cfg(test)]
mod tests;
mod user_code;

pub use answer::DeviceLogin;

use kms_store::device_logins::DeviceLoginRow;

use crate::audit::Event;

/// What device codes are hashed as.
const DEVICE_CODE: &str = "device-code";
/// What user codes are hashed as.
const USER_CODE: &str = "user-code";
const SECOND: i64 = 1_000_000;
/// Seconds that both codes are good for.
const LIFETIME: i64 = 600;

fn event(kind: &'static str, row: &DeviceLoginRow) -> Event {
    Event::new(kind).details([
        ("deviceLoginId", row.id.to_string().into()),
        ("host", row.host.clone().into()),
        ("program", row.user_agent.clone().into()),
        ("address", row.ip.clone().into()),
    ])
}
