//! What every engine promises: one tree of tests, mounted twice.
//!
//! The PostgreSQL half needs a server: `KMS_TEST_DATABASE_URL` names one on which databases may
//! be made, and `--include-ignored` runs it, as `scripts/test` does.
#![expect(clippy::unwrap_used, reason = "tests")]

mod accounts;
mod audit;
mod devices;
mod engine;
mod epochs;
mod folders;
mod identity_providers;
mod imports;
mod machines;
mod people;
mod roles;
mod secrets;
mod tags;
mod tenancy;
mod tenants;
mod used_proofs;
mod writes;

macro_rules! contract {
    ($($module:ident :: $test:ident),+ $(,)?) => {
        mod sqlite {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $test() {
                    let engine = crate::engine::sqlite().await;
                    crate::$module::$test(&engine.store).await;
                }
            )+
        }

        mod postgres {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                #[ignore = "needs a PostgreSQL server: KMS_TEST_DATABASE_URL"]
                async fn $test() {
                    let engine = crate::engine::postgres().await;
                    crate::$module::$test(&engine.store).await;
                    engine.drop_database().await;
                }
            )+
        }
    };
}

contract! {
    writes::a_write_is_seen_once_it_is_committed,
    writes::a_dropped_write_leaves_nothing_behind,
    writes::a_failed_write_does_not_take_others_with_it,
    writes::parallel_writers_lose_nothing,
    writes::what_follows_a_commit_runs_before_its_caller_hears_of_it,
    writes::a_duplicate_is_told_from_other_errors,
    writes::only_one_of_many_sets_the_instance_up,
    epochs::an_epoch_rises_with_its_write_and_with_no_other,
    epochs::no_raise_of_many_writers_is_lost,
    epochs::many_epochs_are_read_at_one_go,
    audit::records_form_one_unbroken_chain_for_each_organization,
    audit::groups_of_every_size_are_whole,
    audit::a_record_of_a_dropped_write_is_not_in_the_chain,
    audit::a_changed_record_breaks_its_chain,
    audit::filters_narrow_the_log,
    folders::a_folder_is_found_by_its_path_within_its_tenant,
    folders::a_list_holds_the_folder_and_what_is_below_it_and_nothing_else,
    folders::a_rename_takes_everything_below_along,
    folders::a_delete_takes_the_whole_subtree_and_only_that,
    folders::a_path_is_taken_once,
    folders::the_longest_path_can_be_stored,
    secrets::an_empty_folder_is_told_from_a_missing_one,
    secrets::a_list_holds_what_its_path_holds_and_nothing_else,
    secrets::every_field_comes_back_as_it_was_written,
    secrets::many_rows_are_written_found_and_removed_together,
    secrets::an_update_of_a_stale_version_writes_nothing,
    secrets::many_rows_change_and_move_together,
    secrets::a_folder_is_listed_as_it_was,
    tags::a_tag_is_found_by_its_id_and_its_slug_within_its_tenant,
    tags::a_slug_is_taken_once_in_a_project,
    tags::a_tag_changes_and_ends_within_its_tenant,
    secrets::a_name_is_taken_once_in_a_folder,
    secrets::secrets_go_with_their_folder_and_cannot_outlive_it,
    imports::an_import_is_found_by_its_folder_and_within_its_tenant,
    imports::an_import_moves_with_its_source_and_goes_with_its_folder,
    imports::secrets_of_many_places_are_found_in_one_statement,
    imports::overrides_go_with_the_shared_secret_and_with_nothing_else,
    tenants::an_organization_comes_back_as_it_was_written,
    tenants::members_of_an_organization_are_found_by_who_they_are,
    tenants::a_username_is_taken_once_and_sessions_belong_to_their_user,
    tenants::environments_come_in_their_order_and_within_their_tenant,
    tenants::members_of_a_project_are_listed_page_by_page,
    tenants::roles_are_replaced_and_memberships_end_with_their_roles,
    accounts::what_is_mailed_replaces_what_was_mailed_long_enough_before,
    accounts::h11_what_is_mailed_is_taken_once,
    accounts::h9_tries_and_the_budget_of_an_address_are_counted_exactly,
    accounts::d4_proofs_and_unfinished_accounts_are_swept,
    accounts::settings_are_written_once_and_again,
    accounts::accounts_are_listed_page_by_page_and_taken_literally,
    accounts::an_organization_takes_those_below_it_along,
    people::an_account_is_found_by_name_and_changes_within_its_epoch,
    people::a_session_moves_on_for_one_of_many,
    people::failures_are_counted_together_and_forgotten,
    people::h3_a_step_is_accepted_once_by_many,
    people::codes_are_taken_once_and_tried_as_often,
    identity_providers::a_provider_is_found_by_its_organization_and_its_domains,
    identity_providers::h6_a_subject_is_somebodys_at_one_provider_and_issuer,
    people::a_passkey_is_one_persons_and_used_by_one_of_many,
    people::h3_a_challenge_is_met_once_by_many,
    devices::a_device_login_is_found_by_its_codes_while_it_waits,
    devices::a_device_login_is_answered_and_taken_once_by_many,
    devices::a_device_that_asks_too_soon_waits_longer_each_time,
    devices::d4_device_logins_are_counted_and_swept,
    people::l2_a_code_is_taken_by_one_of_many,
    machines::a_login_finds_all_it_needs_in_one_query,
    machines::a_token_finds_what_it_rests_on_and_misses_what_is_gone,
    machines::an_identity_takes_all_it_has_with_it,
    machines::a_method_is_attached_once_and_changed_within_its_tenant,
    machines::a_method_changes_only_from_what_was_read,
    machines::identities_are_found_page_by_page_whatever_their_case,
    machines::c12_uses_of_a_client_secret_are_taken_exactly_as_often,
    machines::j13_uses_of_a_token_are_taken_exactly_as_often,
    machines::c13_a_threshold_of_guesses_is_counted_and_no_more,
    machines::named_tokens_are_listed_newest_first_within_their_tenant,
    machines::a_membership_changes_within_its_organization,
    used_proofs::c4_a_proof_is_used_again_only_by_its_sender_and_only_for_a_while,
    used_proofs::c4_of_many_senders_of_a_proof_one_uses_it,
    used_proofs::d4_used_proofs_are_swept_once_nobody_believes_them,
    roles::a_role_is_found_within_its_tenant_and_its_slug_taken_once,
    roles::a_role_in_use_stays_and_is_read_with_its_holders_in_order,
    roles::what_an_identity_holds_is_told_with_its_roles,
    roles::a_service_token_is_found_by_its_id_and_kept_within_its_tenant,
}
