//! What every engine promises: one tree of tests, mounted twice.
//!
//! The PostgreSQL half needs a server: `KMS_TEST_DATABASE_URL` names one on which databases may
//! be made, and `--include-ignored` runs it, as `scripts/test` does.
#![expect(clippy::unwrap_used, reason = "tests")]

mod audit;
mod engine;
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
    audit::records_form_one_unbroken_chain_for_each_organization,
    audit::a_record_of_a_dropped_write_is_not_in_the_chain,
    audit::a_changed_record_breaks_its_chain,
    audit::filters_narrow_the_log,
}
