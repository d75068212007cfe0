/*
 * host.h - the identity of this machine, for the register's witness
 *
 * A digest: the machine-id itself is not to leave the machine (machine-id(5)).
 */
#ifndef SENGEN_HOST_H
#define SENGEN_HOST_H

#include "lib/base/str.h"

/* Appends 32 hexadecimal digits; without a machine-id (some containers) the host name stands in. */
void host_identity(struct str *out);

#endif
