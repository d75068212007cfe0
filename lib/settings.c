#include "lib/settings.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/mailaddr.h"
#include "lib/base/text.h"
#include "lib/mail/dkim.h"

#define CERTIFICATES_LIMIT (64 * 1024)

/* ---- what a text must be ---- */

static const char *check_mail(const char *text)
{
	struct mailaddr addr;
	return mailaddr_read(&addr, text) == MAILADDR_OK ? NULL : "must be one mail address";
}

static const char *check_domain(const char *text)
{
	struct mailaddr addr;
	struct str mail = STR_INIT;
	str_printf(&mail, "x@%s", text);
	bool good = mailaddr_read(&addr, mail.s) == MAILADDR_OK;
	str_free(&mail);
	return good ? NULL : "must be a domain name";
}

static const char *check_recipient(const char *text)
{
	return text[0] == '@' ? check_domain(text + 1) : check_mail(text);
}

static const char *check_line(const char *text)
{
	return text_has_control(text) ? "must be one line without control characters" : NULL;
}

static const char *check_zone(const char *text)
{
	return civil_zone_exists(text) ? NULL : "must be a time zone of the system's database (tzdata)";
}

static const char *check_day(const char *text)
{
	utc_time at;
	return strlen(text) == 10 && civil_time_read(text, &at) ? NULL : "must be a day such as 2026-11-22";
}

static const char *check_time_of_day(const char *text)
{
	bool good = strlen(text) == 5 && text[2] == ':' && strspn(text, "0123456789:") == 5 &&
		    settings_minutes(text) < 24 * 60 && text[3] < '6';
	return good ? NULL : "must be a time of day such as 08:30";
}

static const char *check_field(const char *text)
{
	return form_field_by_key(text) != FIELD_COUNT ? NULL
						      : "must be a field of the form, such as prefecture";
}

static const char *check_batch_reason(const char *text)
{
	for (int reason = BATCH_TEMPLATES; reason <= BATCH_STAGES; reason++)
		if (strcmp(batch_reason_name((enum batch_reason)reason), text) == 0)
			return NULL;
	return "must be templates, receipts or stages";
}

static const char *check_hours(const char *text)
{
	struct calendar calendar = {0};
	struct err err;
	bool good = calendar_hours_read(&calendar, text, &err) == RC_OK;
	return good ? NULL : "must be office hours such as 09:30-17:00, or empty";
}

static const char *check_path(const char *text)
{
	return *text && !text_has_control(text) ? NULL : "must be a path";
}

/* ---- the table ---- */

#define KEY(kind, key, ...)                                                                                  \
	{                                                                                                    \
		.name = #key, .type = (kind), .offset = offsetof(struct RECORD, key), __VA_ARGS__            \
	}
#define TEXT(key, default_value, meaning)                                                                    \
	KEY(CONF_STRING, key, .fallback = (default_value), .help = (meaning))
#define CHECKED(key, default_value, checked_by, meaning)                                                     \
	KEY(CONF_STRING, key, .fallback = (default_value), .help = (meaning), .check = (checked_by))
#define NUMBER(key, default_value, least, most, meaning)                                                     \
	KEY(CONF_INT, key, .fallback = (default_value), .min = (least), .max = (most), .help = (meaning))
#define SMALL(key, default_value, least, most, meaning)                                                      \
	KEY(CONF_INT32, key, .fallback = (default_value), .min = (least), .max = (most), .help = (meaning))
#define FLAG(key, default_value, meaning) KEY(CONF_BOOL, key, .fallback = (default_value), .help = (meaning))
#define CHOICE(key, default_value, values, meaning)                                                          \
	KEY(CONF_CHOICE, key, .fallback = (default_value), .choices = (values), .help = (meaning))
#define LINE_OF_GROUP KEY(CONF_LINE, line, .fallback = NULL)

static const char *const tls_modes[] = {
	[TLS_IMPLICIT] = "implicit", [TLS_STARTTLS] = "starttls", [TLS_NONE] = "none", NULL};
static const char *const auth_modes[] = {[AUTH_NONE] = "none",
	[AUTH_PLAIN] = "plain",
	[AUTH_LOGIN] = "login",
	[AUTH_XOAUTH2] = "xoauth2",
	NULL};
static const char *const charsets[] = {[CHARSET_UTF8] = "utf-8", [CHARSET_ISO_2022_JP] = "iso-2022-jp", NULL};

#define RECORD transport_settings
static const struct conf_key transport_keys[] = {
	FLAG(maildir, "true", "deliver into a Maildir instead of a mail server"),
	CHECKED(path, conf_null, check_path, "the Maildir; default: maildir below state_directory"),
	TEXT(host, conf_null, "name of the mail server"),
	SMALL(port, "587", 1, 65535, "TCP port of the mail server"),
	CHOICE(tls, "starttls", tls_modes, "implicit (port 465), starttls or none"),
	CHECKED(ca_file, conf_null, check_path, "trusted certificates (PEM); default: the system's"),
	CHECKED(helo, conf_null, check_domain, "name given in EHLO; default: the host's name"),
	CHOICE(auth, "none", auth_modes, "none, plain, login or xoauth2"),
	CHECKED(user, conf_null, check_line, "user name at the mail server"),
	CHECKED(password_from, conf_null, check_path,
		"where the password (xoauth2: the token) is read: a file or credential:NAME"),
	SMALL(connect_seconds, "30", 1, 600, "seconds to wait for a connection"),
	SMALL(reply_seconds, "300", 1, 3600, "seconds to wait for a reply"),
	SMALL(dot_seconds, "600", 1, 3600, "seconds to wait for the reply to the final dot"),
	{0},
};
#undef RECORD

