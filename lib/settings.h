/*
 * settings.h - sengend.conf as a struct
 *
 * One table (settings_keys) describes every key with type, range, default and unit; the man page sengend.conf(5) and the shipped
 * config/sengend.conf are checked against it. Relative paths are taken relative to `base_directory`, which itself defaults to the directory the
 * configuration file lies in; store and witness lie below state_directory. Templates and profiles that are not named are those beside the
 * configuration, else the installed ones, else those of the source tree the program was built in.
 */
#ifndef SENGEN_SETTINGS_H
#define SENGEN_SETTINGS_H

#include "lib/base/conf.h"
#include "lib/flow/calendar.h"
#include "lib/flow/profile.h"
#include "lib/form/fieldmap.h"
#include "lib/form/form.h"
#include "lib/mail/compose.h"
#include "lib/mail/guard.h"
#include "lib/mail/notice.h"
#include "lib/mail/mailbox.h"
#include "lib/mail/transport.h"

struct dkim_setting {
	char *domain, *selector, *key_from; /* file_read_secret() */
	int line; /* in the configuration file */
};

struct logo_setting {
	int64_t star;
	char *from; /* 2026-01-01 */
	char *url;
	char *password_from; /* file_read_secret() */
	int line;
};

/* The profile for applications received from that day on. */
struct era_setting {
	char *from, *profile;
	int line;
};

/* What is done with a kind of request from a day on (N1); the first line that fits counts, none: act. */
enum policy_action { POLICY_ACT, POLICY_GUIDE, POLICY_REVIEW };
/* Besides the kinds of requests by mail: a step-up, which comes as a form. (The kind that has this number, a bounce, asks for nothing.) */
#define POLICY_STEP_UP REQUEST_BOUNCE
struct policy_setting {
	int request; /* enum request_kind, or POLICY_STEP_UP */
	char *applied_before; /* declarations applied for before that day; NULL: all */
	char *from; /* requests received from that day on; NULL: at any time */
	int action; /* enum policy_action */
	int line;
};

struct settings {
	char *path; /* of the configuration file */
	/* where things are */
	char *base_directory, *spool_directory, *state_directory, *runtime_directory, *template_directory;
	char *store_path, *witness_path; /* below state_directory unless absolute */
	/* office */
	char *zone;
	char *office_name, *organization, *department, *contact_mail, *site_url;
	char *from_name, *from_mail, *message_id_domain, *bounce_mail;
	bool business_days;
	char *hours, *calendar_overrides;
	/* intake */
	char *form_fields; /* NULL: built in */
	struct form_limits limits;
	int64_t settle_seconds; /* a file must not have changed for so long unless it came by rename */
	int64_t rescan_seconds;
	int64_t backdate_max, proxy_max;
	char *terms_version;
	bool notify_refused;
	int64_t disk_floor_mib; /* intake pauses while spool or state have less room */
	int64_t outbox_bound; /* intake pauses while more notices wait for the mail server */
	/* running */
	int64_t watchdog_seconds; /* the supervisor kills a role that is silent for so long */
	char *control_group; /* whose members may use the control socket */
	/* cadence */
	struct strlist profile_files; /* empty in the file: form, site and instant as they come along */
	struct era_setting *era; /* empty in the file: form from the first day on */
	size_t era_count;
	int64_t alarm_days; /* before the latest day */
	int64_t ceiling_minimum; /* notices a day that never ask */
	int64_t ceiling_percent; /* over yesterday's forecast for today */
	int64_t receipt_ceiling; /* receipts a day */
	/* mail */
	char *wording; /* NULL: built in */
	int charset; /* enum mail_charset */
	struct transport_settings transport;
	struct strlist
		allow; /* test mode: only these recipients (addresses or @domains) are mailed; empty: off */
	int64_t connections, mails_per_connection, rate_per_minute, rate_per_day, rate_per_domain;
	int64_t retry_first_seconds, retry_last_seconds, lifetime_hours, unknown_pause_seconds,
		fault_pause_seconds;
	struct dkim_setting *dkim;
	size_t dkim_count;
	struct logo_setting *logo;
	size_t logo_count;
	/* the mailbox */
	struct mailbox_settings mailbox;
	int64_t mailbox_poll_seconds; /* between looks where nothing tells of new mail */
	char *authserv_id; /* NULL: no Authentication-Results is believed */
	struct strlist own_hops; /* names of the office's own mail servers, besides authserv_id */
	bool trust_aligned_dkim;
	int64_t confirm_days; /* until a confirmation runs out */
	int64_t answers_per_address; /* a day */
	int64_t answers_per_hour; /* to unproven senders, all together */
	int64_t resends_per_day; /* per declaration */
	int64_t bounce_limit; /* score at which an address counts as dead for the mail news and staff are told */
	int64_t bounce_decay_days; /* in which a score halves */
	struct policy_setting *policy;
	size_t policy_count;
	char *credential_key_from; /* 32 bytes, hex or raw: seals user numbers and ZIP passwords, signs bounce addresses; NULL: a file in
				       * state_directory that is made when it is first wanted */

	/* Loaded from what the keys above name. */
	struct calendar calendar;
	struct profiles profiles;
	struct fieldmap *fieldmap;
	struct wording words;
};

extern const struct conf_key settings_keys[];

/* Reads the file and everything it names (profiles, field map, calendar, wording); sets the zone of the process. Secrets are not read.
 * RC_CONFIG with file and line. On failure nothing has changed, the zone included. */
enum rc settings_load(struct settings **out, const char *path, struct err *err);
void settings_free(struct settings **settings);

/* Secrets, for the processes that need them. */
struct secrets {
	uint8_t credential_key[SEAL_KEY_LEN];
	bool has_credential_key;
	struct logo *logo; /* owned; passwords wiped at free */
	size_t logo_count;
	struct dkim_key **dkim; /* owned */
	size_t dkim_count;
};
enum rc secrets_load(
	struct secrets *secrets, const struct settings *settings, bool want_dkim, struct err *err);
void secrets_free(struct secrets *secrets);

#endif
