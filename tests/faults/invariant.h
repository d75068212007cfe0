/*
 * invariant.h - what must be true after any run (design.md, section 9; SECURITY.md)
 *
 * Checked over the register, the spool, the mailbox and what the mail server took; each broken promise is one fault_broken() sentence.
 *
 *  1 nothing lost: each good row of a file that was wholly dropped is registered once; each file lies in accepted/, rejected/ or incoming/ with its result
 *  2 each due notice was taken by the server at least once, or stands with staff for a recorded reason
 *  3 no second copy but where the line or the process died between the final dot and the answer: at most one a connection, the same Message-ID
 *  4 no notice after an accepted stop or withdrawal, save the one that confirms it
 *  5 each mail went to exactly one recipient, who is registered for that declaration (or a fixed answer of section 7)
 *  6 no number given twice, none without its row; the ID begins with 4, the user number with 9
 *  7 the books balance, each day and in all; what does not is named
 *  8 the history's chain is whole (audit), the witness agrees with it
 *  9 no orphan: no row, file or copy that belongs to nothing
 * 10 each mail of the mailbox has one row and lies in the folder its row names; none was carried out twice
 * 11 trouble of ours (password, TLS, server down, disk) counts against no recipient
 * 12 the office works: with the faults gone and time given, nothing is left that only waits
 */
#ifndef SENGEN_TESTS_INVARIANT_H
#define SENGEN_TESTS_INVARIANT_H

#include "daemon/turn.h"

/* After the last, quiet life, with the office still open. */
void invariant_check(struct turn *turn);

#endif
