//! What every method of an identity can be told about its tokens, and which flag a refusal is about.

use kms_api::auth::{TokenSettings, trusted_ip::TrustedIpInput};
use kms_client::Error as ClientError;

use crate::error::CliError;

/// The settings of the tokens that come from a method.
#[derive(clap::Args, Debug)]
#[group(skip)]
#[expect(clippy::struct_field_names, reason = "fields are named like their flags")]
pub(super) struct TokenArgs {
    /// How long a token lives [server's default: 30 days]
    #[arg(long, value_name = "SECONDS")]
    access_token_ttl: Option<i64>,

    /// Until when after its issue a token can be renewed; 0 for ever [server's default: 30 days]
    #[arg(long, value_name = "SECONDS")]
    access_token_max_ttl: Option<i64>,

    /// How often a token can be used; 0 without a limit
    #[arg(long, value_name = "N")]
    access_token_num_uses_limit: Option<i64>,

    /// Address or network from which tokens can be used; can be repeated
    #[arg(long, value_name = "IP|CIDR", value_delimiter = ',')]
    access_token_trusted_ip: Vec<String>,
}

impl TokenArgs {
    pub(super) fn settings(&self) -> TokenSettings {
        TokenSettings {
            access_token_ttl: self.access_token_ttl,
            access_token_max_ttl: self.access_token_max_ttl,
            access_token_num_uses_limit: self.access_token_num_uses_limit,
            access_token_trusted_ips: addresses(&self.access_token_trusted_ip),
        }
    }
}

pub(super) fn addresses(given: &[String]) -> Option<Vec<TrustedIpInput>> {
    let inputs = given.iter().map(|address| TrustedIpInput { ip_address: address.clone() });
    (!given.is_empty()).then(|| inputs.collect())
}

/// The error of a call that sent what the flags of `A` say: names the flag of each field that the
/// server refused.
pub(super) fn refusal<A: clap::Args>(error: ClientError, doing: String) -> CliError {
    let flags = flags::<A>(&error);
    let mut error = CliError::from(error).context(doing);
    error.hints.extend(flags);
    error
}

fn flags<A: clap::Args>(error: &ClientError) -> Vec<String> {
    let ClientError::Status { body, .. } = error else { return Vec::new() };
    let command = A::augment_args(clap::Command::new("settings"));
    let mut hints = Vec::new();
    for issue in body.message.as_array().into_iter().flatten() {
        let Some(field) = issue["path"][0].as_str() else { continue };
        let Some(flag) = flag(&command, field) else { continue };
        let hint = format!("`--{flag}` sets `{field}`");
        if !hints.contains(&hint) {
            hints.push(hint);
        }
    }
    hints
}

/// The flag that sets a field: named like it, or like one of its elements, or like its file.
fn flag<'c>(command: &'c clap::Command, field: &str) -> Option<&'c str> {
    let name = words(field, '-');
    let stems = [name.as_str(), name.trim_end_matches('s'), name.trim_end_matches("-seconds")];
    let sets = |long: &&str| stems.contains(&long.strip_suffix("-file").unwrap_or(long));
    command.get_arguments().filter_map(clap::Arg::get_long).find(sets)
}

/// `accessTokenMaxTTL` as `access-token-max-ttl`.
pub(super) fn words(field: &str, between: char) -> String {
    let mut name = String::new();
    let mut after_small = false;
    for letter in field.chars() {
        if letter.is_ascii_uppercase() && after_small {
            name.push(between);
        }
        after_small = !letter.is_ascii_uppercase();
        name.push(letter.to_ascii_lowercase());
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_on_the_wire_become_words() {
        for (field, expected) in [
            ("type", "type"),
            ("caCert", "ca-cert"),
            ("accessTokenMaxTTL", "access-token-max-ttl"),
            ("allowedServicePrincipalIds", "allowed-service-principal-ids"),
        ] {
            assert_eq!(words(field, '-'), expected);
        }
    }
}
