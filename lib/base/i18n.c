#include "lib/base/i18n.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/str.h"

void i18n_bind(void)
{
	static const char *const places[] = {
		"locale", "../share/locale", "../../share/locale", "../../locale"};
	static char dir[PATH_MAX + 32];
	char self[PATH_MAX];
	struct stat st;
	ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);
	self[len > 0 ? len : 0] = '\0';
	char *slash = strrchr(self, '/');
	if (*dir || !slash)
		return;
	*slash = '\0';
	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		(void)snprintf(dir, sizeof dir, "%s/%s", self, places[i]);
		/* /usr/bin/locale is a program. */
		if (stat(dir, &st) == 0 && S_ISDIR(st.st_mode))
			break;
	}
	(void)bindtextdomain("sengen", dir);
	(void)bind_textdomain_codeset("sengen", "UTF-8");
	(void)textdomain("sengen");
}

/* gettext remembers what it found for a locale; this number (described in its manual) tells it that LANGUAGE has changed. */
extern int _nl_msg_cat_cntr; /* NOLINT(bugprone-reserved-identifier) */

void i18n_staff_begin(struct i18n_staff *staff)
{
	const char *language = getenv("LANGUAGE"), *messages = setlocale(LC_MESSAGES, NULL);
	i18n_bind();
	staff->language = language ? xstrdup(language) : NULL;
	staff->messages = xstrdup(messages ? messages : "C");
	/* The locale C has no languages; C.UTF-8 is on every machine and honours LANGUAGE. */
	(void)setlocale(LC_MESSAGES, "C.UTF-8");
	(void)setenv("LANGUAGE", "ja", 1);
	++_nl_msg_cat_cntr;
}

void i18n_staff_end(struct i18n_staff *staff)
{
	if (staff->language)
		(void)setenv("LANGUAGE", staff->language, 1);
	else
		(void)unsetenv("LANGUAGE");
	(void)setlocale(LC_MESSAGES, staff->messages);
	++_nl_msg_cat_cntr;
	free(staff->language);
	free(staff->messages);
	*staff = (struct i18n_staff){0};
}
