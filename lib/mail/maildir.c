#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/mail/transport.h"

static enum rc make_directories(const char *path, struct err *err)
{
	static const char *const parts[] = {"tmp", "new", "cur"};
	for (size_t i = 0; i < 3; i++) {
		struct str part = STR_INIT;
		path_join(&part, path, parts[i]);
		enum rc rc = access(part.s, W_OK) == 0 ? RC_OK : file_mkdirs(part.s, 0750, err);
		str_free(&part);
		if (rc != RC_OK)
			return rc;
	}
	return RC_OK;
}

static enum rc write_mail(const char *path, const struct parcel *parcel, struct err *err)
{
	/* What a killed run left there is written over: the name is this mail's alone. */
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0640);
	if (fd < 0)
		return err_set(err, RC_STORE, "%s can't be written (%s)", path, strerror(errno));
	struct str mail = STR_INIT;
	str_printf(&mail, "Return-Path: <%s>\r\nDelivered-To: %s\r\n", parcel->sender, parcel->recipient);
	str_add(&mail, parcel->wire, parcel->len);
	enum rc rc = file_write_all(fd, mail.s, mail.len, err);
	if (rc == RC_OK && fsync(fd) != 0)
		rc = err_set(err, RC_STORE, "%s can't be brought to disk (%s)", path, strerror(errno));
	if (close(fd) != 0 && rc == RC_OK)
		rc = err_set(err, RC_STORE, "%s can't be closed (%s)", path, strerror(errno));
	str_free(&mail);
	return rc;
}

enum rc maildir_deliver(const char *path, const struct parcel *parcel, struct err *err)
{
	enum rc rc = make_directories(path, err);
	if (rc != RC_OK)
		return rc;
	struct str tmp = STR_INIT, new = STR_INIT;
	str_printf(&tmp, "%s/tmp/%s", path, parcel->name);
	str_printf(&new, "%s/new/%s", path, parcel->name);
	rc = write_mail(tmp.s, parcel, err);
	/* link() and not rename(): a mail that is there already stays as it is. */
	if (rc == RC_OK && link(tmp.s, new.s) != 0 && errno != EEXIST)
		rc = err_set(err, RC_STORE, "%s can't be put into the Maildir (%s)", new.s, strerror(errno));
	unlink(tmp.s);
	str_cut(&new, new.len - strlen(parcel->name) - 1);
	if (rc == RC_OK)
		rc = file_sync_dir(new.s, err);
	str_free(&tmp);
	str_free(&new);
	return rc;
}
