//! What every store must do, case by case. The cases know only the ports; [`store_suite!`](crate::store_suite) runs
//! all of them, unchanged, on each store.

pub mod clients;
pub mod credentials;
pub mod devices;
pub mod feed;
pub mod keys;
pub mod listing;
pub mod races;
pub mod refresh;
pub mod rotations;
pub mod sessions;
pub mod throttle;
pub mod trail;
pub mod upkeep;
pub mod users;
pub mod work;

mod duel;
mod fixture;

pub use fixture::Fixture;

/// One `#[tokio::test]` for each case of the suite on each store.
#[macro_export]
macro_rules! store_suite {
    () => {
        $crate::store_suite! { @on postgres, Postgres }
        $crate::store_suite! { @on sqlite, Sqlite }
    };
    (@on $module:ident, $kind:ident) => {
        mod $module {
            $crate::store_suite! { @cases $kind;
                users: [
                    keeps_every_field_to_the_millisecond, one_user_for_all_spellings_of_an_address,
                    profile_updates_follow_the_version, an_address_can_be_changed_but_not_taken,
                    an_own_address_can_be_spelled_anew, disabling_advances_the_epoch_and_enabling_does_not,
                    a_status_that_is_already_so_changes_nothing, roles_are_replaced_as_a_whole,
                    deletion_takes_everything_but_the_trail, deletion_follows_the_version,
                    a_login_is_recorded_only_in_its_epoch, the_epoch_advances_once_for_each_proof,
                    only_active_users_with_the_role_are_administrators, text_comes_back_as_it_was,
                    a_registration_leaves_the_same_in_one_go_and_step_by_step,
                ]
                listing: [
                    pages_are_complete_and_in_order, filters_hold_together, prefixes_are_literal,
                    counts_only_live_sessions, pages_never_lose_or_repeat_a_row_while_others_register,
                ]
                credentials: [
                    a_password_is_set_and_replaced, a_login_candidate_is_found_by_any_spelling,
                    a_breached_password_is_marked_once_and_until_another_is_set, only_an_existing_hash_is_upgraded,
                ]
                sessions: [
                    keeps_every_field, lists_the_live_ones_newest_first, a_principal_is_gone_once_the_session_ends,
                    a_session_ends_once_and_only_for_its_user, all_but_one_end, the_oldest_make_room, a_session_is_held_until_it_ends,
                    a_login_opens_a_session_and_makes_room_in_one_go,
                    what_has_expired_makes_no_room,
                    a_login_leaves_the_same_in_one_go_and_step_by_step, logins_that_come_together_leave_what_each_would_alone,
                    a_refused_login_leaves_nothing,
                    lists_at_most_a_hundred,
                ]
                refresh: [
                    a_token_rotates_once, a_replaced_token_is_the_parent_and_then_spent,
                    idleness_never_outlasts_the_session, nothing_rotates_after_the_end,
                    nothing_rotates_after_expiry, nothing_rotates_for_the_disabled,
                    a_token_of_no_session_or_of_another_family_is_unknown, what_is_neither_current_nor_parent_of_a_family_is_spent,
                ]
                rotations: [
                    each_of_a_group_rotates_as_it_would_alone, a_token_twice_in_a_group_rotates_once,
                    a_session_that_cannot_be_read_is_nobody_elses_trouble,
                    groups_of_the_same_tokens_make_one_child_of_each, nothing_refreshes_in_a_group_after_an_end_that_won,
                ]
                devices: [a_device_is_known_to_its_user_until_it_expires, the_oldest_devices_are_forgotten]
                throttle: [
                    a_new_bucket_is_as_good_as_none, buckets_keep_every_field,
                    what_is_held_and_not_changed_is_not_written, of_simultaneous_changes_none_is_lost,
                    many_buckets_are_swapped_at_once, buckets_are_swapped_if_all_are_as_they_were,
                    expired_buckets_are_purged_in_portions,
                ]
                keys: [
                    keeps_every_field_of_a_key, a_generation_is_taken_once, older_keys_get_an_end_and_never_a_later_one,
                    a_key_is_revoked_once, a_waiting_key_is_activated,
                    a_key_of_an_unknown_algorithm_hides_no_other, one_of_many_processes_adds_the_key,
                ]
                clients: [keeps_every_field_of_a_client, a_client_is_deleted_once]
                trail: [the_trail_is_appended_with_all_it_knows, the_trail_cannot_be_altered]
                work: [
                    a_dropped_unit_of_work_leaves_nothing, a_committed_one_is_seen_by_other_handles,
                    a_migrated_store_is_healthy, a_store_tells_its_time_if_it_has_a_clock,
                ]
                feed: [
                    changes_come_in_order_with_all_they_say, changes_come_in_batches,
                    missing_numbers_are_looked_for_again, followers_miss_no_change_of_many_writers,
                    a_follower_forgets_what_another_handle_changed, an_old_change_is_purged,
                    a_change_of_an_unknown_kind_is_not_hidden, the_first_change_since_a_time_is_found,
                    ends_come_with_the_numbers_of_all_that_was_passed,
                    ends_are_looked_for_among_so_many_changes_at_once,
                ]
                upkeep: [
                    old_sessions_are_purged_in_portions, live_sessions_are_never_purged,
                    the_oldest_sessions_are_purged_first, a_session_that_idled_out_is_kept_until_the_day_is_over,
                    sealed_children_are_forgotten_and_nothing_else,
                ]
                races: [
                    sixty_four_registrations_of_one_address_make_one_user,
                    thirty_two_refreshes_of_one_token_make_one_child, nothing_refreshes_after_an_end_that_won,
                    administrators_who_demote_each_other_leave_one, no_login_survives_a_change_of_password,
                    no_change_of_password_outlives_its_session, no_login_survives_a_disabling, two_users_cannot_move_to_one_address,
                    no_login_that_follows_a_demotion_has_the_roles_of_before,
                    a_hundred_sessions_are_the_most_also_in_parallel,
                ]
            }
        }
    };
    (@cases $kind:ident; $($area:ident: [$($case:ident),+ $(,)?])+) => {
        $( mod $area {
            $( #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                let fixture = $crate::suite::Fixture::create($crate::StoreKind::$kind).await;
                $crate::suite::$area::$case(&fixture).await;
                fixture.finish().await;
            } )+
        } )+
    };
}
