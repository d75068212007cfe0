#include "ctl/ctl.h"
#include "lib/flow/ident.h"

const char *masked_text(struct ctl *ctl, const char *text)
{
	struct str out = STR_INIT;
	ident_mask(&out, text);
	const char *copy = pool_strdup(ctl->pool, out.s);
	str_free(&out);
	return copy;
}
