#include "daemon/owner.h"

#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/office/office.h"

#define ENTRY_BYTES 16384 /* of a line of passwd, as any directory service gives it */
#define FIRST_PERSON 1000 /* adduser(8): accounts below are the system's */
#define NOBODY 65534 /* who a share makes of strangers */

/* false: the machine has no such account. */
static bool account_get(uid_t uid, struct passwd *entry, char *buffer, size_t size)
{
	struct passwd *found = NULL;
	return getpwuid_r(uid, entry, buffer, size, &found) == 0 && found;
}

/* Debian gives each person a group of the same name, in which nobody else is. */
static bool is_own_group(gid_t gid, const struct passwd *entry)
{
	struct group group, *found = NULL;
	char buffer[ENTRY_BYTES];
	return gid == entry->pw_gid && getgrgid_r(gid, &group, buffer, sizeof buffer, &found) == 0 && found &&
	       strcmp(group.gr_name, entry->pw_name) == 0;
}

const char *owner_text(const struct spool_taken *taken, struct pool *pool)
{
	struct passwd entry;
	char buffer[ENTRY_BYTES];
	bool account = account_get(taken->owner, &entry, buffer, sizeof buffer);
	bool shared = (taken->mode & S_IWOTH) ||
		      ((taken->mode & S_IWGRP) &&
			      (taken->listed || !(account && is_own_group(taken->group, &entry))));
	const char *behind = shared ? OWNER_SHARED : "";
	if (account)
		return pool_printf(pool, "%u(%s)%s", taken->owner, entry.pw_name, behind);
	return pool_printf(pool, "%u%s", taken->owner, behind);
}

struct owner owner_read(const char *text, struct pool *pool)
{
	char *end;
	struct owner owner = {0};
	unsigned long uid = strtoul(text, &end, 10);
	if (end == text || uid >= UINT32_MAX)
		return owner;
	owner.uid = (uid_t)uid;
	owner.name = pool_strndup(pool, text, (size_t)(end - text));
	if (*end == '(') {
		size_t len = strcspn(end + 1, ")");
		owner.name = pool_strndup(pool, end + 1, len);
		end += end[1 + len] == ')' ? len + 2 : 0;
	}
	owner.shared = strcmp(end, OWNER_SHARED) == 0;
	owner.known = *end == '\0';
	return owner;
}

enum right owner_right(const struct settings *settings, const struct owner *owner)
{
	struct passwd entry;
	char buffer[ENTRY_BYTES];
	gid_t *groups = NULL;
	int count = 0;
	if (account_get(owner->uid, &entry, buffer, sizeof buffer)) {
		(void)getgrouplist(entry.pw_name, entry.pw_gid, NULL, &count);
		groups = xcalloc((size_t)count + 1, sizeof *groups);
		if (getgrouplist(entry.pw_name, entry.pw_gid, groups, &count) < 0)
			count = 0; /* they changed this moment */
	}
	enum right right = office_right(settings, owner->uid, groups, count);
	free(groups);
	return right;
}

bool owner_is_service(const struct owner *owner)
{
	return owner->uid < FIRST_PERSON || owner->uid == NOBODY || owner->uid == geteuid();
}
