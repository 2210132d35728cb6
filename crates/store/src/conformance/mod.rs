//! What every engine must do, as tests: [`conformance!`](crate::conformance!) runs them against one.
#![allow(clippy::unwrap_used, reason = "these are tests, for whoever builds an engine")]
#![allow(missing_docs, reason = "a case's name says what it is about")]

pub mod bounds;
pub mod logs;
pub mod restarts;
pub mod retention;
pub mod tables;

use crate::{Entry, Log, Record, Retention, Span, Store};
use bytes::Bytes;
use std::sync::Arc;

/// Opens the engine under test. Where the engine outlives its process, every call opens the same store anew.
pub type Opens<'a> = &'a dyn Fn() -> Arc<dyn Store>;

/// Makes a test of each case. The argument is a function that makes an opener: a function that opens the engine.
/// With `in memory` before it, those are left out that restart the engine.
#[macro_export]
macro_rules! conformance {
    (in memory $openers:path) => {
        $crate::conformance!($openers, logs: [
            records_come_back_oldest_first_as_they_were_said,
            an_unknown_log_is_empty,
            logs_of_one_name_in_two_families_are_two,
            sequences_rise_and_are_never_zero,
            a_span_begins_after_a_sequence,
            a_span_takes_one_kind_alone,
            a_span_leaves_out_what_is_too_old,
            the_newest_of_a_span_come_oldest_first,
            a_log_is_read_page_by_page,
            one_record_is_removed,
            clearing_says_how_many_went_and_spares_other_logs,
            no_sequence_is_given_again,
            sizes_are_told_by_name_and_page_by_page,
            writes_are_done_in_the_order_of_the_calls,
            a_write_whose_answer_nobody_waits_for_is_done,
            names_may_be_anything,
        ], retention: [
            the_oldest_go_when_there_are_too_many,
            the_oldest_go_when_they_have_too_many_bytes,
            the_new_entry_stays_however_large_it_is,
            the_oldest_of_the_family_go_first_whichever_log_they_are_in,
            families_do_not_count_for_each_other,
            removed_and_cleared_records_count_no_more,
            a_lower_limit_trims_all_that_is_too_much,
            totals_are_what_is_there_after_any_history,
        ], tables: [
            a_document_is_written_read_and_deleted,
            every_change_has_a_revision_that_never_was,
            what_is_expected_must_hold,
            all_changes_are_made_or_none,
            a_refused_commit_costs_no_other_its_own,
            one_of_many_who_write_on_one_revision_succeeds,
            documents_are_listed_by_key_within_a_prefix,
            documents_are_listed_page_by_page,
            tables_do_not_see_each_other,
        ], bounds: [
            what_is_too_large_is_refused,
            the_largest_are_taken,
            a_page_has_an_end,
        ]);
    };
    ($openers:path) => {
        $crate::conformance!(in memory $openers);
        $crate::conformance!($openers, restarts: [
            everything_is_there_after_a_restart,
            sequences_go_on_after_a_restart,
            revisions_go_on_after_a_restart,
            retention_counts_what_was_there_before_a_restart,
            what_waits_is_written_before_the_engine_ends,
        ]);
    };
    ($openers:path, $($module:ident: [$($case:ident),+ $(,)?]),+ $(,)?) => {
        $(mod $module {
            $(#[tokio::test]
            async fn $case() {
                let opener = $openers();
                $crate::conformance::$module::$case(&opener).await;
            })+
        })+
    };
}

fn entry(kind: &str, value: impl Into<Bytes>) -> Entry {
    Entry { at_ms: 1_700_000_000_000, kind: kind.to_owned(), value: value.into() }
}

fn log(name: &str) -> Log {
    Log::new("messages", name)
}

/// Appends without a limit, and says the sequence.
async fn say(store: &dyn Store, log: &Log, value: &str) -> u64 {
    let entry = entry("", value.to_owned());
    store.append(log, entry, Retention::default()).await.unwrap().sequence
}

async fn records(store: &dyn Store, log: &Log) -> Vec<Record> {
    store.read(log, Span::oldest(crate::limits::MAX_PAGE)).await.unwrap()
}

async fn values(store: &dyn Store, log: &Log) -> Vec<String> {
    texts(records(store, log).await)
}

fn texts(records: Vec<Record>) -> Vec<String> {
    records.into_iter().map(|record| String::from_utf8(record.value.to_vec()).unwrap()).collect()
}
