/* The scheduler finds nothing due. */
#include "lib/office/office.h"

enum rc office_run_due(struct office *office, int limit, struct step_result *result, struct err *err)
{
	(void)office, (void)limit, (void)err;
	*result = (struct step_result){.next_at = UTC_NEVER};
	return RC_OK;
}