#define RECORD mailbox_settings
static const char *const mailbox_auth_modes[] = {[AUTH_NONE] = "none",
	[AUTH_PLAIN] = "plain",
	[AUTH_LOGIN] = "login",
	[AUTH_XOAUTH2] = "xoauth2",
	NULL};
static const struct conf_key mailbox_keys[] = {
	FLAG(maildir, "true", "read a Maildir instead of an IMAP server"),
	CHECKED(path, conf_null, check_path, "the Maildir; default: mailbox below state_directory"),
	TEXT(host, conf_null, "name of the IMAP server"),
	SMALL(port, "993", 1, 65535, "TCP port of the IMAP server"),
	CHOICE(tls, "implicit", tls_modes, "implicit (port 993), starttls or none"),
	CHECKED(ca_file, conf_null, check_path, "trusted certificates (PEM); default: the system's"),
	CHOICE(auth, "login", mailbox_auth_modes, "login or xoauth2"),
	CHECKED(user, conf_null, check_line, "user name at the IMAP server"),
	CHECKED(password_from, conf_null, check_path,
		"where the password (xoauth2: the token) is read: a file or credential:NAME"),
	CHECKED(inbox, "INBOX", check_line, "folder that is read"),
	CHECKED(done, "処理済み", check_line, "folder of mails that were dealt with"),
	CHECKED(review, "要確認", check_line, "folder of mails that a person must look at"),
	CHECKED(bounce, "バウンス", check_line, "folder of bounces"),
	CHECKED(sent, conf_null, check_line, "folder for copies of sent notices; default: none are kept"),
	SMALL(connect_seconds, "30", 1, 600, "seconds to wait for a connection"),
	SMALL(reply_seconds, "60", 1, 3600, "seconds to wait for a reply"),
	SMALL(idle_seconds, "1500", 10, 1740, "seconds after which IDLE is renewed"),
	NUMBER(message_bytes, "31457280", 1024, 67108864, "bytes of one mail; larger ones wait for a person"),
	{0},
};
#undef RECORD

#define RECORD policy_setting
static const char *const request_kinds[] = {[REQUEST_OTHER] = "other",
	[REQUEST_STOP] = "stop",
	[REQUEST_RESEND] = "resend",
	[REQUEST_CHANGE] = "change",
	[REQUEST_NEWS_UNSUBSCRIBE] = "news-unsubscribe",
	[REQUEST_ID_ENQUIRY] = "id-enquiry",
	[POLICY_STEP_UP] = "step-up",
	NULL};
static const char *const policy_actions[] = {
	[POLICY_ACT] = "act", [POLICY_GUIDE] = "guide", [POLICY_REVIEW] = "review", NULL};
static const struct conf_key policy_keys[] = {
	CHOICE(request, NULL, request_kinds,
		"stop, resend, change, news-unsubscribe, id-enquiry, step-up or other"),
	CHECKED(applied_before, conf_null, check_day, "only for declarations applied for before that day"),
	CHECKED(from, conf_null, check_day, "only for requests received from that day on"),
	CHOICE(action, NULL, policy_actions,
		"act: carry it out; guide: answer how to apply anew; review: ask staff"),
	LINE_OF_GROUP,
	{0},
};
#undef RECORD

#define RECORD form_limits
static const struct conf_key limit_keys[] = {
	NUMBER(file_bytes, "67108864", 1024, 1073741824, "bytes of one form file"),
	NUMBER(records, "200000", 1, 10000000, "records in one form file"),
	NUMBER(value_bytes, "8192", 64, 1048576, "bytes of one value"),
	NUMBER(columns, "200", 1, 10000, "columns of a CSV file"),
	{0},
};
#undef RECORD

#define RECORD dkim_setting
static const struct conf_key dkim_keys[] = {
	CHECKED(domain, NULL, check_domain, "signing domain (d=)"),
	CHECKED(selector, NULL, check_line, "selector (s=)"),
	CHECKED(key_from, NULL, check_path, "where the private key (PEM) is read: a file or credential:NAME"),
	LINE_OF_GROUP,
	{0},
};
#undef RECORD

#define RECORD smime_setting
static const struct conf_key smime_keys[] = {
	CHECKED(certificate, conf_null, check_path,
		"the office's S/MIME certificate (PEM): a file or credential:NAME; default: mails are not "
		"signed with S/MIME"),
	CHECKED(chain, conf_null, check_path,
		"the certificates between it and its root (PEM), nearest first: a file or credential:NAME; "
		"default: none"),
	CHECKED(key_from, conf_null, check_path,
		"where its private key (PEM) is read: a file or credential:NAME"),
	{0},
};
#undef RECORD

#define RECORD logo_setting
static const struct conf_key logo_keys[] = {
	NUMBER(star, NULL, 1, 2, "1: one star, 2: two stars"),
	CHECKED(from, "2000-01-01", check_day, "first day on which it is handed out"),
	CHECKED(url, NULL, check_line, "where the logo's ZIP file lies"),
	CHECKED(password_from, NULL, check_path,
		"where the ZIP file's password is read: a file or credential:NAME"),
	LINE_OF_GROUP,
	{0},
};
#undef RECORD

