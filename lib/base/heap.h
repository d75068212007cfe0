/*
 * heap.h - the memory of processes that fork children, or that rest
 */
#ifndef SENGEN_HEAP_H
#define SENGEN_HEAP_H

/* Composing and packing a letter takes some 300 KiB for a moment: giving them back to the kernel each time, and getting them anew, costs more than the letter. */
void heap_keep(void);
/* Called once all that the children use has been made, and nothing is freed after it: what a child allocates then lies in pages of its own, and the C library finds nothing to
 * tidy up in those it was forked with, each of which would be copied. Sets other limits than heap_keep(): who wants those calls it again. */
void heap_settle(void);
/* Called before such a process is started as a program, for it is the environment that says so: GLib and the C library keep no freed pieces of their own, which lie in many pages, so
 * that what a child allocates comes from one place. */
void heap_environment(void);
/* What is free goes back to the kernel, for a process that has nothing to do for a while. */
void heap_give_back(void);

#endif
