/* sengen-reader - the zygote of whatever reads bytes from outside: form files, mails. It has no network and, from its first child on, no files. */
#include <jansson.h>
#include <stdlib.h>
#include <unistd.h>

#include "daemon/wire.h"
#include "daemon/zygote_serve.h"
#include "lib/base/civil.h"
#include "lib/base/heap.h"
#include "lib/base/text.h"
#include "lib/mail/received.h"

static struct { /* what its children find ready */
	struct fieldmap *map;
	struct request_rules *rules; /* NULL: it makes no mail children */
	struct err fault; /* of making them ready */
} ready;

static void prepare(unsigned children)
{
	struct err unheard = {0};
	const char *zone = getenv("TZ"); /* the office's, from the role */
	if (zone)
		(void)civil_zone_set(zone, &unheard);
	text_preload();
	json_object_seed(0);
	if (children & CHILD_BIT(CHILD_MAIL))
		(void)received_prepare(&ready.rules, &ready.fault);
}

/* text NULL: the built-in one. The role reads the file: the zygote may be past opening any. */
static void load_map(const char *name, const char *text)
{
	struct err err = ready.fault;
	struct fieldmap *fresh = NULL;
	if (!err.rc)
		(void)(text ? fieldmap_load_text(&fresh, text, name, &err)
			    : fieldmap_load(&fresh, NULL, &err));
	if (err.rc) {
		zygote_answer(err.rc, err.text);
		return;
	}
	if (ready.map)
		fieldmap_free(&ready.map);
	ready.map = fresh;
	zygote_answer(RC_OK, NULL);
}

static void serve(int type, const char *payload, size_t len)
{
	if (type != WIRE_FIELDMAP)
		return;
	struct wire_reader reader = {payload, payload + len, false};
	struct pool *pool = pool_new();
	const char *name = wire_get_text(&reader, pool);
	load_map(name, wire_get_text(&reader, pool));
	pool_free(&pool);
	heap_settle();
}

_Noreturn static void child(enum child_kind kind, int fd)
{
	if (kind == CHILD_FORM && ready.map)
		form_child_main(fd, ready.map);
	if (kind == CHILD_MAIL && ready.rules)
		mail_child_main(fd, ready.rules);
	_exit(RC_USAGE);
}

int main(int argc, char **argv)
{
	static const struct zygote_program program = {
		"sengen-reader", CONFINED_ZYGOTE, CHILD_READERS, prepare, child, serve};
	zygote_serve(&program, argc, argv);
}