#define RECORD era_setting
static const struct conf_key era_keys[] = {
	CHECKED(from, NULL, check_day, "first day of the era"),
	TEXT(profile, NULL, "name of the profile in force from that day on"),
	LINE_OF_GROUP,
	{0},
};
#undef RECORD

#define RECORD rights_settings
static const struct conf_key rights_keys[] = {
	CHECKED(read, "sengen-staff", check_line, "may look, and use the control socket at all"),
	CHECKED(work, "sengen-staff", check_line, "may decide about applications and requests"),
	CHECKED(release, "sengen-release", check_line, "may let batches, ceilings and pauses go"),
	CHECKED(administer, "sengen-admin", check_line, "may erase, and take over a restored register"),
	{0},
};
#undef RECORD

#define RECORD retention_settings
static const struct conf_key retention_keys[] = {
	NUMBER(survey_days, "730", 0, 36500,
		"days from intake that answers of the survey are kept; 0: for ever"),
	NUMBER(mail_days, "365", 0, 36500, "days that received mails are kept; 0: for ever"),
	NUMBER(letter_days, "1095", 0, 36500,
		"days from the end of a declaration that its letters are kept; 0: for ever"),
	NUMBER(ended_days, "1825", 0, 36500,
		"days from the end of an application that its form is kept; 0: for ever"),
	NUMBER(file_days, "1095", 0, 36500, "days that form files are kept; 0: for ever"),
	NUMBER(refused_file_days, "90", 0, 36500,
		"days that form files of which nothing was registered are kept; 0: for ever"),
	NUMBER(public_days, "3650", 0, 36500,
		"days that is kept what the public list once said; 0: for ever"),
	{0},
};
#undef RECORD

static const char *const public_froms[] = {[PUBLIC_FROM_ID] = "id", [PUBLIC_FROM_LOGO] = "logo", NULL};

/* A list of groups: the address of field, a pointer to so many elements, lies in the settings. */
static void *element_add(void **list, size_t *count, size_t size)
{
	*list = xrealloc(*list, (*count + 1) * size);
	void *element = (char *)*list + *count * size;
	memset(element, 0, size);
	(*count)++;
	return element;
}

#define ELEMENT_ADD(name, list, number)                                                                      \
	static void *name(void *field)                                                                       \
	{                                                                                                    \
		struct settings *settings =                                                                  \
			(struct settings *)(void *)((char *)field - offsetof(struct settings, list));        \
		void *items = settings->list;                                                                \
		void *element = element_add(&items, &settings->number, sizeof *settings->list);              \
		settings->list = items;                                                                      \
		return element;                                                                              \
	}
ELEMENT_ADD(dkim_add, dkim, dkim_count)
ELEMENT_ADD(logo_add, logo, logo_count)
ELEMENT_ADD(era_add, era, era_count)
ELEMENT_ADD(policy_add, policy, policy_count)

