/*
 * sender_rig.h - what the tests of the role sender share: the role on an office of its own, with a real zygote and children, against a server that does what a script says
 *
 * Groups are set up with group_set_up() and taken down with group_tear_down(), tests with rig_setup() and rig_teardown().
 */
#ifndef SENGEN_SENDER_RIG_H
#define SENGEN_SENDER_RIG_H

#include "office_rig.h"

#include <signal.h>
#include <time.h>

#include "daemon/role.h"
#include "daemon/zygote.h"
#include "tests/smtp_sink.h"

static struct zygote zygote = {-1, -1, NULL};

struct post { /* the role on the rig's office */
	struct rig *rig;
	struct role_context ctx;
	struct sink *sink;
};

static inline int group_set_up(void **state)
{
	(void)state;
	signal(SIGPIPE, SIG_IGN);
	return zygote_start(&zygote, NULL, &rig_err) == RC_OK ? 0 : -1; /* before any thread of a test */
}

static inline int group_tear_down(void **state)
{
	(void)state;
	zygote_stop(&zygote);
	return 0;
}

static inline void role_up(struct post *post)
{
	post->ctx = (struct role_context){
		.office = post->rig->office,
		.settings = post->rig->settings,
		.clock = post->rig->clock,
		.zygote = zygote,
		.simulating = true,
		.in_turn = true,
	};
	assert_ok(role_sender.start(&post->ctx, &rig_err));
}

static inline struct post post_open(void **state, const struct sink_script *script, const char *more)
{
	struct post post = {.rig = *state};
	struct str conf = STR_INIT;
	post.sink = sink_start(script, post.rig->dir);
	str_printf(&conf,
		"transport = { maildir = false; host = \"localhost\"; port = %d; tls = \"%s\"; %s "
		"connect_seconds = 5;"
		" reply_seconds = 2; dot_seconds = 1; };\n%s",
		sink_port(post.sink), script->tls == SINK_PLAIN ? "none" : "starttls",
		script->tls == SINK_PLAIN
			? ""
			: "ca_file = \"certificate.pem\"; auth = \"plain\"; user = \"office\"; "
			  "password_from = \"password\";",
		more);
	rig_write(post.rig, "password", "right\n");
	rig_configure(post.rig, conf.s);
	str_free(&conf);
	role_up(&post);
	return post;
}

static inline void post_close(struct post *post)
{
	role_sender.stop(&post->ctx, 0);
	sink_stop(&post->sink);
}

/* Everything that can be done now; the moment it wants to run next. */
static inline utc_time work(struct post *post)
{
	utc_time next;
	do {
		assert_ok(role_sender.step(&post->ctx, post->rig->clock.now, &next, &rig_err));
	} while (next <= post->rig->clock.now);
	return next;
}

static inline void pass_seconds(struct post *post, int64_t seconds)
{
	clock_set(&post->rig->clock, post->rig->clock.now + seconds);
	post->ctx.clock = post->rig->clock;
}

static inline struct notice first_notice(struct rig *rig, int64_t application_id)
{
	struct rig_notices all = {.pool = rig->pool};
	assert_ok(outbox_each(rig->office.store, application_id, rig_take_notice, &all, &rig_err));
	assert_true(all.count > 0);
	return all.item[0];
}

static inline void assert_fact(struct rig *rig, const char *name, const char *part)
{
	struct str value = STR_INIT;
	assert_ok(fact_get(rig->office.store, name, &value, &rig_err));
	if (part ? strstr(value.s, part) == NULL : value.len > 0)
		fail_msg("fact %s is \"%s\"", name, value.s);
	str_free(&value);
}

/* As a service a step does not wait: gives the children in flight so long. */

static inline void await(struct post *post, int64_t ms)
{
	int fd[64];
	struct timespec pause = {.tv_nsec = 5000000};
	for (int64_t waited = 0; waited < ms && role_sender.watch(&post->ctx, fd, 64) > 0; waited += 5) {
		utc_time next;
		(void)nanosleep(&pause, NULL);
		assert_ok(role_sender.step(&post->ctx, post->rig->clock.now, &next, &rig_err));
	}
}

#endif
