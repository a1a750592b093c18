//! Inviting people to an organization, and accepting it.

use kms_api::{
    ProjectId,
    accounts::{
        InvitationLink, InvitationVerified, Invite, InviteToProject, Invited, VerifyInvitation,
    },
    memberships::RoleInput,
};
use kms_crypto::SignUpUse;
use kms_store::{
    StoreError, Tx,
    organizations::{self, OrganizationRow},
    users::{self, UserRow},
};

use super::{
    complete::INVITED,
    mails,
    proofs::{Purpose, Subject},
    sign_up::wrong_code,
};
use crate::{
    Caller, Core, Error, Origin, Result,
    access::{ACCEPTED, Action, Attributes, Subject as About, is_acting_member, organization_role},
    audit::Event,
    mail::Mail,
    memberships::{NewMember, NewRole},
    organizations::Joining,
    passwords::canonical_email,
    people::user_to_wire,
};

const USER: &str = "user";
/// What somebody is in a project that they are invited to.
const PROJECT_ROLE: &str = "member";
/// People and projects in one invitation, at most.
const MAX_PEOPLE: usize = 100;
const MAX_PROJECTS: usize = 50;

/// What everybody in one invitation is invited to.
struct Plan {
    organization: OrganizationRow,
    role: String,
    projects: Vec<(ProjectId, Vec<NewRole>)>,
}

/// How somebody is told.
struct Told {
    address: String,
    mail: Mail,
    link: String,
}

impl Core {
    /// Invites people to the organization that the caller acts in. Everybody is told by mail;
    /// without a mail server the caller gets the links to pass on. Members of the root are added
    /// to its sub-organizations at once.
    ///
    /// The answer is the same for addresses with and without an account (attack H1).
    pub async fn invite(&self, caller: &Caller, body: &Invite, site: &str) -> Result<Invited> {
        let addresses = addresses(body)?;
        let plan = self.plan(caller, body).await?;
        let mut tx = self.store.begin().await?;
        let mut told = Vec::new();
        for address in &addresses {
            let event = Event::new("invite-user")
                .details([("email", address.clone().into()), ("role", plan.role.clone().into())]);
            tx.audit(self.record(caller, &event));
            if plan.organization.root_id.is_some() {
                self.add_from_root(&mut tx, &plan, address).await?;
            } else {
                told.extend(self.invite_one(&mut tx, &plan, address, site).await?);
            }
        }
        self.touches_rights(&mut tx);
        tx.commit().await?;
        let message = format!("Send an invite link to {}", addresses.join(", "));
        if self.options.mailer.delivers() {
            for told in told {
                self.mail_openly(told.mail).await?;
            }
            return Ok(Invited {
                message,
                complete_invite_links: None,
                complete_invite_link: None,
            });
        }
        let links: Vec<_> = told
            .into_iter()
            .map(|told| InvitationLink { email: told.address, link: told.link })
            .collect();
        let one = links.first().map(|link| link.link.clone());
        Ok(Invited {
            message,
            // The older body names one address, and its answer one link.
            complete_invite_link: one.filter(|_| body.invitee_email.is_some()),
            complete_invite_links: Some(links),
        })
    }

    /// Takes what was mailed with an invitation. Somebody with an account is a member from here
    /// on; somebody without gets a token to complete one with.
    pub async fn verify_invitation(
        &self,
        body: &VerifyInvitation,
        origin: &Origin,
    ) -> Result<InvitationVerified> {
        let address = canonical_email("email", &body.email)?;
        let organization = body.organization_id;
        let subject = Subject { purpose: Purpose::Invitation, address: &address, organization };
        let proof = self.check_proof(subject, &body.code).await?.ok_or_else(wrong_code)?;
        let mut tx = self.store.begin().await?;
        if !self.take_proof(&mut tx, &proof).await? {
            return Err(wrong_code());
        }
        let user = users::by_username(&mut tx, &address).await?.ok_or_else(wrong_code)?;
        let message = "Successfully verified email".into();
        if user.is_accepted {
            let membership = self.accept_membership(&mut tx, organization, &user).await?;
            let event = Event::new("accept-invitation")
                .details([("membershipId", membership.id.to_string().into())]);
            tx.audit(self.person_record(Some(organization), user.id, origin, &event));
            tx.commit().await?;
            return Ok(InvitationVerified { message, token: None, user: user_to_wire(user) });
        }
        let membership = organizations::membership(&mut tx, organization, user.id.uuid(), USER);
        let is_invited = membership.await?.is_some_and(|row| row.status == INVITED);
        if !is_invited {
            return Err(wrong_code());
        }
        let user = self.note_address(&mut tx, user, proof.mailed).await?;
        tx.commit().await?;
        let token = self.proven_token(&user, SignUpUse::Invitation, Some(organization))?;
        Ok(InvitationVerified { message, token: Some(token), user: user_to_wire(user) })
    }

    /// A link that was handed to somebody else shows nothing about the address.
    async fn note_address(&self, tx: &mut Tx, mut user: UserRow, mailed: bool) -> Result<UserRow> {
        let epoch = user.epoch;
        user.is_email_verified |= mailed;
        if self.update_user(tx, &mut user, epoch).await? { Ok(user) } else { Err(wrong_code()) }
    }