#define RECORD settings
const struct conf_key settings_keys[] = {
	CHECKED(base_directory, conf_null, check_path,
		"other relative paths start here; default: the directory of the configuration file"),
	CHECKED(spool_directory, "/var/spool/sengen", check_path,
		"form files: incoming, accepted and rejected lie below"),
	CHECKED(state_directory, "/var/lib/sengen", check_path, "register, witness and keys"),
	CHECKED(runtime_directory, "/run/sengen", check_path, "sockets and locks"),
	CHECKED(template_directory, conf_null, check_path,
		"notices; default: templates/mail beside the configuration, else the installed ones"),
	CHECKED(store_path, "register.db", check_path, "the register; below state_directory"),
	CHECKED(witness_path, "witness", check_path,
		"remembers the highest history number; below state_directory"),

	CHECKED(zone, "Asia/Tokyo", check_zone, "the office's time zone"),
	CHECKED(office_name, "SECURITY ACTION事務局", check_line, "the office, as notices print it"),
	CHECKED(organization, "独立行政法人情報処理推進機構 (IPA)", check_line,
		"the organization, as notices print it"),
	CHECKED(department, "セキュリティセンター", check_line, "its department, as notices print it"),
	CHECKED(contact_mail, "security-action-info@ipa.go.jp", check_mail,
		"the office's address: printed, and Reply-To"),
	CHECKED(site_url, "https://security-shien.ipa.go.jp/security/index.html", check_line,
		"the declarers' site"),
	CHECKED(from_name, "SECURITY ACTION事務局", check_line, "display name of the sender"),
	CHECKED(from_mail, conf_null, check_mail, "address of the sender; default: contact_mail"),
	CHECKED(message_id_domain, conf_null, check_domain,
		"right side of Message-ID; default: the domain of from_mail"),
	CHECKED(bounce_mail, conf_null, check_mail,
		"mailbox that bounces go to, with +extension; default: from_mail"),
	FLAG(business_days, "true", "notices go out on office days only"),
	CHECKED(hours, "09:30-17:00", check_hours, "office hours; empty: at any hour"),
	CHECKED(calendar_overrides, conf_null, check_path,
		"file of days that are open or closed by exception"),

	CHECKED(form_fields, conf_null, check_path, "labels and choices of the form; default: built in"),
	KEY(CONF_GROUP, limits, .keys = limit_keys, .help = "limits of form files"),
	NUMBER(settle_seconds, "10", 0, 86400, "seconds a copied file must have been left alone"),
	NUMBER(rescan_seconds, "30", 1, 86400, "seconds between looks at the spool"),
	NUMBER(backdate_max, "14", 0, 3650,
		"days an application date may lie back before a person must look"),
	NUMBER(proxy_max, "5", 0, 1000000,
		"businesses behind one contact address before a person must look; 0: off"),
	CHECKED(terms_version, "", check_line, "version of the terms in force; empty: not checked"),
	FLAG(notify_refused, "false", "applicants of refused rows get a mail"),
	NUMBER(disk_floor_mib, "200", 0, 10485760, "MiB of free room below which intake pauses"),
	NUMBER(outbox_bound, "50000", 1, 100000000, "waiting notices above which intake pauses"),

	NUMBER(watchdog_seconds, "120", 5, 86400,
		"seconds without a sign of life before a role is started anew"),
	KEY(CONF_GROUP, rights, .keys = rights_keys, .help = "which group may do what"),

	KEY(CONF_LIST, profile_files, .check = check_path,
		.help = "profiles; default: form, site and instant as they come along"),
	KEY(CONF_GROUPS, era, .keys = era_keys, .add = era_add,
		.help = "profile by date of receipt; default: form on every date"),
	NUMBER(alarm_days, "2", 0, 365, "days before the latest day of a notice to raise an alarm"),
	NUMBER(ceiling_minimum, "100", 0, 10000000, "notices a day that never ask"),
	NUMBER(ceiling_percent, "150", 100, 100000,
		"percent of yesterday's forecast for today before staff are asked"),
	NUMBER(receipt_ceiling, "100000", 0, 10000000, "receipts a day before staff are asked"),

	CHECKED(wording, conf_null, check_path, "required and improper wording; default: built in"),
	CHOICE(charset, "utf-8", charsets, "utf-8, or iso-2022-jp where every character fits"),
	KEY(CONF_GROUP, transport, .keys = transport_keys, .help = "where mails are handed over"),
	KEY(CONF_LIST, allow, .check = check_recipient,
		.help = "test mode: only these addresses or @domains get mail; default: off"),
	NUMBER(connections, "2", 1, 64, "connections to the mail server at a time"),
	NUMBER(mails_per_connection, "100", 1, 100000, "mails over one connection"),
	NUMBER(rate_per_minute, "120", 0, 1000000, "mails a minute; 0: no limit"),
	NUMBER(rate_per_day, "0", 0, 100000000, "mails a day; 0: no limit"),
	NUMBER(rate_per_domain, "60", 0, 1000000, "mails a minute to one domain; 0: no limit"),
	NUMBER(retry_first_seconds, "300", 1, 86400, "first pause after a temporary refusal"),
	NUMBER(retry_last_seconds, "14400", 1, 604800, "longest pause"),
	NUMBER(lifetime_hours, "120", 1, 8760, "hours until a notice is given up"),
	NUMBER(unknown_pause_seconds, "3600", 0, 604800,
		"pause before a mail whose fate is unknown is sent once more"),
	NUMBER(fault_pause_seconds, "60", 1, 86400, "pause after trouble on our side"),
	KEY(CONF_GROUPS, dkim, .keys = dkim_keys, .add = dkim_add, .help = "DKIM keys to sign with"),
	KEY(CONF_GROUP, smime, .keys = smime_keys, .help = "S/MIME certificate to sign with"),
	KEY(CONF_GROUPS, logo, .keys = logo_keys, .add = logo_add,
		.help = "what logo notices hand out, by star and date"),
	KEY(CONF_GROUP, mailbox, .keys = mailbox_keys, .help = "the office's mailbox"),
	NUMBER(mailbox_poll_seconds, "60", 1, 86400, "seconds between looks where nothing tells of new mail"),
	CHECKED(authserv_id, conf_null, check_line,
		"authserv-id of the office's own mail server, whose Authentication-Results count; default: "
		"none"),
	KEY(CONF_LIST, own_hops, .check = check_domain,
		.help = "names of the office's own mail servers in Received, besides authserv_id"),
	FLAG(trust_aligned_dkim, "false",
		"a stop or change from a registered address with aligned DKIM needs no confirmation"),
	NUMBER(confirm_days, "7", 1, 90, "days until a confirmation runs out"),
	NUMBER(answers_per_address, "1", 0, 1000, "automatic answers a day to one unproven sender"),
	NUMBER(answers_per_hour, "30", 0, 100000, "automatic answers an hour to unproven senders in all"),
	NUMBER(resends_per_day, "2", 0, 1000, "resends a day on request, per declaration"),
	NUMBER(bounce_limit, "2", 1, 100, "hard bounces in a row before staff are told"),
	NUMBER(bounce_decay_days, "30", 1, 3650, "days in which the bounce score of an address halves"),
	KEY(CONF_GROUPS, policy, .keys = policy_keys, .add = policy_add,
		.help = "what is done with a kind of request by date; default: carried out"),
	KEY(CONF_LIST, desk_mail, .check = check_mail,
		.help = "who gets the morning digest; default: nobody"),
	KEY(CONF_LIST, alarm_mail, .check = check_mail, .help = "who gets alarms; default: desk_mail"),
	NUMBER(alarms_per_hour, "4", 0, 1000, "alarm mails an hour, all together"),
	CHECKED(digest_at, "08:30", check_time_of_day, "when the digest is sent, on office days"),
	CHECKED(books_at, "18:00", check_time_of_day, "when the day's books are balanced"),
	CHECKED(purge_at, "03:30", check_time_of_day, "when what is past its retention is erased"),
	CHECKED(publish_at, "02:00", check_time_of_day, "when the public lists are written"),
	CHECKED(share_url, conf_null, check_line,
		"how staff reach spool_directory, for links in digest and report; default: names only"),
	CHECKED(report_directory, conf_null, check_path,
		"where the report is written; default: report below spool_directory"),
	NUMBER(report_minutes, "15", 0, 1440, "minutes between reports; 0: only on command"),
	CHECKED(public_directory, conf_null, check_path,
		"where the public lists are written; default: on command only"),
	CHOICE(public_from, "logo", public_froms, "a declaration is public from its id or its logo on"),
	KEY(CONF_LIST, public_fields, .fallback = "business_name,prefecture", .check = check_field,
		.help = "fields of the form in the public lists, besides star and day"),
	CHECKED(metrics_file, conf_null, check_path, "counters as Prometheus text; default: none"),
	NUMBER(silence_weeks, "8", 0, 52,
		"weeks from which the usual span between files, mails and bounces is reckoned; 0: silence "
		"never "
		"alarms"),
	NUMBER(credential_warn_days, "30", 0, 3650, "days before a certificate runs out to raise an alarm"),
	KEY(CONF_LIST, second_person, .check = check_batch_reason,
		.help = "batches that take two people: templates, receipts, stages; default: one is enough"),
	KEY(CONF_GROUP, retention, .keys = retention_keys, .help = "days that data are kept"),
	CHECKED(credential_key_from, conf_null, check_path,
		"where the key that seals secrets (32 bytes or 64 hex digits) is read: a file or "
		"credential:NAME; "
		"default: made in state_directory"),
	{0},
};
#undef RECORD

