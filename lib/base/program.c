#include "lib/base/program.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

enum rc program_find(struct str *out, const char *name, struct err *err)
{
	static const char *const places[] = {"", "../libexec/sengen/", "../../"};
	char self[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);
	self[len > 0 ? len : 0] = '\0';
	char *slash = strrchr(self, '/');
	for (size_t i = 0; slash && i < sizeof places / sizeof *places; i++) {
		str_clear(out);
		str_add(out, self, (size_t)(slash - self));
		str_printf(out, "/%s%s", places[i], name);
		if (access(out->s, X_OK) == 0)
			return RC_OK;
	}
	return err_set(err, RC_CONFIG,
		"The program %s is not installed beside this one or in libexec/sengen; install sengen anew.",
		name);
}
