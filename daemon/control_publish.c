/* A public list that a person wrote with sengenctl publish: {"command":"record-list","rows":12,"digest":"…"}. */
#include "daemon/control_p.h"
#include "lib/desk/public_list.h"

enum rc command_record_list(struct control_request *request, struct err *err)
{
	const json_t *rows = json_object_get(request->json, "rows");
	const char *digest = json_string_value(json_object_get(request->json, "digest"));
	struct public_written written = {.rows = json_integer_value(rows)};
	if (!json_is_integer(rows) || written.rows < 0)
		return control_usage(err, "\"rows\" must be a number from 0 on.");
	if (!digest || !hex_read(written.digest, sizeof written.digest, digest))
		return control_usage(err, "\"digest\" must be 64 hex digits.");
	request->done_ja = "一覧を作ったことを履歴に記録しました。";
	return public_list_record(&request->ctx->office, &written, request->actor, err);
}
