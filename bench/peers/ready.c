/*
 * ready.c - from exec until a service works
 *
 * ready notify COMMAND...: until it says READY=1 to NOTIFY_SOCKET (sd_notify(3)).
 * ready PORT COMMAND...: until somebody on that port of this machine says something.
 * Prints the milliseconds, ends the command with SIGTERM and waits for its end.
 */
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/err.h"

#define WAIT_MS 60000
#define PORT_PAUSE_US 200

static double now_ms(void)
{
	struct timespec at;
	(void)clock_gettime(CLOCK_MONOTONIC, &at);
	return (double)at.tv_sec * 1e3 + (double)at.tv_nsec / 1e6;
}

static int notify_open(void)
{
	char name[64];
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int len = snprintf(name, sizeof name, "@sengen-bench/%ld", (long)getpid());
	memcpy(at.sun_path + 1, name + 1, (size_t)len - 1);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (const struct sockaddr *)&at,
			      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)len)) != 0)
		die("the notification socket could not be made");
	(void)setenv("NOTIFY_SOCKET", name, 1);
	return fd;
}

static void notify_wait(int fd, double until)
{
	char text[4096];
	struct pollfd ready = {.fd = fd, .events = POLLIN};
	while (now_ms() < until && poll(&ready, 1, (int)(until - now_ms())) == 1) {
		ssize_t n = recv(fd, text, sizeof text - 1, 0);
		text[n > 0 ? n : 0] = '\0';
		if (strstr(text, "READY=1"))
			return;
	}
	die("it did not become ready");
}

static void port_wait(int port, double until)
{
	const struct sockaddr_in to = {.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr = {htonl(INADDR_LOOPBACK)}};
	while (now_ms() < until) {
		char byte;
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		bool said = connect(fd, (const struct sockaddr *)&to, sizeof to) == 0 &&
			    recv(fd, &byte, 1, 0) == 1;
		(void)close(fd);
		if (said)
			return;
		(void)usleep(PORT_PAUSE_US);
	}
	die("nobody answers on port %d", port);
}

int main(int argc, char **argv)
{
	if (argc < 3)
		die("usage: ready notify|PORT COMMAND...");
	int notify = strcmp(argv[1], "notify") == 0 ? notify_open() : -1;
	double began = now_ms();
	pid_t pid = fork();
	if (pid == 0) {
		(void)execvp(argv[2], argv + 2);
		_exit(127);
	}
	if (notify >= 0)
		notify_wait(notify, began + WAIT_MS);
	else
		port_wait(atoi(argv[1]), began + WAIT_MS);
	(void)printf("figure start %.2f ms\n", now_ms() - began);
	(void)fflush(stdout);
	(void)kill(pid, SIGTERM);
	(void)waitpid(pid, NULL, 0);
	return 0;
}
