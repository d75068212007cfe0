/*
 * supervisor.h - runs all roles as processes of their own, where no systemd does (foreground, containers)
 *
 * Each role is this program again with the role's name. It gets a notification socket of ours (sd_notify(3)), so readiness and watchdog work as
 * under systemd. A role that dies or falls silent is started again after a growing pause. SIGTERM and SIGINT end all, SIGHUP is handed on.
 */
#ifndef SENGEN_SUPERVISOR_H
#define SENGEN_SUPERVISOR_H

#include <stdbool.h>

#include "lib/base/err.h"

/* verbose: handed on to the roles. The exit status of the process: RC_CONFIG when a role never came up for that reason. */
enum rc supervisor_run(const char *config, bool verbose);

#endif
