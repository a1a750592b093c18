//! The steps of a person's login, whoever answers for the parts: password, organization, second
//! factor.

use kms_api::{OrganizationId, UserId, oauth::SessionDescription};
use kms_client::{
    Claims, Client, Error as ClientError, Origin, WithRefresh,
    login::{PasswordAccepted, VerifiedHandover, oauth::BrowserTokens},
};
use secrecy::SecretString;

use super::{
    mfa::{Challenge, Outcome, Tries},
    organization::{Organizations, Place},
    user::Given,
};
use crate::{
    Context,
    error::{CliError, ResultExt as _},
    prompt,
};

/// How often somebody who types may be wrong about e-mail address and password.
const ROUNDS: u32 = 3;

/// A login that came to its end.
pub(super) struct LoggedIn {
    pub(super) origin: Origin,
    pub(super) user_id: UserId,
    pub(super) email: String,
    pub(super) place: Place,
    pub(super) access_token: SecretString,
    pub(super) refresh_token: Option<SecretString>,
    client: Client,
}

impl LoggedIn {
    /// Of a login through the browser. The server says whose tokens they are; one that does not is
    /// asked.
    pub(super) async fn by_browser(
        origin: &Origin,
        client: &Client,
        tokens: BrowserTokens,
    ) -> Result<Self, CliError> {
        let BrowserTokens { access_token, refresh_token, session } = tokens;
        let client = client.with_token(&access_token)?;
        let refresh_token = Some(refresh_token);
        let Some(session) = session else {
            return Self::asked(origin, client, access_token, refresh_token, None).await;
        };
        let SessionDescription { user_id, email, organization, sub_organization } = session;
        let place = Place::named(organization, sub_organization);
        let origin = origin.clone();
        Ok(Self { origin, user_id, email, place, access_token, refresh_token, client })
    }

    /// Of a session that the page of a compatible server has handed over.
    pub(super) async fn handed_over(
        origin: &Origin,
        handed: VerifiedHandover,
    ) -> Result<Self, CliError> {
        let VerifiedHandover { client, access_token, refresh_token, email } = handed;
        Self::asked(origin, client, access_token, refresh_token, Some(email)).await
    }

    /// Of tokens alone: the token and the server are asked for the rest.
    async fn asked(
        origin: &Origin,
        client: Client,
        access_token: SecretString,
        refresh_token: Option<SecretString>,
        email: Option<String>,
    ) -> Result<Self, CliError> {
        let claims = Claims::of(&access_token).unwrap_or_default();
        let (user_id, email) = match (claims.user_id, email) {
            (Some(id), Some(email)) => (id, email),
            (id, email) => {
                let user = client.me().await.context("could not read the account")?.user;
                (id.unwrap_or(user.id), email.unwrap_or(user.email))
            }
        };
        let chosen = claims.sub_organization_id.or(claims.organization_id).ok_or_else(|| {
            CliError::failed("the login is for no organization")
                .hint("to choose one here: `kms login --interactive`")
        })?;
        // Only to call it by its name; the login has succeeded without.
        let place = Organizations::list(&client)
            .await
            .unwrap_or_else(|_| Organizations::unknown())
            .place(chosen, Some(&claims));
        let origin = origin.clone();
        Ok(Self { origin, user_id, email, place, access_token, refresh_token, client })
    }

    /// Ends the session on the server, because nobody will use it. A failure changes nothing.
    pub(super) async fn end(&self) {
        if let Some(refresh_token) = &self.refresh_token {
            let _ = self.client.logout(refresh_token).await;
        }
    }
}

/// Logs in. What was not given is asked for.
pub(super) async fn log_in(
    origin: &Origin,
    given: Given,
    context: &Context,
) -> Result<LoggedIn, CliError> {
    let anonymous = context.settings.anonymous_client_to(origin)?;
    let (email, answer) = password(&anonymous, &given, context).await?;
    let mut steps = Steps {
        refresh_token: answer.refresh_token,
        email,
        given,
        tries: Tries::default(),
        context,
    };
    let accepted = answer.answer;
    let mut client = anonymous.with_token(&accepted.token)?;
    if accepted.second_factor {
        client = steps.before_the_organization(client).await?;
    }
    let (chosen, known) = if let Some(id) = steps.given.organization {
        (id, None)
    } else {
        let place = Organizations::list(&client).await?.choose().await?;
        (place.id(), Some(place))
    };
    let access_token = steps.select(&client, chosen).await?;
    let client = client.with_token(&access_token)?;
    let claims = Claims::of(&access_token);
    let place = match known {
        Some(place) => place,
        // Only to call it by its name; the login has succeeded without.
        None => Organizations::list(&client)
            .await
            .unwrap_or_else(|_| Organizations::unknown())
            .place(chosen, claims.as_ref()),
    };
    let user_id = match claims.and_then(|claims| claims.user_id) {
        Some(id) => id,
        None => client.me().await.context("could not read the account")?.user.id,
    };
    let Steps { refresh_token, email, .. } = steps;
    let origin = origin.clone();
    Ok(LoggedIn { origin, user_id, email, place, access_token, refresh_token, client })
}

