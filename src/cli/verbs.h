/*
 * The table of verbs, a family a file (verbs-*.c), and their functions, one a file.
 */
#pragma once

#include "cli/cli.h"

/* Each ends with a row that has no name. */
extern const SyncdVerb syncd_verbs_work[], syncd_verbs_look[], syncd_verbs_workspace[],
    syncd_verbs_registry[], syncd_verbs_judge[], syncd_verbs_program[];

bool syncd_verb_status(SyncdCli *cli, GError **error);
bool syncd_verb_ops_enqueue(SyncdCli *cli, GError **error);
bool syncd_verb_ops_delete(SyncdCli *cli, GError **error);
bool syncd_verb_ops_purge(SyncdCli *cli, GError **error);
bool syncd_verb_ops_list(SyncdCli *cli, GError **error);
bool syncd_verb_ops_show(SyncdCli *cli, GError **error);
bool syncd_verb_ops_reconcile(SyncdCli *cli, GError **error);
bool syncd_verb_ops_reconciled(SyncdCli *cli, GError **error);
bool syncd_verb_ops_replay(SyncdCli *cli, GError **error);
bool syncd_verb_ops_checkpoint(SyncdCli *cli, GError **error);
bool syncd_verb_tasks_list(SyncdCli *cli, GError **error);
bool syncd_verb_tasks_show(SyncdCli *cli, GError **error);
bool syncd_verb_tasks_claim(SyncdCli *cli, GError **error);
bool syncd_verb_tasks_renew(SyncdCli *cli, GError **error);
bool syncd_verb_tasks_complete(SyncdCli *cli, GError **error);
bool syncd_verb_tasks_fail(SyncdCli *cli, GError **error);
bool syncd_verb_tasks_cancel(SyncdCli *cli, GError **error);
bool syncd_verb_events_list(SyncdCli *cli, GError **error);
bool syncd_verb_events_show(SyncdCli *cli, GError **error);
bool syncd_verb_workspace_add(SyncdCli *cli, GError **error);
bool syncd_verb_workspace_list(SyncdCli *cli, GError **error);
bool syncd_verb_workspace_show(SyncdCli *cli, GError **error);
bool syncd_verb_workspace_files(SyncdCli *cli, GError **error);
bool syncd_verb_workspace_accept(SyncdCli *cli, GError **error);
bool syncd_verb_workspace_scan(SyncdCli *cli, GError **error);
bool syncd_verb_workspace_ignore(SyncdCli *cli, GError **error);
bool syncd_verb_workspace_pause(SyncdCli *cli, GError **error);
bool syncd_verb_workspace_resume(SyncdCli *cli, GError **error);
bool syncd_verb_workspace_remove(SyncdCli *cli, GError **error);
bool syncd_verb_workspace_announce(SyncdCli *cli, GError **error);
bool syncd_verb_workspace_restore(SyncdCli *cli, GError **error);
bool syncd_verb_find(SyncdCli *cli, GError **error);
bool syncd_verb_prove(SyncdCli *cli, GError **error);
bool syncd_verb_doctor(SyncdCli *cli, GError **error);
bool syncd_verb_explain(SyncdCli *cli, GError **error);
bool syncd_verb_log(SyncdCli *cli, GError **error);
bool syncd_verb_verify_log(SyncdCli *cli, GError **error);
bool syncd_verb_verify_checkpoint(SyncdCli *cli, GError **error);
bool syncd_verb_policy_explain(SyncdCli *cli, GError **error);
bool syncd_verb_policy_list(SyncdCli *cli, GError **error);
bool syncd_verb_policy_test(SyncdCli *cli, GError **error);
bool syncd_verb_verify_proof(SyncdCli *cli, GError **error);
bool syncd_verb_contract_validate(SyncdCli *cli, GError **error);
bool syncd_verb_contract_list(SyncdCli *cli, GError **error);
bool syncd_verb_contract_show(SyncdCli *cli, GError **error);
bool syncd_verb_health_snapshot(SyncdCli *cli, GError **error);
bool syncd_verb_health_verify(SyncdCli *cli, GError **error);
bool syncd_verb_health_explain(SyncdCli *cli, GError **error);
bool syncd_verb_repair_plan(SyncdCli *cli, GError **error);
bool syncd_verb_repair_list(SyncdCli *cli, GError **error);
bool syncd_verb_repair_show(SyncdCli *cli, GError **error);
bool syncd_verb_repair_approve(SyncdCli *cli, GError **error);
bool syncd_verb_repair_apply(SyncdCli *cli, GError **error);
bool syncd_verb_repair_rollback(SyncdCli *cli, GError **error);
bool syncd_verb_repair_discard(SyncdCli *cli, GError **error);
bool syncd_verb_trust_evaluate(SyncdCli *cli, GError **error);
bool syncd_verb_trust_validate(SyncdCli *cli, GError **error);
bool syncd_verb_scorecard_evaluate(SyncdCli *cli, GError **error);
bool syncd_verb_scorecard_validate(SyncdCli *cli, GError **error);
bool syncd_verb_evidence_list(SyncdCli *cli, GError **error);
bool syncd_verb_evidence_show(SyncdCli *cli, GError **error);
bool syncd_verb_evidence_wrap(SyncdCli *cli, GError **error);
bool syncd_verb_evidence_write(SyncdCli *cli, GError **error);
bool syncd_verb_evidence_validate(SyncdCli *cli, GError **error);
bool syncd_verb_policy_normalize(SyncdCli *cli, GError **error);
bool syncd_verb_policy_codes(SyncdCli *cli, GError **error);
bool syncd_verb_store_init(SyncdCli *cli, GError **error);
bool syncd_verb_store_adopt(SyncdCli *cli, GError **error);
/* Of every registry: cli/registry.h. */
bool syncd_verb_registry_list(SyncdCli *cli, GError **error);
bool syncd_verb_registry_show(SyncdCli *cli, GError **error);
bool syncd_verb_registry_register(SyncdCli *cli, GError **error);
bool syncd_verb_registry_update(SyncdCli *cli, GError **error);
bool syncd_verb_registry_revoke(SyncdCli *cli, GError **error);
bool syncd_verb_migrations_apply(SyncdCli *cli, GError **error);
bool syncd_verb_migrations_rollback(SyncdCli *cli, GError **error);
bool syncd_verb_migrations_report(SyncdCli *cli, GError **error);
bool syncd_verb_migrations_sign(SyncdCli *cli, GError **error);
bool syncd_verb_daemon(SyncdCli *cli, GError **error);
bool syncd_verb_completion(SyncdCli *cli, GError **error);
bool syncd_verb_help(SyncdCli *cli, GError **error);
