/*
 * title.h - the command line that others see of a process (ps(1), /proc/PID/cmdline)
 *
 * A role that was forked and not started as a program of its own would show the supervisor's.
 */
#ifndef SENGEN_TITLE_H
#define SENGEN_TITLE_H

/* Once, first thing in main(): where the kernel put the command line. */
void title_keep(int argc, char **argv);
/* argv of main() is overwritten by it, and where that is too short the environment behind it, which is copied first; what still has no room is cut off. */
void title_set(const char *title);

#endif