/// The tokens of a session that was taken into another organization.
pub(super) struct Entered {
    pub(super) access_token: SecretString,
    pub(super) refresh_token: Option<SecretString>,
}

/// Begins a session in another organization for somebody who is logged in; theirs stays as it is.
pub(super) async fn enter(
    client: &Client,
    email: &str,
    place: &Place,
    context: &Context,
) -> Result<Entered, CliError> {
    let given = Given { email: None, password: None, organization: None, mfa_code: None };
    let (email, tries) = (email.to_owned(), Tries::default());
    let mut steps = Steps { refresh_token: None, email, given, tries, context };
    let access_token = steps.select(client, place.id()).await?;
    Ok(Entered { access_token, refresh_token: steps.refresh_token })
}

/// E-mail address and password. One that is wrong costs one attempt; who types may try again.
async fn password(
    client: &Client,
    given: &Given,
    context: &Context,
) -> Result<(String, WithRefresh<PasswordAccepted>), CliError> {
    let mut typed: Option<String> = None;
    for round in 1.. {
        let email = match &given.email {
            Some(email) => email.clone(),
            None => prompt::text("E-mail address:", None, typed.as_deref(), address).await?,
        };
        let password = match &given.password {
            Some(password) => password.clone(),
            None => prompt::secret(&format!("Password of {email}:")).await?,
        };
        let error = match client.login_with_password(&email, &password).await {
            Ok(answer) => return Ok((email, answer)),
            Err(error) => error,
        };
        if !is_wrong(&error) || given.password.is_some() || round == ROUNDS {
            return Err(refused(error, &email));
        }
        context.ui.complain(&error.to_string());
        typed = Some(email);
    }
    unreachable!("the loop has no end of its own")
}

fn address(text: &str) -> Result<(), String> {
    if text.contains('@') { Ok(()) } else { Err("an e-mail address has an @".to_owned()) }
}

fn is_wrong(error: &ClientError) -> bool {
    matches!(error, ClientError::Status { status: 400 | 401, .. })
}

/// The hints of other calls speak of tokens; here e-mail address and password were not accepted.
fn refused(error: ClientError, email: &str) -> CliError {
    let doing = format!("could not log in as {email}");
    match &error {
        ClientError::Status { status: 400 | 401 | 403 | 404, origin, .. } => {
            let hint = format!(
                "e-mail address and password were sent to `{origin}`; if the account is on \
                 another server, pass `--domain`"
            );
            CliError::denied(error).context(doing).hint(hint)
        }
        _ => CliError::from(error).context(doing),
    }
}

/// What goes from step to step.
struct Steps<'a> {
    /// That of the latest answer which had one.
    refresh_token: Option<SecretString>,
    email: String,
    given: Given,
    tries: Tries,
    context: &'a Context,
}

impl Steps<'_> {
    /// Gives the second factor that an older server asks for right after the password.
    async fn before_the_organization(&mut self, client: Client) -> Result<Client, CliError> {
        match self.challenge(client.clone(), None).await? {
            Outcome::Verified(answer) => Ok(client.with_token(&self.keep(answer).token.into())?),
            Outcome::Expired => Err(CliError::denied("the second factor took too long")
                .hint("log in again: `kms login --interactive`")),
        }
    }

    /// Chooses the organization, and gives the second factor where that is asked for. Only a token
    /// for the organization comes back, never one that is good for the second factor alone.
    async fn select(
        &mut self,
        client: &Client,
        organization: OrganizationId,
    ) -> Result<SecretString, CliError> {
        let mut client = client.clone();
        let mut verified = false;
        loop {
            let doing = "could not choose the organization";
            let answer = client.select_organization(organization).await.context(doing)?;
            let selected = self.keep(answer);
            let token = SecretString::from(selected.token);
            if !selected.is_mfa_enabled {
                return Ok(token);
            }
            if verified {
                return Err(CliError::failed("the server asks for the second factor once more"));
            }
            match self.challenge(client.with_token(&token)?, selected.mfa_method).await? {
                Outcome::Verified(answer) => {
                    verified = true;
                    client = client.with_token(&self.keep(answer).token.into())?;
                }
                Outcome::Expired => {
                    self.context
                        .ui
                        .complain("that took too long, so the second factor starts over");
                }
            }
        }
    }

    /// A challenge, with the client that carries its token.
    async fn challenge(
        &mut self,
        client: Client,
        method: Option<String>,
    ) -> Result<Outcome, CliError> {
        let challenge = Challenge {
            client,
            method,
            email: &self.email,
            given: &self.given,
            context: self.context,
        };
        challenge.verify(&mut self.tries).await
    }

    fn keep<T>(&mut self, answer: WithRefresh<T>) -> T {
        if answer.refresh_token.is_some() {
            self.refresh_token = answer.refresh_token;
        }
        answer.answer
    }
}
