#include "lib/base/service.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* To a path, or to "@name" outside the file system. */
static bool tell(const char *where, const struct str *message)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	size_t len = strlen(where);
	if ((where[0] != '/' && where[0] != '@') || len < 2 || len >= sizeof to.sun_path)
		return false;
	memcpy(to.sun_path, where, len);
	if (where[0] == '@')
		to.sun_path[0] = '\0';
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
	ssize_t sent;
	do {
		sent = sendto(fd, message->s, message->len, MSG_NOSIGNAL, (const struct sockaddr *)&to, size);
	} while (sent < 0 && errno == EINTR);
	(void)close(fd);
	return sent >= 0;
}

void service_notifyf(const char *format, ...)
{
	const char *where = getenv("NOTIFY_SOCKET");
	struct str message = STR_INIT;
	va_list args;
	if (!where)
		return;
	va_start(args, format);
	str_vprintf(&message, format, args);
	va_end(args);
	(void)tell(where, &message);
	str_free(&message);
}

void service_notify(const char *state)
{
	service_notifyf("%s", state);
}

/* A whole decimal number above 0; 0: it is none. */
static uint64_t number_of(const char *text)
{
	char *end;
	if (*text < '0' || *text > '9')
		return 0;
	errno = 0;
	unsigned long long number = strtoull(text, &end, 10);
	return errno == 0 && *end == '\0' ? number : 0;
}

uint64_t service_watchdog_usec(void)
{
	const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
	if (!usec || (pid && number_of(pid) != (uint64_t)getpid()))
		return 0;
	return number_of(usec);
}

bool service_journal(const char *socket, const struct log_entry *entry)
{
	/* No value has a line break, which would take the protocol's other form: the log writes one as \n. */
	struct str message = STR_INIT;
	str_printf(&message,
		"MESSAGE=%s: "
		"%s\nPRIORITY=%d\nSYSLOG_IDENTIFIER=%s\nSENGEN_EVENT=%s\nSENGEN_PROGRAM=%s\nMESSAGE_ID="
		"%s\n",
		entry->program, entry->line, entry->priority, program_invocation_short_name, entry->event,
		entry->program, entry->message_id);
	bool told = tell(socket, &message);
	str_free(&message);
	return told;
}
