/* What staff decide about the office as a whole: its questions, its pauses. */
#include "daemon/control_p.h"

enum rc command_release_ceiling(struct control_request *request, struct err *err)
{
	return office_release_ceiling(&request->ctx->office, request->actor, err);
}

enum rc command_release_restored(struct control_request *request, struct err *err)
{
	return office_release_restored(&request->ctx->office, request->actor, err);
}
