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
#include "lib/base/secret.h"
#include "lib/flow/calendar.h"
#include "lib/flow/profile.h"
#include "lib/form/fieldmap.h"
#include "lib/form/form.h"
#include "lib/mail/compose.h"
#include "lib/mail/guard.h"
#include "lib/mail/notice.h"
#include "lib/mail/smime.h"
#include "lib/mail/mailbox.h"
#include "lib/mail/transport.h"

struct dkim_setting {
	char *domain, *selector, *key_from; /* secret_read() */
	int line; /* in the configuration file */
};

/* What notices are signed with (smime.h); certificate NULL: they are not. */
struct smime_setting {
	char *certificate, *chain; /* PEM; a file or credential:NAME; chain NULL: none */
	char *key_from; /* secret_read() */
};

struct logo_setting {
	int64_t star;
	char *from; /* 2026-01-01 */
	char *url;
	char *password_from; /* secret_read() */
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

/* Days that data are kept (lib/store/store.h, enum retained); 0: for ever. */
struct retention_settings {
	int64_t survey_days; /* from intake */
	int64_t mail_days; /* from the day the request was closed, or the mail came */
	int64_t letter_days; /* from the end of the declaration; of a letter of no application: from its own day */
	int64_t ended_days; /* likewise: the form, names in the history, what finds it */
	int64_t file_days; /* from the day the file was taken */
	int64_t refused_file_days; /* likewise, nothing of it was registered */
	int64_t public_days; /* from the day it left the public list */
};

/* Which group may do what (enum right); a group that the machine does not have has no members. */
struct rights_settings {
	char *read; /* may use the control socket and read the register at all */
	char *work, *release, *administer;
};

/* From which state on a declaration is public. */
enum public_from { PUBLIC_FROM_ID, PUBLIC_FROM_LOGO };

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
	struct rights_settings rights;
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
	struct smime_setting smime;
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
	/* the desk; times of day are "HH:MM" in the office's zone, read with settings_minutes() */
	struct strlist desk_mail; /* who gets the morning digest; empty: nobody */
	struct strlist alarm_mail; /* who gets alarms; empty: desk_mail */
	int64_t alarms_per_hour; /* mails, all alarms together */
	char *digest_at, *books_at, *purge_at, *publish_at;
	char *share_url; /* how staff's machines reach spool_directory ("file://server/sengen/"), for links; NULL: names only */
	char *report_directory; /* NULL: report below spool_directory */
	int64_t report_minutes; /* between reports; 0: only on command */
	char *public_directory; /* NULL: lists are written on command only */
	int public_from; /* enum public_from */
	struct strlist public_fields; /* form_field_key()s, in order, besides star and day */
	char *metrics_file; /* Prometheus text; NULL: none */
	int64_t silence_weeks; /* what is usual is reckoned from so many weeks; 0: silence never alarms */
	int64_t credential_warn_days; /* before a certificate or key runs out */
	struct strlist second_person; /* batch_reason_name()s that take two people */
	struct retention_settings retention;
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
/* The same for who reads no form and words no letter: fieldmap is NULL and words are empty, for they take longer to load than all the rest. */
enum rc settings_load_lean(struct settings **out, const char *path, struct err *err);
void settings_free(struct settings **settings);
/* Minutes after midnight of a checked "HH:MM". */
int settings_minutes(const char *time_of_day);

/* Secrets, for the processes that need them. */
struct secrets {
	struct secret credential; /* SEAL_KEY_LEN bytes, or empty */
	struct logo *logo; /* owned; passwords wiped at free */
	size_t logo_count;
	struct dkim_key **dkim; /* owned */
	size_t dkim_count;
	struct smime_signer *smime; /* owned; NULL: mails are not signed with S/MIME */
};
/* want_dkim: the keys that sign mails too, DKIM and S/MIME. */
enum rc secrets_load(
	struct secrets *secrets, const struct settings *settings, bool want_dkim, struct err *err);
/* The credential key alone, for looking; none is made where there is none. */
enum rc secrets_load_key(struct secrets *secrets, const struct settings *settings, struct err *err);
void secrets_free(struct secrets *secrets);
/* The S/MIME certificate and its chain without the key, checked but for their validity (smime_valid()). RC_CONFIG. */
enum rc settings_smime_load(struct smime_signer **signer, const struct settings *settings, struct err *err);
/* The credential key, SEAL_KEY_LEN bytes; NULL: there is none. secrets may be NULL. */
const uint8_t *secrets_key(const struct secrets *secrets);

#endif
