/*
 * The options of verbs, in small tables that rows of verbs-*.c put together: those that belong
 * together, and those that several verbs have.
 */
#pragma once

#include "cli/cli.h"

extern const SyncdVerbOption syncd_status_options[];
extern const SyncdVerbOption syncd_enqueue_options[];
extern const SyncdVerbOption syncd_workspace_options[];
extern const SyncdVerbOption syncd_announce_options[];
extern const SyncdVerbOption syncd_restore_options[];
extern const SyncdVerbOption syncd_pause_options[];
extern const SyncdVerbOption syncd_limit_options[];
extern const SyncdVerbOption syncd_filter_options[];
extern const SyncdVerbOption syncd_operation_filter_options[];
extern const SyncdVerbOption syncd_event_filter_options[];
extern const SyncdVerbOption syncd_all_options[];
extern const SyncdVerbOption syncd_object_options[];
extern const SyncdVerbOption syncd_memory_options[];
extern const SyncdVerbOption syncd_mismatched_options[];
extern const SyncdVerbOption syncd_scan_options[];
extern const SyncdVerbOption syncd_follow_options[];
extern const SyncdVerbOption syncd_reconcile_options[];
extern const SyncdVerbOption syncd_reconciled_options[];
extern const SyncdVerbOption syncd_delete_options[];
extern const SyncdVerbOption syncd_purge_options[];
extern const SyncdVerbOption syncd_replay_options[];
extern const SyncdVerbOption syncd_task_filter_options[];
extern const SyncdVerbOption syncd_task_state_options[];
extern const SyncdVerbOption syncd_lease_options[];
extern const SyncdVerbOption syncd_complete_options[];
extern const SyncdVerbOption syncd_fail_options[];
extern const SyncdVerbOption syncd_cancel_options[];
extern const SyncdVerbOption syncd_output_options[];
extern const SyncdVerbOption syncd_doctor_options[];
extern const SyncdVerbOption syncd_verify_log_options[];
extern const SyncdVerbOption syncd_key_options[];
extern const SyncdVerbOption syncd_document_options[];
extern const SyncdVerbOption syncd_judging_options[];
extern const SyncdVerbOption syncd_repair_plan_options[];
extern const SyncdVerbOption syncd_repair_show_options[];
extern const SyncdVerbOption syncd_repair_apply_options[];
extern const SyncdVerbOption syncd_believed_key_options[];
extern const SyncdVerbOption syncd_trust_options[];
extern const SyncdVerbOption syncd_evidence_options[];
extern const SyncdVerbOption syncd_ledger_options[];
extern const SyncdVerbOption syncd_output_dir_options[];
extern const SyncdVerbOption syncd_state_dir_options[];
extern const SyncdVerbOption syncd_verify_proof_options[];
extern const SyncdVerbOption syncd_find_options[];
extern const SyncdVerbOption syncd_proof_output_options[];
extern const SyncdVerbOption syncd_contract_options[];
extern const SyncdVerbOption syncd_policy_options[];
extern const SyncdVerbOption syncd_request_options[];
extern const SyncdVerbOption syncd_daemon_options[];
extern const SyncdVerbOption syncd_help_options[];
extern const SyncdVerbOption syncd_actor_filter_options[];
extern const SyncdVerbOption syncd_device_filter_options[];
extern const SyncdVerbOption syncd_profile_filter_options[];
extern const SyncdVerbOption syncd_workspace_filter_options[];
extern const SyncdVerbOption syncd_object_filter_options[];
extern const SyncdVerbOption syncd_schema_filter_options[];
extern const SyncdVerbOption syncd_plan_filter_options[];
extern const SyncdVerbOption syncd_encryption_filter_options[];
extern const SyncdVerbOption syncd_migration_filter_options[];
extern const SyncdVerbOption syncd_register_options[];
extern const SyncdVerbOption syncd_set_options[];
extern const SyncdVerbOption syncd_change_key_options[];
extern const SyncdVerbOption syncd_revoke_options[];
extern const SyncdVerbOption syncd_migration_options[];
extern const SyncdVerbOption syncd_signing_options[];