int settings_minutes(const char *time_of_day)
{
	return ((time_of_day[0] - '0') * 10 + time_of_day[1] - '0') * 60 + (time_of_day[3] - '0') * 10 +
	       time_of_day[4] - '0';
}

/* ---- paths ---- */

static void path_resolve(char **path, const char *base)
{
	if (!*path || **path == '/' || str_has_prefix(*path, "credential:"))
		return;
	struct str whole = STR_INIT;
	path_join(&whole, base, *path);
	free(*path);
	*path = str_take(&whole);
}

/* Not of what a link points to: the files beside the link are meant. */
static char *directory_of(const char *path)
{
	char *dir = xstrdup(path);
	char *slash = strrchr(dir, '/');
	if (slash)
		slash[slash == dir] = '\0';
	char *real = realpath(slash ? dir : ".", NULL);
	if (real) {
		free(dir);
		return real;
	}
	return dir;
}

static bool is_there(const char *path)
{
	return access(path, F_OK) == 0;
}

/* Something that comes along with the program: beside the configuration, where `make install` puts it, or in the source tree
 * above the program. "" when it is nowhere. */
static void find_companion(
	struct str *out, const char *base, const char *beside, const char *installed, const char *in_source)
{
	char self[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);
	path_join(out, base, beside);
	if (is_there(out->s))
		return;
	self[len > 0 ? len : 0] = '\0';
	for (int level = 0; level < 5 && strrchr(self, '/'); level++) {
		*strrchr(self, '/') = '\0';
		str_clear(out);
		path_join(out, self, in_source);
		if (level > 0 && is_there(out->s))
			return;
		str_clear(out);
		path_join(out, self, installed);
		if (level == 1 && is_there(out->s))
			return;
	}
	str_clear(out);
	str_printf(out, "/etc/sengen/%s", beside);
	if (!is_there(out->s))
		str_clear(out);
}

static enum rc templates_find(struct settings *settings, struct err *err)
{
	if (settings->template_directory) {
		path_resolve(&settings->template_directory, settings->base_directory);
		return RC_OK;
	}
	struct str found = STR_INIT;
	find_companion(&found, settings->base_directory, "templates/mail", "share/sengen/templates/mail",
		"templates/mail");
	enum rc rc = RC_OK;
	if (!found.len)
		rc = err_set(err, RC_CONFIG,
			"%s: no templates were found beside it and none are installed; set "
			"\"template_directory\".",
			settings->path);
	else
		settings->template_directory = str_take(&found);
	str_free(&found);
	return rc;
}

static void default_path(char **path, const struct settings *settings, const char *name)
{
	if (*path)
		return;
	*path = xstrdup(name);
	path_resolve(path, settings->state_directory);
}

static void paths_resolve(struct settings *settings)
{
	char *own = directory_of(settings->path);
	if (!settings->base_directory)
		settings->base_directory = xstrdup(own);
	path_resolve(&settings->base_directory, own);
	free(own);

	const char *base = settings->base_directory;
	char **const below_base[] = {&settings->spool_directory, &settings->state_directory,
		&settings->runtime_directory, &settings->calendar_overrides, &settings->form_fields,
		&settings->wording, &settings->transport.path, &settings->transport.ca_file,
		&settings->transport.password_from, &settings->mailbox.path, &settings->mailbox.ca_file,
		&settings->mailbox.password_from, &settings->smime.certificate, &settings->smime.chain,
		&settings->smime.key_from, &settings->credential_key_from, &settings->report_directory,
		&settings->public_directory, &settings->metrics_file};
	for (size_t i = 0; i < sizeof below_base / sizeof *below_base; i++)
		path_resolve(below_base[i], base);
	for (size_t i = 0; i < settings->profile_files.count; i++)
		path_resolve(&settings->profile_files.item[i], base);
	for (size_t i = 0; i < settings->dkim_count; i++)
		path_resolve(&settings->dkim[i].key_from, base);
	for (size_t i = 0; i < settings->logo_count; i++)
		path_resolve(&settings->logo[i].password_from, base);
	path_resolve(&settings->store_path, settings->state_directory);
	path_resolve(&settings->witness_path, settings->state_directory);
	default_path(&settings->transport.path, settings, "maildir");
	default_path(&settings->mailbox.path, settings, "mailbox");
}

