//! Which keys are accepted (attack J10), and how often others are asked for theirs (attack J9).

mod corpus;
mod fetching;
