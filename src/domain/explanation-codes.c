#include "domain/explanation-codes.h"

#include "base/json-writer.h"

/* clang-format off */
static const SyncdExplanation explanations[] = {
    {.code = "POLICY_EXPECTED_METADATA_BOUNDARY",
     .title = "Only metadata may be read here",
     .domain = "filesystem", .result = "deny", .outcome = "blocked_expected",
     .severity = "notice", .risk = "low", .may_be_more_severe = false,
     .summary = "A component that may only look at metadata was kept from reading file contents.",
     .why = "To classify packages and programs their metadata is enough; the contents of executable "
            "directories are not part of that work.",
     .next_action = "Nothing needs to be done: the boundary did what it is for.",
     .operations = {"file-read-data", "file.read.data", "filesystem.read.data"},
     .targets = {"package_binary_directory", "package_binary", "system_binary_directory",
                 "executable_metadata"}},
    {.code = "POLICY_EXPECTED_NETWORK_DISABLED",
     .title = "The network is off limits here",
     .domain = "network", .result = "deny", .outcome = "blocked_expected",
     .severity = "notice", .risk = "low", .may_be_more_severe = false,
     .summary = "A network access was blocked, as policy wants it.",
     .why = "This work is done with local evidence; it may ask the network only where policy says so.",
     .next_action = "Nothing needs to be done, unless the caller was promised network access.",
     .operations = {"network.lookup", "network.egress", "trust.network.lookup", "mach-lookup",
                    "ipc.lookup"},
     .targets = {"network", "trust_service", "icloud_documents_service", "external_endpoint",
                 "com.apple.bird"}},
    {.code = "POLICY_UNEXPECTED_FILE_READ",
     .title = "A read that nobody expected",
     .domain = "filesystem", .result = "deny", .outcome = "blocked_unexpected",
     .severity = "warning", .risk = "medium", .may_be_more_severe = true,
     .summary = "A file was not read, because the actor has no known reason to read it.",
     .why = "The read fits none of the boundaries that are known for metadata, packages or repair.",
     .next_action = "Look at where the actor comes from, what it wanted, what started it, and what "
                    "changed in the policy lately.",
     .operations = {"file-read-data", "file.read.data", "filesystem.read.data",
                    "filesystem.metadata.read"},
     .targets = {"user_private_file", "sealed_secret", "package_binary_directory",
                 "system_binary_directory", "unknown_file"}},
    {.code = "POLICY_ATTACK_LIKE_PRIVILEGE_BOUNDARY_PROBE",
     .title = "Somebody tried a privilege boundary",
     .domain = "identity", .result = "deny", .outcome = "blocked_attack_like",
     .severity = "critical", .risk = "critical", .may_be_more_severe = false,
     .summary = "An attempt to cross a privilege boundary was blocked.",
     .why = "The actor reached for credentials, the kernel, the management or the control of agents, "
            "and nothing that it is capable of includes that.",
     .next_action = "Keep the evidence, follow the trace to what started it, check who the actor "
                    "is, and look at agents and services that were started lately.",
     .operations = {"identity.credential.read", "identity.role.escalate", "kernel.control",
                    "agent.control", "ipc.lookup.privileged", "filesystem.privileged.read"},
     .targets = {"credential_store", "kernel_control", "agent_control_plane",
                 "privileged_ipc_service", "management_profiles", "sealed_secret"}},
    {.code = "POLICY_DEGRADED_TRUST_LOCAL_ONLY",
     .title = "Trust rests on local evidence alone",
     .domain = "trust", .result = "degrade", .outcome = "degraded",
     .severity = "warning", .risk = "medium", .may_be_more_severe = true,
     .summary = "Trust was evaluated with local evidence only.",
     .why = "Evidence from elsewhere could not be had or was not allowed, so that what is known here "
            "had to do; the result says so.",
     .next_action = "Look at the local attestation, the package's receipt and its hash, and at what "
                    "policy says about asking others.",
     .operations = {"trust.evaluate", "trust.network.lookup", "package.verify", "signature.verify"},
     .targets = {"package_binary", "system_binary", "agent_runtime", "container_image",
                 "trust_root"}},
    {.code = "POLICY_EXPECTED_ENTITLEMENT_BOUNDARY",
     .title = "The caller is not entitled",
     .domain = "identity", .result = "deny", .outcome = "blocked_expected",
     .severity = "notice", .risk = "low", .may_be_more_severe = true,
     .summary = "A question about identity or management was not answered.",
     .why = "The caller lacks the entitlement or the capability that the service asks for.",
     .next_action = "Nothing needs to be done, unless there was an administrator's session, a new "
                    "profile or a new privileged process that nobody expected.",
     .operations = {"ipc.lookup.profile-read-system", "identity.profile.read",
                    "management.profile.read", "ipc.lookup.privileged"},
     .targets = {"system_management_profiles", "management_profiles", "privileged_ipc_service"}},
    {.code = "POWER_DARKWAKE_NETWORK_KEEPALIVE_ALLOWED",
     .title = "The network was kept alive during sleep",
     .domain = "power", .result = "allow", .outcome = "allowed",
     .severity = "info", .risk = "low", .may_be_more_severe = true,
     .summary = "Upkeep of network connections while the device slept was allowed.",
     .why = "The device seemed asleep to its user, and kept its connections alive meanwhile.",
     .next_action = "Note why it woke, for which service, how long, how many bytes went where, and "
                    "which policy allowed it.",
     .operations = {"network.keepalive.offload", "power.darkwake.network", "network.scan.offload"},
     .targets = {"wifi_en0", "network_interface", "power_state"}},
    {.code = "POLICY_EXPECTED_TEST_BOUNDARY",
     .title = "A boundary for tests",
     .domain = "generic", .result = "deny", .outcome = "blocked_expected",
     .severity = "notice", .risk = "low", .may_be_more_severe = false,
     .summary = "The boundary that tests use was enforced.",
     .why = "A test made this decision, to see that it becomes a valid event.",
     .next_action = "Nothing needs to be done.",
     .operations = {"ipc.lookup.example"},
     .targets = {"example_ipc_service"}},
};
/* clang-format on */