/* ---- loading ---- */

/* Defaults that are another key's value. */
static void derive(struct settings *settings)
{
	if (!settings->from_mail)
		settings->from_mail = xstrdup(settings->contact_mail);
	if (!settings->bounce_mail)
		settings->bounce_mail = xstrdup(settings->from_mail);
	if (!settings->message_id_domain)
		settings->message_id_domain = xstrdup(strrchr(settings->from_mail, '@') + 1);
}

static enum rc check_together(const struct settings *settings, struct err *err)
{
	if (settings->retry_first_seconds > settings->retry_last_seconds)
		return err_set(err, RC_CONFIG,
			"%s: \"retry_first_seconds\" must not be more than \"retry_last_seconds\".",
			settings->path);
	const struct transport_settings *transport = &settings->transport;
	const struct mailbox_settings *mailbox = &settings->mailbox;
	const struct {
		const char *group, *what;
		bool maildir;
		const char *host, *user, *password_from;
		enum auth_mode auth;
		enum tls_mode tls;
	} servers[] = {
		{"transport", "mail server", transport->maildir, transport->host, transport->user,
			transport->password_from, transport->auth, transport->tls},
		{"mailbox", "IMAP server", mailbox->maildir, mailbox->host, mailbox->user,
			mailbox->password_from, mailbox->auth, mailbox->tls},
	};
	for (size_t i = 0; i < sizeof servers / sizeof *servers; i++) {
		bool logs_in = servers[i].auth != AUTH_NONE;
		if (servers[i].maildir)
			continue;
		if (!servers[i].host)
			return err_set(err, RC_CONFIG,
				"%s: in \"%s\" the \"host\" of the %s is missing (or set maildir = true).",
				settings->path, servers[i].group, servers[i].what);
		if (logs_in && (!servers[i].user || !servers[i].password_from))
			return err_set(err, RC_CONFIG,
				"%s: in \"%s\" the authentication wants \"user\" and \"password_from\".",
				settings->path, servers[i].group);
		if (logs_in && servers[i].tls == TLS_NONE)
			return err_set(err, RC_CONFIG,
				"%s: in \"%s\" a password would go over the line in the clear; set \"tls\".",
				settings->path, servers[i].group);
	}
	const struct smime_setting *smime = &settings->smime;
	if (!smime->certificate != !smime->key_from || (smime->chain && !smime->certificate))
		return err_set(err, RC_CONFIG,
			"%s: in \"smime\" both \"certificate\" and \"key_from\" are wanted.", settings->path);
	if (!mailbox->maildir && (mailbox->auth == AUTH_NONE || mailbox->auth == AUTH_PLAIN))
		return err_set(err, RC_CONFIG, "%s: in \"mailbox\" \"auth\" must be login or xoauth2.",
			settings->path);
	return RC_OK;
}

static enum rc load_profiles(struct settings *settings, struct err *err)
{
	static const char *const shipped[] = {"form", "site", "instant"};
	if (settings->profile_files.count == 0) {
		for (size_t i = 0; i < 3; i++) {
			struct str name = STR_INIT, source = STR_INIT, installed = STR_INIT, found = STR_INIT;
			str_printf(&name, "profiles/%s.conf", shipped[i]);
			str_printf(&source, "config/%s", name.s);
			str_printf(&installed, "etc/sengen/%s", name.s);
			find_companion(&found, settings->base_directory, name.s, installed.s, source.s);
			if (found.len)
				strlist_add(&settings->profile_files, found.s);
			str_free(&name);
			str_free(&source);
			str_free(&installed);
			str_free(&found);
		}
	}
	if (settings->profile_files.count == 0)
		return err_set(err, RC_CONFIG,
			"%s: no profiles were found beside it and none are installed; set \"profile_files\".",
			settings->path);
	for (size_t i = 0; i < settings->profile_files.count; i++) {
		enum rc rc = profile_load(&settings->profiles, settings->profile_files.item[i], err);
		if (rc != RC_OK)
			return rc;
	}
	for (size_t i = 0; i < settings->era_count; i++) {
		const struct era_setting *era = &settings->era[i];
		enum rc rc =
			profile_add_era(&settings->profiles, civil_day_read(era->from), era->profile, err);
		if (rc != RC_OK)
			return err_prefix(err, "%s:%d", settings->path, era->line), RC_CONFIG;
	}
	if (settings->era_count == 0) {
		enum rc rc = profile_add_era(&settings->profiles, civil_from_ymd(1, 1, 1), "form", err);
		if (rc != RC_OK)
			return err_prefix(err, "%s: without \"era\"", settings->path), RC_CONFIG;
	}
	return RC_OK;
}

/* A file that is not there is a fault of the line that names it. */
static enum rc check_named(
	const struct settings *settings, const char *key, const char *path, struct err *err)
{
	if (!path || access(path, R_OK) == 0)
		return RC_OK;
	return err_set(err, RC_CONFIG, "%s: \"%s\" names %s, which can't be read: %s.", settings->path, key,
		path, errno_text(errno));
}

