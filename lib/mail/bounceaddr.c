#include "lib/mail/bounceaddr.h"

#include <string.h>

#include "lib/base/mailaddr.h"

#define LOCAL_MAX 64
#define MAC_BYTES 7 /* 56 bits, of which 10 base32 characters show 50 */
#define MAC_CHARS 10

static void number_add(struct str *out, int64_t number)
{
	uint8_t bytes[8];
	size_t len = 0;
	for (int shift = 56; shift >= 0; shift -= 8) {
		uint8_t byte = (uint8_t)((uint64_t)number >> shift);
		if (byte || len)
			bytes[len++] = byte;
	}
	base32_add(out, bytes, len);
}

static void mac_add(struct str *out, int64_t notice_id, const void *key, size_t key_len)
{
	struct str what = STR_INIT, text = STR_INIT;
	uint8_t mac[SHA256_LEN];
	/* The key signs other things too: what is signed begins with what it is. */
	str_printf(&what, "bounce address %lld", (long long)notice_id);
	hmac_sha256(mac, key, key_len, what.s, what.len);
	base32_add(&text, mac, MAC_BYTES);
	str_add(out, text.s, MAC_CHARS);
	str_free(&text);
	str_free(&what);
}

enum rc bounceaddr_make(struct str *out, const char *base, int64_t notice_id, const void *key, size_t key_len,
	struct err *err)
{
	struct mailaddr mailbox;
	if (mailaddr_read(&mailbox, base) != MAILADDR_OK)
		return err_set(err, RC_CONFIG,
			"bounce_mail is not a mail address; set it to the mailbox that takes bounces, such "
			"as "
			"bounce@sa.example.jp");
	struct str tag = STR_INIT;
	str_addz(&tag, "+b");
	number_add(&tag, notice_id);
	str_addc(&tag, '.');
	mac_add(&tag, notice_id, key, key_len);
	enum rc rc = RC_OK;
	if (notice_id <= 0)
		rc = err_set(err, RC_REFUSED, "a bounce address needs the number of a notice");
	else if (strlen(mailbox.local) + tag.len > LOCAL_MAX)
		rc = err_set(err, RC_CONFIG,
			"the part of bounce_mail before the @ is too long: with the notice's mark it may "
			"have at most %d "
			"characters; shorten it to %d",
			LOCAL_MAX, LOCAL_MAX - (int)tag.len);
	else
		str_printf(out, "%s%s@%s", mailbox.local, tag.s, mailbox.domain);
	str_free(&tag);
	return rc;
}

static int64_t number_read(const char *text, size_t len)
{
	struct str bytes = STR_INIT;
	uint64_t number = 0;
	if (!base32_read(&bytes, text, len) || bytes.len == 0 || bytes.len > 8)
		bytes.len = 0;
	for (size_t i = 0; i < bytes.len; i++)
		number = number << 8 | (uint8_t)bytes.s[i];
	str_free(&bytes);
	return number > INT64_MAX ? 0 : (int64_t)number;
}

int64_t bounceaddr_read(const char *address, const char *base, const void *key, size_t key_len)
{
	struct mailaddr mailbox;
	if (mailaddr_read(&mailbox, address) != MAILADDR_OK)
		return 0;
	char *tag = NULL;
	for (char *c = mailbox.local; *c; c++) {
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
		if (c[0] == '+' && (c[1] == 'b' || c[1] == 'B'))
			tag = c + 2;
	}
	const char *dot = tag ? strchr(tag, '.') : NULL;
	int64_t id = dot ? number_read(tag, (size_t)(dot - tag)) : 0;
	if (id <= 0)
		return 0;

	/* Made anew and compared whole: mailbox, number and signature in one go, and no second spelling passes. */
	struct str want = STR_INIT, want_key = STR_INIT, got_key = STR_INIT;
	struct mailaddr want_mailbox;
	struct err err;
	bool ours = bounceaddr_make(&want, base, id, key, key_len, &err) == RC_OK &&
		    mailaddr_read(&want_mailbox, want.s) == MAILADDR_OK;
	if (ours) {
		mailaddr_key(&want_key, &want_mailbox);
		mailaddr_key(&got_key, &mailbox);
		ours = want_key.len == got_key.len && bytes_equal(want_key.s, got_key.s, want_key.len);
	}
	str_free(&want);
	str_free(&want_key);
	str_free(&got_key);
	return ours ? id : 0;
}
