#include "daemon/main.h"

#include "base/error.h"
#include "daemon/daemon.h"
#include "daemon/log.h"
#include "daemon/paths.h"
#include "daemon/policy.h"

#include <getopt.h>
#include <stdio.h>

static const char help[] =
    "Usage: sourceos-syncd daemon [OPTION...]\n"
    "\n"
    "Serves org.sourceos.Sync until it is told to stop.\n"
    "\n"
    "  --user              the instance of this user, on the session bus (default)\n"
    "  --system            the instance of the machine, on the system bus\n"
    "  --state-dir DIR     keep the state in DIR\n"
    "  --bus-address ADDR  serve on the bus at ADDR\n"
    "  --policy-dir DIR    read the machine's rules of policy from DIR\n"
    "  --config FILE       read FILE instead of syncd.conf and its drop-ins\n"
    "  --check-config      print the configuration in effect; 2 when it or a rule of policy\n"
    "                      has a mistake\n"
    "  --help              this text\n";

typedef struct {
    SyncdDaemonOptions daemon;
    const char *config_file; /* NULL: the instance's own */
    bool check_config;
    bool help;
    bool instance_given;
} Arguments;

enum { USER, SYSTEM, STATE_DIR, BUS_ADDRESS, POLICY_DIR, CONFIG, CHECK_CONFIG, HELP };

static const struct option long_options[] = {
    {"user", no_argument, NULL, USER},
    {"system", no_argument, NULL, SYSTEM},
    {"state-dir", required_argument, NULL, STATE_DIR},
    {"bus-address", required_argument, NULL, BUS_ADDRESS},
    {"policy-dir", required_argument, NULL, POLICY_DIR},
    {"config", required_argument, NULL, CONFIG},
    {"check-config", no_argument, NULL, CHECK_CONFIG},
    {"help", no_argument, NULL, HELP},
    {NULL, 0, NULL, 0},
};

static bool take_instance(Arguments *arguments, SyncdInstance instance)
{
    if (arguments->instance_given && arguments->daemon.instance != instance) {
        fputs("sourceos-syncd: --user and --system exclude each other\n", stderr);
        return false;
    }
    arguments->instance_given = true;
    arguments->daemon.instance = instance;
    return true;
}

static bool take_option(Arguments *arguments, int option)
{
    switch (option) {
    case USER:
        return take_instance(arguments, SYNCD_INSTANCE_USER);
    case SYSTEM:
        return take_instance(arguments, SYNCD_INSTANCE_SYSTEM);
    case STATE_DIR:
        arguments->daemon.state_directory = optarg;
        return true;
    case BUS_ADDRESS:
        arguments->daemon.bus_address = optarg;
        return true;
    case POLICY_DIR:
        arguments->daemon.policy_directory = optarg;
        return true;
    case CONFIG:
        arguments->config_file = optarg;
        return true;
    case CHECK_CONFIG:
        arguments->check_config = true;
        return true;
    case HELP:
        arguments->help = true;
        return true;
    default:
        return false; /* getopt has said why */
    }
}

static bool parse_arguments(int argc, char **argv, Arguments *arguments)
{
    optind = 0;
    for (int option; (option = getopt_long(argc, argv, "", long_options, NULL)) != -1;)
        if (!take_option(arguments, option))
            return false;
    if (optind < argc)
        fprintf(stderr, "%s: unexpected argument \"%s\"\n", argv[0], argv[optind]);
    return optind == argc;
}

static bool read_config(const Arguments *arguments, SyncdConfig *config, GPtrArray *mistakes,
                        GError **error)
{
    syncd_config_init(config);
    if (arguments->config_file != NULL)
        return syncd_config_read_file(config, arguments->config_file, mistakes, error);
    g_autofree char *directory = syncd_path_config(arguments->daemon.instance);
    syncd_config_read_directory(config, directory, mistakes);
    return true;
}

static void check_policy(const SyncdDaemonOptions *options, GPtrArray *mistakes)
{
    g_autoptr(SyncdPolicyLoader) loader =
        syncd_policy_loader_new(options->instance, options->policy_directory, NULL);
    g_autofree char *fault = NULL;
    SyncdPolicyStanding standing;
    syncd_policy_set_free(syncd_policy_loader_read(loader, &standing, &fault));
    if (fault != NULL)
        g_ptr_array_add(mistakes, g_strdup_printf("Rules of policy were refused: %s", fault));
}

static int check_config(const SyncdDaemonOptions *options, GPtrArray *mistakes)
{
    g_autofree char *text = syncd_config_to_text(&options->config);
    check_policy(options, mistakes);
    fputs(text, stdout);
    for (guint i = 0; i < mistakes->len; i++)
        fprintf(stderr, "%s\n", (const char *)mistakes->pdata[i]);
    return mistakes->len == 0 ? SYNCD_EXIT_DONE : SYNCD_EXIT_NEGATIVE;
}

static void add_word(GString *command, const char *option, const char *value)
{
    static const char plain[] = G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "/._-+=:,@";
    bool is_plain = value[strspn(value, plain)] == '\0';
    g_autofree char *quoted = is_plain ? g_strdup(value) : g_shell_quote(value);
    g_string_append_printf(command, " --%s=%s", option, quoted);
}

/* Wherever a shell that is given it is. */
static char *command_of(const Arguments *arguments)
{
    const SyncdDaemonOptions *daemon = &arguments->daemon;
    const struct {
        const char *option, *path;
    } paths[] = {
        {"state-dir", daemon->state_directory},
        {"policy-dir", daemon->policy_directory},
        {"config", arguments->config_file},
    };
    GString *command = g_string_new("sourceos-syncd daemon --");
    g_string_append(command, syncd_instance_name(daemon->instance));
    for (size_t i = 0; i < G_N_ELEMENTS(paths); i++) {
        g_autofree char *path =
            paths[i].path != NULL ? g_canonicalize_filename(paths[i].path, NULL) : NULL;
        if (path != NULL)
            add_word(command, paths[i].option, path);
    }
    if (daemon->bus_address != NULL)
        add_word(command, "bus-address", daemon->bus_address);
    return g_string_free(command, FALSE);
}

int syncd_daemon_main(int argc, char **argv)
{
    Arguments arguments = {.daemon.instance = SYNCD_INSTANCE_USER};
    if (!parse_arguments(argc, argv, &arguments)) {
        fputs("Next: see `sourceos-syncd daemon --help`.\n", stderr);
        return SYNCD_EXIT_NEGATIVE;
    }
    if (arguments.help) {
        fputs(help, stdout);
        return SYNCD_EXIT_DONE;
    }

    g_autoptr(GPtrArray) mistakes = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GError) error = NULL;
    SyncdConfig *config = &arguments.daemon.config;
    if (!read_config(&arguments, config, mistakes, &error)) {
        fprintf(stderr, "sourceos-syncd: %s\n", error->message);
        return SYNCD_EXIT_NEGATIVE;
    }
    if (arguments.check_config)
        return check_config(&arguments.daemon, mistakes);

    syncd_log_start(config->log_level);
    for (guint i = 0; i < mistakes->len; i++)
        syncd_log(SYNCD_LOG_WARNING, SYNCD_LOG_ID_CONFIG, "%s", (const char *)mistakes->pdata[i]);
    g_autofree char *command = command_of(&arguments);
    arguments.daemon.command = command;
    return syncd_daemon_run(&arguments.daemon);
}
