/* right.c - what a person may do, by the groups of the settings */
#include "lib/office/office.h"

#include <grp.h>
#include <unistd.h>

const char *office_right_group(const struct settings *settings, enum right right)
{
	switch (right) {
	case RIGHT_NONE:
	case RIGHT_READ:
		return settings->rights.read;
	case RIGHT_WORK:
		return settings->rights.work;
	case RIGHT_RELEASE:
		return settings->rights.release;
	case RIGHT_ADMINISTER:
		return settings->rights.administer;
	}
	return "";
}

static bool is_member(const char *name, const gid_t *groups, int count)
{
	const struct group *group = name && *name ? getgrnam(name) : NULL;
	for (int i = 0; group && i < count; i++)
		if (groups[i] == group->gr_gid)
			return true;
	return false;
}

enum right office_right(const struct settings *settings, uid_t uid, const gid_t *groups, int count)
{
	if (uid == 0 || uid == geteuid())
		return RIGHT_ADMINISTER;
	for (int right = RIGHT_ADMINISTER; right > RIGHT_NONE; right--)
		if (is_member(office_right_group(settings, (enum right)right), groups, count))
			return (enum right)right;
	return RIGHT_NONE;
}