    /// What the caller wants, once the caller is known to hold all of it (attack T4).
    async fn plan(&self, caller: &Caller, body: &Invite) -> Result<Plan> {
        let id = body.organization_id;
        let not_found = || Error::not_found(format!("Organization with ID '{id}' not found"));
        if id != caller.organization {
            return Err(not_found());
        }
        caller.rules.require(Action::Create, About::Member, &Attributes::default())?;
        let organization = organizations::find(&self.store, id).await?.ok_or_else(not_found)?;
        self.require_genuine_organization(&organization)?;
        let role = body.organization_role_slug.clone();
        let role = role.unwrap_or_else(|| organization.default_role.clone());
        caller.rules.require_covers(&*organization_role(&role)?)?;
        let mut projects = Vec::new();
        for InviteToProject { id, project_role_slug } in body.projects.iter().flatten() {
            let access = self.project_access(caller, *id).await?;
            access.require(Action::Create, About::Member, &Attributes::default())?;
            let default = [PROJECT_ROLE.to_owned()];
            let slugs = project_role_slug.as_deref().unwrap_or(&default);
            let of_slug = |slug: &String| RoleInput { role: slug.clone(), ..RoleInput::default() };
            let given: Vec<_> = slugs.iter().map(of_slug).collect();
            let roles = self.roles_to_give(&access, &given).await?;
            projects.push((*id, roles));
        }
        Ok(Plan { organization, role, projects })
    }

    async fn invite_one(
        &self,
        tx: &mut Tx,
        plan: &Plan,
        address: &str,
        site: &str,
    ) -> Result<Option<Told>> {
        let organization = plan.organization.id;
        let user = match users::by_username(&mut *tx, address).await? {
            Some(user) => user,
            None => self.insert_incomplete(tx, address.to_owned(), false).await?,
        };
        let who = user.id.uuid();
        let member = organizations::membership(&mut *tx, organization, who, USER).await?;
        let is_member = member.as_ref().is_some_and(|row| row.status == ACCEPTED);
        if member.is_none() {
            let principal = (USER, who);
            let joining = Joining { organization, principal, role: &plan.role, status: INVITED };
            self.insert_membership(tx, &joining).await?;
        }
        self.add_to_projects(tx, plan, &user).await?;
        if is_member {
            return Ok(None);
        }
        let subject = Subject { purpose: Purpose::Invitation, address, organization };
        let proof = self.new_proof(subject, self.options.mailer.delivers());
        if !self.put_proof(tx, &proof).await? {
            return Ok(None);
        }
        let link = mails::invitation_link(site, address, organization, &proof);
        let mail = mails::invitation(address, &plan.organization.name, &link);
        Ok(Some(Told { address: address.to_owned(), mail, link }))
    }

    /// Adds somebody who acts in the root to the sub-organization of a plan.
    async fn add_from_root(&self, tx: &mut Tx, plan: &Plan, address: &str) -> Result<()> {
        let no_member = || {
            let text = format!("{address} is not a member of the root organization");
            Error::not_found(text)
        };
        let root = plan.organization.root_id.ok_or_else(no_member)?;
        let user = users::by_username(&mut *tx, address).await?.ok_or_else(no_member)?;
        let above = organizations::membership(&mut *tx, root, user.id.uuid(), USER).await?;
        let acts =
            above.map(|above| is_acting_member(&self.keys.rows, root, &above)).transpose()?;
        if acts != Some(true) {
            return Err(no_member());
        }
        let organization = plan.organization.id;
        let principal = (USER, user.id.uuid());
        let joining = Joining { organization, principal, role: &plan.role, status: ACCEPTED };
        match self.insert_membership(tx, &joining).await {
            // Who is there already is not invited twice, and keeps the role.
            Err(StoreError::Duplicate) => {}
            other => drop(other?),
        }
        self.add_to_projects(tx, plan, &user).await
    }

    async fn add_to_projects(&self, tx: &mut Tx, plan: &Plan, user: &UserRow) -> Result<()> {
        for (project, roles) in &plan.projects {
            let member = NewMember {
                organization: plan.organization.id,
                project: *project,
                kind: USER,
                principal: user.id.uuid(),
            };
            match self.insert_member(tx, &member, roles).await {
                Err(StoreError::Duplicate) => {}
                other => drop(other?),
            }
        }
        Ok(())
    }
}

/// Everybody who is invited, each once.
fn addresses(body: &Invite) -> Result<Vec<String>> {
    let mut addresses = Vec::new();
    for given in body.invitee_emails.iter().flatten().chain(&body.invitee_email) {
        let address = canonical_email("inviteeEmails", given)?;
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    if addresses.is_empty() || addresses.len() > MAX_PEOPLE {
        return Err(Error::field("inviteeEmails", format!("must name 1 to {MAX_PEOPLE} people")));
    }
    if body.projects.as_ref().is_some_and(|projects| projects.len() > MAX_PROJECTS) {
        return Err(Error::field("projects", format!("must be at most {MAX_PROJECTS}")));
    }
    Ok(addresses)
}
