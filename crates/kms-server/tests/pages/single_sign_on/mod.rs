//! Signing in at an organization's identity provider: against a provider that says whatever a test
//! wants, and against a certified one.

mod certified;
mod enforced;
mod house;
mod linking;
mod provider;
mod refusals;
mod setting_up;
