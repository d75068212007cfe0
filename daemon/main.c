/* sengend - the daemon of a declaration office. See sengend(8). */
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "daemon/role.h"
#include "daemon/simulate.h"
#include "daemon/supervisor.h"
#include "daemon/title.h"
#include "daemon/turn.h"
#include "lib/base/heap.h"
#include "lib/base/log.h"
#include "lib/base/secret.h"
#include "lib/base/service.h"

#define CONFIG_DEFAULT "/etc/sengen/sengend.conf"

struct options {
	const char *config;
	const char *role; /* NULL: all, under the supervisor */
	bool once;
	const char *until, *from;
	bool verbose;
};

static void print_help(FILE *to)
{
	(void)fputs("Usage: sengend [-v] -c FILE [ROLE | --once | --simulate-until DATE "
		    "[--from DATE]]\n"
		    "\n"
		    "Runs the office: takes form files from the spool, keeps the register, "
		    "sends the notices.\n"
		    "Without ROLE, all roles run under a small supervisor, in the "
		    "foreground.\n"
		    "\n"
		    "  -c, --config FILE       configuration (default " CONFIG_DEFAULT ")\n"
		    "      --once              do what can be done now, then end (for cron)\n"
		    "      --simulate-until DATE\n"
		    "                          run on a virtual clock until DATE "
		    "(2026-12-31)\n"
		    "      --from DATE         where the virtual clock starts (default: the "
		    "oldest dropped "
		    "file)\n"
		    "  -v, --verbose           say more\n"
		    "  -h, --help              this text\n"
		    "      --version           the version\n"
		    "\n"
		    "ROLE:",
		to);
	for (size_t i = 0; roles[i]; i++)
		(void)fprintf(to, " %s", roles[i]->name);
	(void)fputs("\n\nExit status: 0 done, 1 refused, 2 wrong usage, 3 "
		    "configuration, 4 store, 5 mail "
		    "server.\n",
		to);
}

static enum rc usage_fault(const char *what, const char *which)
{
	(void)fprintf(stderr, "sengend: %s%s%s. See sengend --help.\n", what, which ? ": " : "",
		which ? which : "");
	return RC_USAGE;
}

enum { OPTION_ONCE = 256, OPTION_UNTIL, OPTION_FROM, OPTION_VERSION };

/* RC_OK with *done: nothing more is to be done. */
static enum rc options_read(struct options *options, int argc, char **argv, bool *done)
{
	static const struct option known[] = {
		{"config", required_argument, NULL, 'c'},
		{"once", no_argument, NULL, OPTION_ONCE},
		{"simulate-until", required_argument, NULL, OPTION_UNTIL},
		{"from", required_argument, NULL, OPTION_FROM},
		{"verbose", no_argument, NULL, 'v'},
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, OPTION_VERSION},
		{0},
	};
	*options = (struct options){.config = CONFIG_DEFAULT};
	*done = false;
	for (int c; (c = getopt_long(argc, argv, "c:vh", known, NULL)) != -1;) {
		switch (c) {
		case 'c':
			options->config = optarg;
			break;
		case OPTION_ONCE:
			options->once = true;
			break;
		case OPTION_UNTIL:
			options->until = optarg;
			break;
		case OPTION_FROM:
			options->from = optarg;
			break;
		case 'v':
			options->verbose = true;
			break;
		case 'h':
			print_help(stdout);
			*done = true;
			return RC_OK;
		case OPTION_VERSION:
			(void)puts("sengend " SENGEN_VERSION);
			*done = true;
			return RC_OK;
		default: /* getopt has said what is wrong */
			return RC_USAGE;
		}
	}
	if (optind < argc)
		options->role = argv[optind++];
	if (optind < argc)
		return usage_fault("one role at most", argv[optind]);
	if (options->role && !role_find(options->role))
		return usage_fault("there is no such role", options->role);
	if ((options->role != NULL) + options->once + (options->until != NULL) > 1)
		return usage_fault("a role, --once and --simulate-until exclude each other", NULL);
	if (options->from && !options->until)
		return usage_fault("--from goes with --simulate-until", NULL);
	return RC_OK;
}

static bool hand_to_journal(const struct log_entry *entry)
{
	return service_journal(SERVICE_JOURNAL, entry);
}

static void name_in_log(const struct options *options)
{
	enum log_level level = options->verbose ? LEVEL_TRACE : LEVEL_NOTICE;
	/* A simulation speaks in its summary; its log would be thousands of lines. */
	if (options->until && !options->verbose)
		level = LEVEL_FAULT;
	log_to_journal(hand_to_journal);
	log_open("sengend", level);
}

int main(int argc, char **argv)
{
	struct options options;
	bool done;
	title_keep(argc, argv);
	secret_openssl_wipes();
	enum rc rc = options_read(&options, argc, argv, &done);
	if (rc || done)
		return (int)rc;
	name_in_log(&options);
	(void)prctl(PR_SET_NAME, "sengend"); /* a role is started as /proc/self/exe */
	(void)umask(0027);
	(void)setrlimit(
		RLIMIT_CORE, &(struct rlimit){0}); /* a core dump would hold personal data and secrets */
	heap_keep();

	if (options.until)
		return (int)simulate_run(options.config, options.until, options.from, options.verbose);
	if (options.once)
		return (int)once_run(options.config);
	if (options.role)
		return (int)role_run(role_find(options.role), options.config, NULL, NULL);
	return (int)supervisor_run(options.config, options.verbose);
}
