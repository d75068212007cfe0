/* What a client writes on the control socket, whoever it is: each line is answered, and nobody without the right changes anything. */
#include <stdio.h>
#include <unistd.h>

#include "daemon/control_p.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/text.h"
#include "tests/fuzz/fuzz.h"

static struct role_context ctx;
static struct application sample;

static void open_office(void)
{
	char here[256], conf[1024];
	struct err err = {0};
	uint8_t digest[SHA256_LEN] = {0};
	if (ctx.settings)
		return;
	log_open("fuzz", LEVEL_BROKEN);
	MUST(getcwd(here, sizeof here));
	int len = snprintf(conf, sizeof conf,
		"spool_directory = \"spool\"; state_directory = \"state\"; runtime_directory = \"run\";\n"
		"template_directory = \"%s/templates/mail\";\n"
		"profile_files = ( \"%s/config/profiles/form.conf\" );\n"
		"contact_mail = \"office@sa.example.jp\";\n",
		here, here);
	const char *path = fuzz_file("sengend.conf", conf, (size_t)len);
	ctx = (struct role_context){.clock = clock_system(), .rng = rng_seeded(1), .zygote = ZYGOTE_NONE};
	if (role_prepare_one(&ctx, &role_control, path, &err) || role_open(&ctx, false, true, &err)) {
		(void)fprintf(stderr, "%s\n", err.text);
		abort();
	}
	struct store *store = ctx.office.store;
	sample = (struct application){.state = STATE_RECEIVED,
		.hold_reason = "",
		.kind = KIND_NEW1,
		.type = APPLICANT_CORPORATION,
		.star = 1,
		.profile = "form",
		.received_at = 1780000000,
		.applied_on = 20600,
		.clock_start = 20600,
		.stage = 1,
		.id_issued_on = CIVIL_DAY_NONE,
		.logo_authorized_on = CIVIL_DAY_NONE,
		.stopped_on = CIVIL_DAY_NONE,
		.row = 1};
	for (int field = 0; field < FIELD_COUNT; field++)
		sample.form.value[field] = "";
	sample.form.value[FIELD_BUSINESS_NAME] = "株式会社サンプル";
	sample.form.value[FIELD_MAIL] = "info@sample.example.co.jp";
	MUST(store_begin(store, &err) == RC_OK);
	MUST(application_add(store, &sample, NULL, NULL, digest, &err) == RC_OK);
	MUST(store_commit(store, &err) == RC_OK);
}

/* One JSON object a line, as the contract has it. */
static void check_answers(const char *text)
{
	must_be_text(text);
	while (*text) {
		size_t len = strcspn(text, "\n");
		json_error_t error;
		MUST(text[len] == '\n');
		json_t *json = json_loadb(text, len, 0, &error);
		MUST(json_is_boolean(json_object_get(json, "ok")));
		json_decref(json);
		text += len + 1;
	}
}

/* The first byte is the peer's right; then lines, as control.c parts them. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err = {0};
	if (size == 0)
		return 0;
	open_office();
	struct control_import import = {0};
	struct control_peer peer = {
		.uid = 1000, .actor = "staff:1000(yamada)", .right = (enum right)(data[0] % 5)};
	struct str out = STR_INIT;
	int64_t before = 0, after = 0;
	uint8_t hash[SHA256_LEN];
	MUST(history_head(ctx.office.store, &before, hash, &err) == RC_OK);
	for (size_t at = 1; at < size;) {
		const uint8_t *end = memchr(data + at, '\n', size - at);
		size_t len = end ? (size_t)(end - data) - at : size - at;
		control_request(&ctx, &import, &peer, (const char *)data + at, len, &out);
		at += len + 1;
	}
	control_import_drop(&import);
	check_answers(out.s);
	MUST(!store_in_transaction(ctx.office.store));
	MUST(history_head(ctx.office.store, &after, hash, &err) == RC_OK);
	MUST(peer.right > RIGHT_READ || after == before);
	str_free(&out);
	return 0;
}
