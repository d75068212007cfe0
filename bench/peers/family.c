/*
 * family.c - what processes and all their descendants have and use
 *
 * family PID...: prints "PROCESSES PSS_KIB CPU_MS" of those processes and all their descendants: their number, the sum of Pss in
 * /proc/PID/smaps_rollup, and the processor time, user and system, of them and of those children they have waited for.
 * family --watch MS PID...: prints the first look, then looks every MS milliseconds until SIGTERM and prints the greatest number and
 * sum seen, and the processor time at the last look.
 * A process of another user, or one that may not be dumped, shows its Pss to root alone: it counts as 0.
 */
#include <ctype.h>
#include <dirent.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct process {
	long pid, parent, ticks;
	bool counts;
};

struct family {
	long processes, pss_kib, cpu_ms;
};

static struct process *process;
static size_t processes, room;
static volatile sig_atomic_t ended;

static void end(int number)
{
	(void)number;
	ended = 1;
}

/* /proc/PID/stat: "PID (NAME) STATE PPID …", utime to cstime are the fields 14 to 17. The name may have blanks and brackets. */
static bool process_read(struct process *into, const char *pid)
{
	char path[64], text[1024];
	snprintf(path, sizeof path, "/proc/%.20s/stat", pid);
	FILE *file = fopen(path, "re");
	if (!file)
		return false;
	size_t len = fread(text, 1, sizeof text - 1, file);
	fclose(file);
	text[len] = '\0';
	char *at = strrchr(text, ')');
	if (!at || strlen(at) < strlen(") S "))
		return false;
	at += strlen(") S ");
	into->parent = strtol(at, &at, 10);
	into->ticks = 0;
	for (int field = 5; field <= 17; field++) {
		long value = strtol(at, &at, 10);
		into->ticks += field >= 14 ? value : 0;
	}
	into->pid = strtol(pid, NULL, 10);
	into->counts = false;
	return true;
}

static void processes_read(void)
{
	processes = 0;
	DIR *all = opendir("/proc");
	if (!all)
		exit(1);
	for (struct dirent *entry; (entry = readdir(all)) != NULL;) {
		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		if (processes == room) {
			room = room ? room * 2 : 256;
			process = reallocarray(process, room, sizeof *process);
			if (!process)
				exit(1);
		}
		processes += process_read(&process[processes], entry->d_name);
	}
	closedir(all);
}

static bool counts(long pid)
{
	for (size_t i = 0; i < processes; i++)
		if (process[i].pid == pid)
			return process[i].counts;
	return false;
}

static long pss_read(long pid)
{
	char path[64], line[256];
	long kib = 0;
	snprintf(path, sizeof path, "/proc/%ld/smaps_rollup", pid);
	FILE *file = fopen(path, "re");
	if (!file)
		return 0;
	while (fgets(line, sizeof line, file))
		if (strncmp(line, "Pss:", 4) == 0)
			kib = strtol(line + 4, NULL, 10);
	fclose(file);
	return kib;
}

static struct family family_look(char **pid)
{
	struct family seen = {0};
	long ticks = 0;
	processes_read();
	for (size_t i = 0; i < processes; i++)
		for (char **p = pid; *p; p++)
			process[i].counts |= process[i].pid == strtol(*p, NULL, 10);
	/* A child may have a lower number than its parent: until nothing changes. */
	for (bool more = true; more;) {
		more = false;
		for (size_t i = 0; i < processes; i++)
			if (!process[i].counts && counts(process[i].parent))
				process[i].counts = more = true;
	}
	for (size_t i = 0; i < processes; i++) {
		if (!process[i].counts)
			continue;
		seen.processes++;
		seen.pss_kib += pss_read(process[i].pid);
		ticks += process[i].ticks;
	}
	seen.cpu_ms = ticks * 1000 / sysconf(_SC_CLK_TCK);
	return seen;
}

static void family_show(const struct family *family)
{
	printf("%ld %ld %ld\n", family->processes, family->pss_kib, family->cpu_ms);
}

int main(int argc, char **argv)
{
	long every_ms = 0;
	argv++;
	if (argc > 2 && strcmp(*argv, "--watch") == 0) {
		every_ms = strtol(argv[1], NULL, 10);
		argv += 2;
	}
	if (!*argv) {
		fputs("family [--watch MS] PID...\n", stderr);
		return 2;
	}
	if (every_ms > 0)
		signal(SIGTERM, end);
	struct family most = family_look(argv);
	if (every_ms > 0) {
		family_show(&most);
		fflush(stdout);
	}
	while (every_ms > 0 && !ended) {
		nanosleep(&(struct timespec){.tv_sec = every_ms / 1000, .tv_nsec = every_ms % 1000 * 1000000},
			NULL);
		struct family now = family_look(argv);
		most.cpu_ms = now.processes ? now.cpu_ms : most.cpu_ms;
		most.processes = now.processes > most.processes ? now.processes : most.processes;
		most.pss_kib = now.pss_kib > most.pss_kib ? now.pss_kib : most.pss_kib;
	}
	family_show(&most);
	free(process);
	return 0;
}
