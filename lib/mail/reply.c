#include "lib/mail/reply.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

const char *smtp_phase_name(enum smtp_phase phase)
{
	static const char *const names[] = {
		[PHASE_CONNECT] = "connect",
		[PHASE_TLS] = "tls",
		[PHASE_AUTH] = "auth",
		[PHASE_MAIL] = "mail",
		[PHASE_RCPT] = "rcpt",
		[PHASE_DATA] = "data",
		[PHASE_DOT] = "dot",
		[PHASE_QUIT] = "quit",
	};
	return names[phase];
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* class "." subject "." detail (RFC 3463 2); its length, 0: none. */
static size_t enhanced_len(const char *text, size_t len)
{
	size_t at = 0;
	for (int part = 0; part < 3; part++) {
		size_t digits = 0;
		while (at < len && is_digit(text[at]) && digits < 3) {
			at++;
			digits++;
		}
		bool dot = at < len && text[at] == '.';
		if (digits == 0 || (part == 0 && digits > 1) || (part < 2 && !dot))
			return 0;
		at += part < 2;
	}
	return at == len || text[at] == ' ' ? at : 0;
}

void reply_add_line(struct reply *reply, const char *line, size_t len)
{
	while (len && (line[len - 1] == '\r' || line[len - 1] == '\n'))
		len--;
	if (len < 3 || !is_digit(line[0]) || !is_digit(line[1]) || !is_digit(line[2]))
		return;
	if (reply->complete)
		*reply = (struct reply){0};
	reply->code = (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
	reply->complete = len == 3 || line[3] != '-';
	line += len > 3 ? 4 : 3;
	len -= len > 3 ? 4 : 3;
	size_t enhanced = enhanced_len(line, len);
	if (enhanced) {
		snprintf(reply->enhanced, sizeof reply->enhanced, "%.*s", (int)enhanced, line);
		line += enhanced;
		len -= enhanced;
	}
	while (len && *line == ' ') {
		line++;
		len--;
	}
	size_t used = strlen(reply->text);
	if (len)
		snprintf(reply->text + used, sizeof reply->text - used, "%s%.*s", used ? " " : "", (int)len,
			line);
}

/* A refusal that speaks of us and not of the recipient or the mail: login wanted, or, at RCPT, where servers also say what they had against client and sender
 * before (Postfix, smtpd_delay_reject): no right to relay, the sender's address, our name. Of X.1.x 7 and 8 are said of the sender, the others of
 * the recipient (RFC 3463 3.2); what an address is called says nothing. */
static bool speaks_of_us(enum smtp_phase phase, const struct reply *reply)
{
	static const char *const of_client[] = {
		"sender address rejected", "client host rejected", "helo command rejected"};
	if (reply->code == 503 || reply->code == 530 || reply->code == 535 || reply->code == 538)
		return true;
	if (phase != PHASE_RCPT)
		return false;
	const char *detail = reply->enhanced[0] ? reply->enhanced + 1 : "";
	if (strcmp(detail, ".1.7") == 0 || strcmp(detail, ".1.8") == 0)
		return true;
	char words[sizeof reply->text];
	reply_print(words, sizeof words, reply->text, NULL);
	for (size_t i = 0; i < sizeof of_client / sizeof *of_client; i++)
		if (strcasestr(words, of_client[i]))
			return true;
	bool may_be_relay = reply->code == 454 || reply->code / 10 == 55;
	return may_be_relay && strncmp(detail, ".1.", 3) != 0 && strcasestr(words, "relay") != NULL;
}

enum outcome reply_outcome(enum smtp_phase phase, const struct reply *reply, bool dot_left)
{
	int code = reply->code;
	int class = code / 100;
	if (phase <= PHASE_AUTH)
		return OUTCOME_FAULT;
	if (code == 0)
		return phase >= PHASE_DOT && dot_left ? OUTCOME_UNKNOWN : OUTCOME_NOT_SENT;
	if (code == 421)
		return OUTCOME_FAULT;
	if (phase >= PHASE_DOT && class == 2)
		return OUTCOME_ACCEPTED;
	if (class == 4)
		return speaks_of_us(phase, reply) ? OUTCOME_FAULT : OUTCOME_TEMPORARY;
	if (class != 5)
		return OUTCOME_FAULT;
	if (phase == PHASE_MAIL)
		return code == 552 ? OUTCOME_PERMANENT
				   : OUTCOME_FAULT; /* 552: this mail is over SIZE (RFC 1870) */
	return speaks_of_us(phase, reply) ? OUTCOME_FAULT : OUTCOME_PERMANENT;
}

/* ---- printing ---- */

static bool is_address_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) ||
	       (c && strchr(".!#$%&'*+/=?^_`{|}~-\"@", c)) || (unsigned char)c >= 0x80;
}

void reply_print(char *out, size_t size, const char *text, const char *recipient)
{
	static const char mask[] = "<…>";
	struct str line = STR_INIT;
	size_t local_len = recipient ? strcspn(recipient, "@") : 0;
	if (recipient && recipient[0] == '"' && local_len > 2) { /* "a..b"@…: servers may print it bare */
		recipient++;
		local_len -= 2;
	}
	for (const char *at = text; *at;) {
		size_t run = 0;
		bool has_at = false;
		while (is_address_char(at[run])) {
			has_at = has_at || at[run] == '@';
			run++;
		}
		size_t bare = run;
		while (bare && strchr(".!?'\"", at[bare - 1]))
			bare--;
		bool is_local = local_len >= 3 && (run == local_len || bare == local_len) &&
				strncasecmp(at, recipient, local_len) == 0;
		if (has_at || is_local) {
			bool bracketed = line.len && line.s[line.len - 1] == '<' && at[run] == '>';
			if (bracketed)
				str_cut(&line, line.len - 1);
			str_addz(&line, mask);
			at += run + bracketed;
		} else if (run) {
			for (size_t i = 0; i < run; i++)
				str_addc(&line, (unsigned char)at[i] < 0x80 ? at[i] : '.');
			at += run;
		} else {
			str_addc(&line, *at >= ' ' && *at <= '~' ? *at : ' ');
			at++;
		}
	}
	/* A mask at the end is kept whole or left out. */
	size_t fits = line.len < size ? line.len : size - 1;
	while (fits < line.len && fits && ((unsigned char)line.s[fits] & 0xc0) == 0x80)
		fits--;
	memcpy(out, line.s, fits);
	out[fits] = '\0';
	str_free(&line);
}
