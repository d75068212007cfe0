/*
 * heap.h - the memory of a life
 *
 * A life is a fork and short: pages that it would get from the system one fault at a time, zeroed, or copied because the driver holds them too, cost more than what
 * the office does with them. So malloc() and its kin are put in the C library's place here: the driver's go through to it, a life's come from memory
 * shared with the lives before it, which is there already. A block has a mark before it, so that what is freed twice or written over is noticed (abort()).
 * Left out with AddressSanitizer, which looks closer.
 */
#ifndef SENGEN_TESTS_HEAP_H
#define SENGEN_TESTS_HEAP_H

void heap_new(void); /* by a worker, once */
void heap_enter(void); /* by a life, first of all */

#endif