const SyncdExplanation *syncd_explanation_find(SyncdJson code)
{
    for (size_t i = 0; i < G_N_ELEMENTS(explanations); i++)
        if (syncd_json_is(code, explanations[i].code))
            return &explanations[i];
    return NULL;
}

bool syncd_explanation_covers(const char *const classes[SYNCD_MAX_CLASSES], SyncdJson value)
{
    for (size_t i = 0; i < SYNCD_MAX_CLASSES && classes[i] != NULL; i++)
        if (g_str_equal(classes[i], "*") || syncd_json_is(value, classes[i]))
            return true;
    return false;
}

static void write_classes(SyncdJsonWriter *writer, const char *name,
                          const char *const classes[SYNCD_MAX_CLASSES])
{
    syncd_json_name(writer, name);
    syncd_json_begin_array(writer);
    for (size_t i = 0; i < SYNCD_MAX_CLASSES && classes[i] != NULL; i++)
        syncd_json_string(writer, classes[i]);
    syncd_json_end_array(writer);
}

static void write_one(SyncdJsonWriter *writer, const SyncdExplanation *explanation)
{
    syncd_json_begin_object(writer);
    syncd_json_member_string(writer, "code", explanation->code);
    syncd_json_member_string(writer, "title", explanation->title);
    syncd_json_member_string(writer, "domain", explanation->domain);
    syncd_json_member_string(writer, "result", explanation->result);
    syncd_json_member_string(writer, "semantic_outcome", explanation->outcome);
    syncd_json_member_string(writer, "severity", explanation->severity);
    syncd_json_member_string(writer, "risk", explanation->risk);
    syncd_json_member_string(writer, "default_summary", explanation->summary);
    syncd_json_member_string(writer, "default_why", explanation->why);
    syncd_json_member_string(writer, "default_next_action", explanation->next_action);
    write_classes(writer, "allowed_operation_classes", explanation->operations);
    write_classes(writer, "allowed_target_classes", explanation->targets);
    syncd_json_member_bool(writer, "allow_stricter_severity", explanation->may_be_more_severe);
    syncd_json_end_object(writer);
}

void syncd_explanation_write_all(GString *out)
{
    SyncdJsonWriter writer;
    syncd_json_writer_init(&writer, out, false);
    syncd_json_begin_object(&writer);
    syncd_json_member_string(&writer, "schema_version", SYNCD_EXPLANATION_REGISTRY_SCHEMA);
    syncd_json_name(&writer, "codes");
    syncd_json_begin_array(&writer);
    for (size_t i = 0; i < G_N_ELEMENTS(explanations); i++)
        write_one(&writer, &explanations[i]);
    syncd_json_end_array(&writer);
    syncd_json_end_object(&writer);
}
