/* A disk that says it synced and did not. */
#include "tests/faults/disk_p.h"

void disk_synced(struct disk_file *file)
{
	(void)file;
}
