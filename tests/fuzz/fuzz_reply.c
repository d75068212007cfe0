/* What a mail server answers, line by line, at any phase of a session. */
#include "lib/mail/reply.h"
#include "lib/mail/retry.h"
#include "tests/fuzz/fuzz.h"

static void check_outcome(enum smtp_phase phase, const struct reply *reply, bool dot_left)
{
	enum outcome outcome = reply_outcome(phase, reply, dot_left);
	MUST(outcome_name(outcome));
	/* Nothing but a 2xx behind the dot says that the server has the mail. */
	MUST(outcome != OUTCOME_ACCEPTED || (phase == PHASE_DOT && reply->code / 100 == 2) ||
		phase == PHASE_QUIT);
	/* What is known about the recipient comes from an answer. */
	MUST((outcome != OUTCOME_PERMANENT && outcome != OUTCOME_TEMPORARY) || reply->code >= 400);

	static const struct retry_policy policy = {
		.first_seconds = 300, .last_seconds = 14400, .lifetime_seconds = 432000, .fault_seconds = 60};
	struct delivery delivery = {
		.outcome = outcome, .reply_code = reply->code, .phase = smtp_phase_name(phase)};
	memcpy(delivery.enhanced, reply->enhanced, sizeof delivery.enhanced);
	reply_print(delivery.reply, sizeof delivery.reply, reply->text, "taro@example.co.jp");
	must_be_line(delivery.reply);
	MUST(!strchr(delivery.reply, '@'));
	int64_t pause = retry_pause(&policy, &delivery, reply->code % 40 + 1);
	MUST(pause > 0 && pause <= policy.last_seconds);
}

/* The first byte is the phase; then lines. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	enum smtp_phase phase = (enum smtp_phase)(data[0] % (PHASE_QUIT + 1));
	bool dot_left = data[0] & 0x80;
	struct reply reply = {0};
	for (size_t at = 1; at < size;) {
		const uint8_t *end = memchr(data + at, '\n', size - at);
		size_t len = end ? (size_t)(end - data) - at + 1 : size - at;
		char *line = xmalloc(len);
		memcpy(line, data + at, len);
		reply_add_line(&reply, line, len);
		free(line);
		at += len;
		MUST(strnlen(reply.text, sizeof reply.text) < sizeof reply.text);
		MUST(strspn(reply.enhanced, "0123456789.") == strlen(reply.enhanced));
		MUST(reply.code >= 0 && reply.code <= 999);
	}
	check_outcome(phase, &reply, dot_left);
	return 0;
}
