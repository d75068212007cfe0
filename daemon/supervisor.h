/*
 * supervisor.h - runs all roles as processes of their own, where no systemd does (foreground, containers)
 *
 * It lays the ground of all roles (role.h), holds neither secret nor register, and forks them from itself: what it has read and what the loader has written is in memory
 * once. A role that died or fell silent is started again after a growing pause, as this program anew with the role's name: it reads its configuration itself, and lies
 * elsewhere in memory than the one that died, so that nobody learns by trying. Roles get a notification socket of ours (sd_notify(3)), so readiness and watchdog work as
 * under systemd. SIGTERM and SIGINT end all, SIGHUP is handed on.
 */
#ifndef SENGEN_SUPERVISOR_H
#define SENGEN_SUPERVISOR_H

#include <stdbool.h>

#include "lib/base/err.h"

/* verbose: handed on to the roles. The exit status of the process: RC_CONFIG when a role never came up for that reason. */
enum rc supervisor_run(const char *config, bool verbose);

#endif
