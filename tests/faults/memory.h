/*
 * memory.h - what a life would read and check anew, and would find the same: settings and templates
 *
 * Read once by the driver, by the program's own functions; the lives are forked from it. Takes nine tenths off the time of a start.
 */
#ifndef SENGEN_TESTS_MEMORY_H
#define SENGEN_TESTS_MEMORY_H

#include <stdbool.h>

/* The configuration is the same in all runs of a worker. Ends the program when it is wrong. */
void memory_learn(const char *config);
/* For a run: most offices of these runs want no mails for staff, which would be most of all mails. */
void memory_desk_mails(bool wanted);

#endif
