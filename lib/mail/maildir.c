#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/mail/transport.h"

enum rc maildir_make(const char *path, bool is_folder, struct err *err)
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
	if (!is_folder)
		return RC_OK;
	struct str mark = STR_INIT;
	path_join(&mark, path, "maildirfolder");
	int fd = open(mark.s, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0640);
	enum rc rc =
		fd >= 0 ? RC_OK : err_set(err, RC_STORE, "%s can't be made (%s)", mark.s, errno_text(errno));
	if (fd >= 0)
		(void)close(fd);
	str_free(&mark);
	return rc;
}

/* The mail and what stands in front of it. */
static enum rc write_mail(
	const char *path, const struct str *fields, const char *wire, size_t len, struct err *err)
{
	/* What a killed run left there is written over: the name is this mail's alone. */
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0640);
	if (fd < 0)
		return err_set(err, RC_STORE, "%s can't be written (%s)", path, errno_text(errno));
	struct str mail = STR_INIT;
	str_add(&mail, fields->s, fields->len);
	str_add(&mail, wire, len);
	enum rc rc = file_write_all(fd, mail.s, mail.len, err);
	if (rc == RC_OK && fsync(fd) != 0)
		rc = err_set(err, RC_STORE, "%s can't be brought to disk (%s)", path, errno_text(errno));
	if (close(fd) != 0 && rc == RC_OK)
		rc = err_set(err, RC_STORE, "%s can't be closed (%s)", path, errno_text(errno));
	str_free(&mail);
	return rc;
}

/* Through tmp/NAME to its place, PART/NAME with its flags. */
static enum rc put_mail(const char *path, const char *name, const char *part, const char *flags,
	const struct str *fields, const char *wire, size_t len, struct err *err)
{
	struct str tmp = STR_INIT, directory = STR_INIT, place = STR_INIT;
	str_printf(&tmp, "%s/tmp/%s", path, name);
	path_join(&directory, path, part);
	str_printf(&place, "%s/%s%s", directory.s, name, flags);
	enum rc rc = write_mail(tmp.s, fields, wire, len, err);
	/* link() and not rename(): a mail that is there already stays as it is. */
	if (rc == RC_OK && link(tmp.s, place.s) != 0 && errno != EEXIST)
		rc = err_set(
			err, RC_STORE, "%s can't be put into the Maildir (%s)", place.s, errno_text(errno));
	unlink(tmp.s);
	if (rc == RC_OK)
		rc = file_sync_dir(directory.s, err);
	str_free(&tmp);
	str_free(&directory);
	str_free(&place);
	return rc;
}

enum rc maildir_deliver(const char *path, const struct parcel *parcel, struct err *err)
{
	struct str fields = STR_INIT;
	enum rc rc = maildir_make(path, false, err);
	if (rc != RC_OK)
		return rc;
	str_printf(&fields, "Return-Path: <%s>\r\nDelivered-To: %s\r\n", parcel->sender, parcel->recipient);
	rc = put_mail(path, parcel->name, "new", "", &fields, parcel->wire, parcel->len, err);
	str_free(&fields);
	return rc;
}

enum rc maildir_file(const char *path, const char *name, const char *wire, size_t len, struct err *err)
{
	return put_mail(path, name, "cur", ":2,S", &STR_INIT, wire, len, err);
}
