#include "lib/base/host.h"

#include <string.h>
#include <unistd.h>

#include "lib/base/crypt.h"
#include "lib/base/file.h"

#define ID_LEN 16
#define MACHINE_ID_MAX 64 /* 32 hexadecimal digits and a line's end, machine-id(5) */

/* Of our own making. */
static const uint8_t register_id[ID_LEN] = {
	0x6b, 0x1f, 0x0c, 0x52, 0x8e, 0x3d, 0x4a, 0x97, 0xb0, 0x64, 0xd1, 0x7c, 0x2e, 0x95, 0x83, 0xfa};

static bool read_machine_id(uint8_t out[ID_LEN])
{
	struct str text = STR_INIT;
	struct err err = {0};
	static const uint8_t none[ID_LEN];
	bool good =
		file_read(&text, "/etc/machine-id", MACHINE_ID_MAX, &err) == RC_OK && text.len >= 2 * ID_LEN;
	if (good)
		str_cut(&text, 2 * ID_LEN);
	good = good && hex_read(out, ID_LEN, text.s) && memcmp(out, none, ID_LEN) != 0;
	str_free(&text);
	return good;
}

/*
 * As sd_id128_get_machine_app_specific(3) reckons it: the HMAC-SHA256 of the application's ID under the machine's, marked as a version 4 UUID. Loading the library
 * would be a fifth of what a short command takes.
 */
void host_identity(struct str *out)
{
	uint8_t machine[ID_LEN], digest[SHA256_LEN];
	if (read_machine_id(machine)) {
		hmac_sha256(digest, machine, sizeof machine, register_id, sizeof register_id);
		digest[6] = (uint8_t)((digest[6] & 0x0F) | 0x40);
		digest[8] = (uint8_t)((digest[8] & 0x3F) | 0x80);
	} else {
		char name[256] = "";
		(void)gethostname(name, sizeof name - 1);
		sha256(digest, name, strlen(name));
	}
	hex_add(out, digest, ID_LEN);
}
