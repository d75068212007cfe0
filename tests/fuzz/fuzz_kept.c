/* What the program itself wrote and reads back, after a disk or a hand has altered it. */
#include "lib/desk/public_p.h"
#include "lib/desk/sent_log.h"
#include "lib/mail/letter.h"
#include "lib/mail/mask.h"
#include "lib/mail/reread.h"
#include "lib/mail/transport.h"
#include "tests/fuzz/fuzz.h"

#include <sys/stat.h>

static const uint8_t key[SEAL_KEY_LEN] = "0123456789abcdef0123456789abcde";
static const char dictionary[] = "自己宣言IDのお知らせ 様 このたびは、SECURITY ACTIONにお申込みいただき";

/* Nothing but the very letter comes out of a packed one. */
static void check_packed(const uint8_t *data, size_t size)
{
	struct str wire = STR_INIT, packed = STR_INIT;
	struct err err = {0};
	enum rc rc = letter_unpack(&wire, data, size, dictionary, sizeof dictionary, key, &err);
	MUST(rc == RC_OK || ((rc == RC_STORE || rc == RC_CONFIG) && *err.text));
	MUST(wire.len <= (size_t)64 << 20);
	str_free(&wire);
	str_free(&packed);
}

/* Any mail of ours comes back byte for byte. */
static void check_letter(const uint8_t *data, size_t size)
{
	static const char *const secrets[] = {"9012345678", "geheim", NULL};
	struct letter_secrets seal = {.key = key, .rng = NULL, .secret = secrets};
	struct rng rng = rng_seeded(1);
	struct str packed = STR_INIT, wire = STR_INIT;
	struct err err = {0};
	seal.rng = &rng;
	struct letter_model *model = letter_model_new(7, dictionary, sizeof dictionary);
	if (letter_pack(&packed, (const char *)data, size, model, &seal, &err) == RC_OK) {
		MUST(letter_unpack(&wire, packed.s, packed.len, dictionary, sizeof dictionary, key, &err) ==
			RC_OK);
		MUST(wire.len == size && memcmp(wire.s, data, size) == 0);
	}
	letter_model_free(&model);
	str_free(&packed);
	str_free(&wire);
}

static void check_reread(const uint8_t *data, size_t size)
{
	struct str subject = STR_INIT, body = STR_INIT;
	struct err err = {0};
	if (reread(&subject, &body, (const char *)data, size, &err) == RC_OK) {
		must_be_text(subject.s);
		must_be_text(body.s);
		MUST(!strchr(subject.s, '\n'));
	}
	str_free(&subject);
	str_free(&body);
}

static enum rc each_line(void *ctx, const struct sent_log_line *line, struct err *err)
{
	(void)ctx;
	(void)err;
	MUST(line->at >= 1767225600 && line->at < 1769904000 && line->notice_id >= 0 &&
		line->reply_code >= 0);
	return RC_OK;
}

static void check_log(const uint8_t *data, size_t size)
{
	static char directory[128];
	struct settings settings = {.state_directory = directory};
	struct err err = {0};
	if (!*directory) {
		struct str sent = STR_INIT;
		str_printf(&sent, "%s/sent", fuzz_directory());
		MUST(mkdir(sent.s, 0700) == 0);
		str_free(&sent);
		(void)snprintf(directory, sizeof directory, "%s", fuzz_directory());
	}
	(void)fuzz_file("sent/2026-01.log", data, size);
	MUST(sent_log_each(&settings, 1767225600, 1769904000, each_line, NULL, &err) == RC_OK);
}

static void check_public_state(const uint8_t *data, size_t size)
{
	struct public_state state;
	struct err err = {0};
	(void)fuzz_file(PUBLIC_STATE_FILE, data, size);
	if (public_state_read(fuzz_directory(), &state, &err) == RC_OK)
		MUST(!strchr(state.data, '/') && state.data[0] != '.' &&
			strlen(state.data) < sizeof state.data);
}

static void check_mask(const uint8_t *data, size_t size)
{
	struct mask mask = {0}, again = {0};
	struct str text = STR_INIT, kept = STR_INIT, twice = STR_INIT, shown = STR_INIT;
	str_add(&text, data, size);
	mask_read(&mask, text.s);
	MUST(mask.count >= 0 && mask.count <= MASK_PASSWORDS);
	mask_print(&kept, &mask);
	mask_read(&again, kept.s);
	mask_print(&twice, &again);
	MUST(strcmp(kept.s, twice.s) == 0);
	mask_add(&shown, &mask, text.s);
	struct rng rng = rng_seeded(2);
	(void)mask_learn(&mask, "geheim12", &rng);
	str_clear(&shown);
	str_addz(&text, "geheim12");
	mask_add(&shown, &mask, text.s);
	MUST(!strstr(shown.s, "geheim12") || memchr(data, 0, size));
	str_free(&text);
	str_free(&kept);
	str_free(&twice);
	str_free(&shown);
}

/* The first byte chooses what it is. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const kinds[])(const uint8_t *, size_t) = {
		check_packed, check_letter, check_reread, check_log, check_public_state, check_mask};
	if (size > 0)
		kinds[data[0] % (sizeof kinds / sizeof *kinds)](data + 1, size - 1);
	return 0;
}
