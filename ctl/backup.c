/* backup: a copy of the register, and what else a backup needs */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "ctl/ctl.h"
#include "ctl/progress.h"
#include "lib/base/file.h"

/* What the copy does not hold. */
struct beside {
	const char *name, *path, *why;
};

static const char *below(struct ctl *ctl, const char *directory, const char *name)
{
	struct str path = STR_INIT;
	path_join(&path, directory, name);
	const char *copy = pool_strdup(ctl->pool, path.s);
	str_free(&path);
	return copy;
}

static const char *directory_of(struct ctl *ctl, const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash && slash > path ? pool_strndup(ctl->pool, path, (size_t)(slash - path)) : "/";
}

static void print_beside(struct ctl *ctl, json_t *into)
{
	const struct settings *settings = ctl->settings;
	const struct beside beside[] = {
		{"credential_key",
			settings->credential_key_from
				? settings->credential_key_from
				: below(ctl, settings->state_directory, "credential.key"),
			_("the key that seals user numbers and ZIP passwords; keep it apart from the copy, "
			  "neither is "
			  "of use without the other")},
		{"sent_log", below(ctl, settings->state_directory, "sent"),
			_("the log of what the mail server took; keeps a restored copy from sending twice")},
		{"archive", settings->spool_directory,
			_("form files as they came (accepted, rejected), for the evening's books")},
		{"configuration", directory_of(ctl, settings->path),
			_("configuration, profiles, and credentials such as DKIM keys")},
		{"templates", settings->template_directory, _("the templates of letters")},
	};
	if (!into)
		say("%s", _("Not in the copy, and wanted for a restore:"));
	for (size_t i = 0; i < sizeof beside / sizeof *beside; i++) {
		if (into)
			(void)json_array_append_new(
				into, json_pack("{s:s, s:o, s:s}", "name", beside[i].name, "path",
					      json_text(beside[i].path), "why", beside[i].why));
		else
			say("  %s\n    %s", beside[i].path ? beside[i].path : "-", beside[i].why);
	}
}

enum rc command_backup(struct ctl *ctl, struct err *err)
{
	const char *path = ctl->argument[0];
	struct progress progress;
	struct audit audit;
	struct stat st = {0};
	struct str head = STR_INIT;
	progress_start(&progress, _("Copying the register"));
	store_progress(ctl->store, progress_show, &progress);
	enum rc rc = store_backup(ctl->store, path, &audit, err);
	progress_end(&progress);
	if (rc != RC_OK)
		return rc;
	(void)stat(path, &st);
	hex_add(&head, audit.head, sizeof audit.head);
	if (ctl->json) {
		json_t *also = json_array();
		print_beside(ctl, also);
		say_json(json_pack("{s:o, s:I, s:I, s:s, s:o}", "file", json_text(path), "bytes",
			(json_int_t)st.st_size, "rows", (json_int_t)audit.rows, "head", head.s, "also",
			also));
	} else {
		say(_("%s: %lld bytes, history of %lld rows, checked and whole"), path, (long long)st.st_size,
			(long long)audit.rows);
		say(_("head: %s"), head.s);
		print_beside(ctl, NULL);
	}
	str_free(&head);
	return RC_OK;
}