static enum rc check_named_files(const struct settings *settings, struct err *err)
{
	enum rc rc = check_named(settings, "calendar_overrides", settings->calendar_overrides, err);
	for (size_t i = 0; rc == RC_OK && i < settings->profile_files.count; i++)
		rc = check_named(settings, "profile_files", settings->profile_files.item[i], err);
	if (rc == RC_OK)
		rc = check_named(settings, "form_fields", settings->form_fields, err);
	if (rc == RC_OK)
		rc = check_named(settings, "wording", settings->wording, err);
	return rc;
}

static enum rc load_named_files(struct settings *settings, bool whole, struct err *err)
{
	settings->calendar.business_days = settings->business_days;
	enum rc rc = calendar_hours_read(&settings->calendar, settings->hours, err);
	if (rc == RC_OK)
		rc = check_named_files(settings, err);
	if (rc == RC_OK)
		rc = calendar_load(&settings->calendar, settings->calendar_overrides, err);
	if (rc == RC_OK)
		rc = load_profiles(settings, err);
	if (rc == RC_OK && whole)
		rc = fieldmap_load(&settings->fieldmap, settings->form_fields, err);
	if (rc == RC_OK && whole)
		rc = wording_load(&settings->words, settings->wording, err);
	return rc;
}

static enum rc load(struct settings **out, const char *path, bool whole, struct err *err)
{
	struct settings *settings = xcalloc(1, sizeof *settings);
	enum rc rc = conf_read(path, settings_keys, settings, err);
	settings->path = xstrdup(path);
	if (rc == RC_OK) {
		paths_resolve(settings);
		derive(settings);
		rc = check_together(settings, err);
	}
	if (rc == RC_OK)
		rc = templates_find(settings, err);
	if (rc == RC_OK)
		rc = load_named_files(settings, whole, err);
	if (rc == RC_OK)
		rc = civil_zone_set(settings->zone, err);
	if (rc == RC_OK)
		*out = settings;
	else
		settings_free(&settings);
	return rc;
}

enum rc settings_load(struct settings **out, const char *path, struct err *err)
{
	return load(out, path, true, err);
}

enum rc settings_load_lean(struct settings **out, const char *path, struct err *err)
{
	return load(out, path, false, err);
}

void settings_free(struct settings **settings)
{
	struct settings *s = *settings;
	if (!s)
		return;
	for (size_t i = 0; i < s->dkim_count; i++)
		conf_free(dkim_keys, &s->dkim[i]);
	for (size_t i = 0; i < s->logo_count; i++)
		conf_free(logo_keys, &s->logo[i]);
	for (size_t i = 0; i < s->era_count; i++)
		conf_free(era_keys, &s->era[i]);
	free(s->dkim);
	free(s->logo);
	free(s->era);
	for (size_t i = 0; i < s->policy_count; i++)
		conf_free(policy_keys, &s->policy[i]);
	free(s->policy);
	calendar_free(&s->calendar);
	profiles_free(&s->profiles);
	fieldmap_free(&s->fieldmap);
	wording_free(&s->words);
	conf_free(settings_keys, s);
	free(s->path);
	free(s);
	*settings = NULL;
}

/* ---- secrets ---- */

/* A key of our own for an office that has named none. Several processes may want it at once: whoever links first wins. */
static enum rc key_file_make(const char *path, struct err *err)
{
	enum { HEX_LEN = 2 * SEAL_KEY_LEN };
	struct secret key = SECRET_INIT, hex = SECRET_INIT;
	struct rng rng = rng_system();
	struct str mine = STR_INIT;
	uint8_t *bytes = (uint8_t *)secret_room(&key, SEAL_KEY_LEN);
	char *text = secret_room(&hex, HEX_LEN + 1);
	rng_bytes(&rng, bytes, SEAL_KEY_LEN);
	for (int i = 0; i < SEAL_KEY_LEN; i++)
		(void)snprintf(text + 2 * i, 3, "%02x", bytes[i]);
	text[HEX_LEN] = '\n';
	str_printf(&mine, "%s.%ld", path, (long)getpid());
	enum rc rc = file_write(mine.s, hex.bytes, hex.len, 0600, err);
	if (rc == RC_OK && link(mine.s, path) != 0 && errno != EEXIST)
		rc = err_set(err, RC_CONFIG, "The key %s could not be made: %s.", path, errno_text(errno));
	(void)unlink(mine.s);
	secret_free(&key);
	secret_free(&hex);
	str_free(&mine);
	return rc;
}

static enum rc credential_key_read(struct secret *key, const char *where, struct err *err)
{
	struct secret text = SECRET_INIT;
	enum rc rc = secret_read(&text, where, err);
	if (rc == RC_OK && text.len == SEAL_KEY_LEN)
		secret_set(key, text.bytes, SEAL_KEY_LEN);
	else if (rc == RC_OK && !hex_read(secret_room(key, SEAL_KEY_LEN), SEAL_KEY_LEN, text.bytes))
		rc = err_set(err, RC_CONFIG,
			"The credential key in %s must be 32 bytes or 64 hex digits; make one with: "
			"openssl rand -hex 32.",
			where);
	if (rc != RC_OK)
		secret_free(key);
	secret_free(&text);
	return rc;
}

static void credential_key_where(struct str *out, const struct settings *settings)
{
	if (settings->credential_key_from)
		str_addz(out, settings->credential_key_from);
	else
		path_join(out, settings->state_directory, "credential.key");
}

enum rc secrets_load_key(struct secrets *secrets, const struct settings *settings, struct err *err)
{
	struct str where = STR_INIT;
	credential_key_where(&where, settings);
	enum rc rc = credential_key_read(&secrets->credential, where.s, err);
	str_free(&where);
	return rc;
}

