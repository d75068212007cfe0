/* part_kind.c - the kinds of part, told by their bytes */
#include "lib/mail/message.h"

#include <string.h>

const char *part_kind_name(enum part_kind kind)
{
	static const char *const names[] = {
		[PART_TEXT] = "text",
		[PART_HTML] = "html",
		[PART_DOCX] = "docx",
		[PART_DOCM] = "docm",
		[PART_XLSX] = "xlsx",
		[PART_ODT] = "odt",
		[PART_OLE] = "ole",
		[PART_RTF] = "rtf",
		[PART_PDF] = "pdf",
		[PART_IMAGE] = "image",
		[PART_ZIP] = "zip",
		[PART_ZIP_ENCRYPTED] = "zip-encrypted",
		[PART_TNEF] = "tnef",
		[PART_MESSAGE] = "message",
		[PART_DELIVERY_STATUS] = "delivery-status",
		[PART_DISPOSITION_NOTIFICATION] = "disposition-notification",
		[PART_SIGNATURE] = "signature",
		[PART_CALENDAR] = "calendar",
		[PART_OTHER] = "other",
	};
	return names[kind];
}

static bool begins(const char *bytes, size_t len, const char *magic, size_t magic_len)
{
	return len >= magic_len && memcmp(bytes, magic, magic_len) == 0;
}

static bool holds(const char *bytes, size_t len, const char *word)
{
	return memmem(bytes, len, word, strlen(word)) != NULL;
}

/* The names in a ZIP stand in its local headers and its directory in the clear, even when the contents are encrypted. */
static enum part_kind zip_kind(const char *bytes, size_t len)
{
	bool encrypted = len > 8 && ((unsigned char)bytes[6] & 1u);
	if (encrypted)
		return PART_ZIP_ENCRYPTED;
	if (holds(bytes, len, "vbaProject.bin"))
		return PART_DOCM;
	if (holds(bytes, len, "xl/workbook"))
		return PART_XLSX;
	if (holds(bytes, len < 200 ? len : 200, "mimetypeapplication/vnd.oasis.opendocument"))
		return PART_ODT;
	if (holds(bytes, len, "[Content_Types].xml") &&
		(holds(bytes, len, "word/") || holds(bytes, len, "document")))
		return PART_DOCX;
	return PART_ZIP;
}

static enum part_kind kind_by_type(const char *type)
{
	static const struct {
		const char *type;
		enum part_kind kind;
	} types[] = {
		{"text/html", PART_HTML},
		{"application/xhtml+xml", PART_HTML},
		{"message/rfc822", PART_MESSAGE},
		{"message/global", PART_MESSAGE},
		{"text/rfc822-headers", PART_MESSAGE},
		{"message/global-headers", PART_MESSAGE},
		{"message/delivery-status", PART_DELIVERY_STATUS},
		{"message/global-delivery-status", PART_DELIVERY_STATUS}, /* RFC 6533 */
		{"message/disposition-notification", PART_DISPOSITION_NOTIFICATION},
		{"message/global-disposition-notification", PART_DISPOSITION_NOTIFICATION},
		{"application/pkcs7-signature", PART_SIGNATURE},
		{"application/x-pkcs7-signature", PART_SIGNATURE},
		{"application/pgp-signature", PART_SIGNATURE},
		{"application/ms-tnef", PART_TNEF},
		{"application/vnd.ms-tnef", PART_TNEF},
		{"text/calendar", PART_CALENDAR},
	};
	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (strcmp(types[i].type, type) == 0)
			return types[i].kind;
	if (str_has_prefix(type, "image/"))
		return PART_IMAGE;
	return str_has_prefix(type, "text/") ? PART_TEXT : PART_OTHER;
}

enum part_kind part_kind_tell(const char *bytes, size_t len, const char *declared_type)
{
	static const struct {
		const char *magic;
		size_t len;
		enum part_kind kind;
	} magics[] = {
		{"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", 8, PART_OLE},
		{"%PDF-", 5, PART_PDF},
		{"{\\rtf", 5, PART_RTF},
		{"\x78\x9F\x3E\x22", 4, PART_TNEF},
		{"\xFF\xD8\xFF", 3, PART_IMAGE},
		{"\x89PNG", 4, PART_IMAGE},
		{"GIF8", 4, PART_IMAGE},
		{"BM", 2, PART_IMAGE},
		{"II*\0", 4, PART_IMAGE},
		{"MM\0*", 4, PART_IMAGE},
	};
	if (begins(bytes, len, "PK\003\004", 4) || begins(bytes, len, "PK\005\006", 4))
		return zip_kind(bytes, len);
	for (size_t i = 0; i < sizeof magics / sizeof *magics; i++)
		if (begins(bytes, len, magics[i].magic, magics[i].len) &&
			(magics[i].len > 2 || str_has_prefix(declared_type, "image/")))
			return magics[i].kind;
	if (len > 12 && memcmp(bytes + 4, "ftyphei", 7) == 0)
		return PART_IMAGE;
	return kind_by_type(declared_type);
}