static enum rc credential_key_load(struct secrets *secrets, const struct settings *settings, struct err *err)
{
	struct str where = STR_INIT;
	enum rc rc = RC_OK;
	credential_key_where(&where, settings);
	if (!settings->credential_key_from && !is_there(where.s)) {
		rc = file_mkdirs(settings->state_directory, 0750, err);
		rc = rc ? rc : key_file_make(where.s, err);
	}
	rc = rc ? rc : credential_key_read(&secrets->credential, where.s, err);
	str_free(&where);
	return rc;
}

static enum rc logos_load(struct secrets *secrets, const struct settings *settings, struct err *err)
{
	secrets->logo = xcalloc(settings->logo_count, sizeof *secrets->logo);
	for (size_t i = 0; i < settings->logo_count; i++) {
		const struct logo_setting *from = &settings->logo[i];
		struct logo *logo = &secrets->logo[secrets->logo_count++];
		*logo = (struct logo){.star = (int)from->star,
			.from = civil_day_read(from->from),
			.url = xstrdup(from->url),
			.password = SECRET_INIT};
		enum rc rc = secret_read(&logo->password, from->password_from, err);
		if (rc == RC_OK && (!logo->password.len || text_has_control(logo->password.bytes)))
			rc = err_set(err, RC_CONFIG,
				"The logo's password in %s must be one line that is not empty.",
				from->password_from);
		if (rc != RC_OK)
			return err_prefix(err, "%s:%d", settings->path, from->line);
	}
	return RC_OK;
}

static enum rc dkim_load(struct secrets *secrets, const struct settings *settings, struct err *err)
{
	secrets->dkim = xcalloc(settings->dkim_count, sizeof(struct dkim_key *));
	for (size_t i = 0; i < settings->dkim_count; i++) {
		const struct dkim_setting *from = &settings->dkim[i];
		struct secret pem = SECRET_INIT;
		enum rc rc = secret_read(&pem, from->key_from, err);
		if (rc == RC_OK)
			rc = dkim_key_load(&secrets->dkim[secrets->dkim_count], pem.bytes, pem.len,
				from->domain, from->selector, err);
		secret_free(&pem);
		if (rc != RC_OK)
			return err_prefix(err, "%s:%d", settings->path, from->line);
		secrets->dkim_count++;
	}
	return RC_OK;
}

/* A certificate is no secret: the file may be anybody's to read. */
static enum rc certificates_read(struct str *pem, const char *where, struct err *err)
{
	struct secret credential = SECRET_INIT;
	if (!where)
		return RC_OK;
	if (!str_has_prefix(where, "credential:")) {
		enum rc rc = file_read(pem, where, CERTIFICATES_LIMIT, err);
		return rc ? err->rc = RC_CONFIG : RC_OK;
	}
	enum rc rc = secret_read(&credential, where, err);
	if (rc == RC_OK)
		str_add(pem, credential.bytes, credential.len);
	secret_free(&credential);
	return rc;
}

enum rc settings_smime_load(struct smime_signer **signer, const struct settings *settings, struct err *err)
{
	struct str certificate = STR_INIT, chain = STR_INIT;
	*signer = NULL;
	enum rc rc = certificates_read(&certificate, settings->smime.certificate, err);
	rc = rc ? rc : certificates_read(&chain, settings->smime.chain, err);
	rc = rc ? rc : smime_signer_load(signer, certificate.s, chain.s, settings->from_mail, err);
	str_free(&certificate);
	str_free(&chain);
	return rc;
}

static enum rc smime_load(struct secrets *secrets, const struct settings *settings, struct err *err)
{
	struct secret pem = SECRET_INIT;
	if (!settings->smime.certificate)
		return RC_OK;
	enum rc rc = settings_smime_load(&secrets->smime, settings, err);
	rc = rc ? rc : secret_read(&pem, settings->smime.key_from, err);
	rc = rc ? rc : smime_signer_take_key(secrets->smime, pem.bytes, pem.len, err);
	secret_free(&pem);
	return rc ? (err_prefix(err, "%s", settings->path), rc) : RC_OK;
}

enum rc secrets_load(
	struct secrets *secrets, const struct settings *settings, bool want_dkim, struct err *err)
{
	*secrets = (struct secrets){.credential = SECRET_INIT};
	enum rc rc = credential_key_load(secrets, settings, err);
	rc = rc ? rc : logos_load(secrets, settings, err);
	rc = rc || !want_dkim ? rc : dkim_load(secrets, settings, err);
	rc = rc || !want_dkim ? rc : smime_load(secrets, settings, err);
	if (rc != RC_OK)
		secrets_free(secrets);
	return rc;
}

void secrets_free(struct secrets *secrets)
{
	secret_free(&secrets->credential);
	for (size_t i = 0; i < secrets->logo_count; i++) {
		secret_free(&secrets->logo[i].password);
		free(secrets->logo[i].url);
	}
	for (size_t i = 0; i < secrets->dkim_count; i++)
		dkim_key_free(&secrets->dkim[i]);
	smime_signer_free(&secrets->smime);
	free(secrets->logo);
	free(secrets->dkim);
	*secrets = (struct secrets){.credential = SECRET_INIT};
}

const uint8_t *secrets_key(const struct secrets *secrets)
{
	return secrets && secrets->credential.len == SEAL_KEY_LEN ? (const uint8_t *)secrets->credential.bytes
								  : NULL;
}
