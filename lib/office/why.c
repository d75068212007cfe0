#include "lib/office/office_p.h"

#include <inttypes.h>
#include <string.h>

#include "lib/base/i18n.h"

static const char *const weekdays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};

/* 2026年12月7日(月) or 2026-12-07 (Mon): valid until the pool goes. */
static const char *day_text(struct pool *pool, civil_day day)
{
	struct str text = STR_INIT;
	if (i18n_japanese()) {
		civil_day_print_ja(&text, day);
	} else {
		civil_day_print(&text, day);
		str_printf(&text, " (%s)", weekdays[civil_weekday(day)]);
	}
	const char *copy = pool_strdup(pool, text.s);
	str_free(&text);
	return copy;
}

static const char *time_text(struct pool *pool, utc_time at)
{
	int minute = civil_minute_of(at);
	return pool_printf(pool, "%s %02d:%02d", day_text(pool, civil_day_of(at)), minute / 60, minute % 60);
}

static const char *state_text(enum state state)
{
	return i18n_japanese() ? state_name_ja(state) : state_name(state);
}

const char *office_notice_text(const char *template_name)
{
	static const struct {
		const char *template_name, *name_ja;
	} names[] = {
		{"receipt", "お申込み受付のお知らせ"},
		{"id", "自己宣言IDのお知らせ"},
		{"logo", "ロゴマーク使用許諾のお知らせ"},
		{"confirm", "メールアドレスご確認のお願い"},
		{"completion", "自己宣言完了のお知らせ"},
		{"acceptance", "申込受理のご連絡"},
		{NOTICE_REFUSED, "お申込み内容のご確認のお願い"},
		{NOTICE_REJECTED, "お申込みの取扱いについてのご連絡"},
		/* answers to mails */
		{"confirm-stop", "使用中止のご確認のお願い"},
		{"confirm-change", "登録情報の変更のご確認のお願い"},
		{"confirm-address", "新しいメールアドレスのご確認のお願い"},
		{"stopped", "使用中止の手続き完了のお知らせ"},
		{"stop-planned", "使用中止の受付のお知らせ"},
		{"changed", "登録情報の変更完了のお知らせ"},
		{"news-stopped", "メールニュース配信停止のお知らせ"},
		{"id-answer", "自己宣言IDのご照会への回答"},
		{"guide", "お手続きの方法についてのご案内"},
		{"wrong-number", "自己宣言IDのご確認のお願い"},
		{"neutral", "メールを受け付けました"},
		{"readable-form", "書類の再送のお願い"},
	};
	for (size_t i = 0; i18n_japanese() && i < sizeof names / sizeof names[0]; i++)
		if (strcmp(names[i].template_name, template_name) == 0)
			return names[i].name_ja;
	return template_name;
}

static void say(struct str *out, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(struct str *out, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	if (out->len)
		str_addc(out, '\n');
	str_vprintf(out, format, args);
	va_end(args);
}

struct why {
	struct office *office;
	const struct application *app;
	const struct rules *rules;
	struct due due;
	struct notice previous; /* .id 0: none */
	struct office_holds holds;
	bool set_waits; /* its templates wait for their first release */
	utc_time now;
	struct pool *pool;
	struct str *out;
};

static const struct stage *next_stage(const struct why *why)
{
	int stage = why->app->stage;
	return stage >= 0 && stage < why->rules->profile.stage_count ? &why->rules->profile.stage[stage]
								     : NULL;
}

static const char *next_name(const struct why *why)
{
	const struct stage *stage = next_stage(why);
	return stage ? office_notice_text(stage->template_name) : "";
}

/* ---- what holds it back, in the order of deciding ---- */

static bool say_ended(const struct why *why)
{
	if (why->due.wait != WAIT_ENDED)
		return false;
	say(why->out, _("It is over (%s): nothing more is sent."), state_text(why->app->state));
	return true;
}

static bool say_office(const struct why *why)
{
	if (why->holds.restored != RESTORED_NO)
		say(why->out, "%s",
			_("The register is a restored copy: nothing is sent until staff release it."));
	else if (why->holds.paused[PAUSE_DECIDING])
		say(why->out, "%s", _("Deciding is paused for the whole office."));
	else
		return false;
	return true;
}

static bool say_hold(const struct why *why)
{
	const struct application *app = why->app;
	const char *reason = app->hold_reason && *app->hold_reason ? app->hold_reason : _("no reason given");
	if (app->hold == HOLD_NONE)
		return false;
	if (office_stop_pending(app))
		say(why->out, _("A stop was announced for %s; nothing more is sent."),
			day_text(why->pool, app->stopped_on));
	else if (app->hold == HOLD_STAFF)
		say(why->out, _("Staff hold it: %s"), reason);
	else {
		say(why->out, _("It waits for a person to decide: %s"), reason);
		say(why->out, "%s", _("It goes on when staff approve it, and ends when they reject it."));
	}
	return true;
}

static bool say_ceiling(const struct why *why)
{
	const struct stage *stage = next_stage(why);
	if (!stage || why->due.wait != WAIT_NOTHING || why->due.at > why->now)
		return false;
	const struct ceiling_question *question =
		ceiling_kind_of(stage) == CEILING_AT_ONCE ? &why->holds.at_once : &why->holds.stages;
	if (!question->asked)
		return false;
	say(why->out,
		_("Far more notices are due than usual (%lld; the day allowed %lld): staff must release "
		  "them."),
		(long long)question->due, (long long)question->limit);
	return true;
}

static bool say_confirm(const struct why *why)
{
	if (why->due.wait != WAIT_CONFIRM)
		return false;
	say(why->out, "%s", _("The applicant has not confirmed the mail address yet."));
	if (why->app->due_at != UTC_NEVER)
		say(why->out, _("Without an answer it expires on %s."),
			day_text(why->pool, civil_day_of(why->app->due_at)));
	return true;
}

static bool say_approval(const struct why *why)
{
	if (why->due.wait != WAIT_APPROVAL)
		return false;
	say(why->out, _("The notice \"%s\" waits for staff to approve it."), next_name(why));
	if (why->due.at != UTC_NEVER)
		say(why->out, _("Once approved it goes out on %s at the earliest."),
			day_text(why->pool, civil_day_of(why->due.at)));
	return true;
}

/* What became of the notice before: the next one waits until the mail server has taken it. */
static bool say_previous(const struct why *why)
{
	const struct notice *notice = &why->previous;
	if (notice->id == 0 || (why->due.wait != WAIT_PREVIOUS && why->due.wait != WAIT_DONE))
		return false;
	switch (notice->state) {
	case OUTBOX_QUEUED:
		if (why->set_waits)
			say(why->out,
				_("The notice \"%s\" waits: its text was never sent before, and staff must "
				  "release it (sengenctl batches)."),
				office_notice_text(notice->template_name));
		else if (why->holds.paused[PAUSE_SENDING])
			say(why->out,
				_("The notice \"%s\" waits to be sent. Sending is paused for the whole "
				  "office."),
				office_notice_text(notice->template_name));
		else
			say(why->out, _("The notice \"%s\" waits to be sent; next try on %s."),
				office_notice_text(notice->template_name),
				time_text(why->pool, notice->next_try_at));
		if (notice->attempts)
			say(why->out, _("%d tries so far; last answer of the mail server: %d %s"),
				notice->attempts, notice->reply_code, notice->reply);
		return true;
	case OUTBOX_SENDING:
		say(why->out, _("The notice \"%s\" is being handed to the mail server this moment."),
			office_notice_text(notice->template_name));
		return true;
	case OUTBOX_UNKNOWN:
		if (notice->next_try_at == UTC_NEVER)
			return false;
		say(why->out,
			_("The line went dead after the notice \"%s\" was handed over; it is sent once more "
			  "on %s."),
			office_notice_text(notice->template_name), time_text(why->pool, notice->next_try_at));
		return true;
	case OUTBOX_FAILED:
		say(why->out, _("The notice \"%s\" was given up; last answer of the mail server: %d %s"),
			office_notice_text(notice->template_name), notice->reply_code, notice->reply);
		return true;
	case OUTBOX_CANCELLED:
		say(why->out, _("The notice \"%s\" was cancelled."),
			office_notice_text(notice->template_name));
		return true;
	case OUTBOX_SENT:
		break;
	}
	return false;
}

static bool say_due(const struct why *why)
{
	const struct stage *stage = next_stage(why);
	if (why->due.wait != WAIT_NOTHING || !stage)
		return false;
	utc_time at = why->due.at;
	if (at <= why->now && !stage->at_once)
		at = calendar_next_open(&why->office->settings->calendar, why->now);
	if (at <= why->now)
		say(why->out, _("The notice \"%s\" is due now and is about to be queued."), next_name(why));
	else if (why->due.at <= why->now)
		say(why->out, _("The notice \"%s\" is due and goes out when the office opens: %s."),
			next_name(why), time_text(why->pool, at));
	else {
		civil_day start = why->app->clock_start, day = civil_day_of(why->due.earliest);
		say(why->out, _("The notice \"%s\" goes out on %s."), next_name(why),
			time_text(why->pool, at));
		if (day > start)
			say(why->out, _("The clock started on %s; %d days later is %s."),
				day_text(why->pool, start), (int)(day - start), day_text(why->pool, day));
	}
	if (why->due.moved_from != CIVIL_DAY_NONE && !stage->at_once)
		say(why->out, _("Its day, %s, is no office day (%s)."),
			day_text(why->pool, why->due.moved_from), why->due.moved_why);
	return true;
}

static bool say_done(const struct why *why)
{
	if (why->due.wait != WAIT_DONE)
		return false;
	say(why->out, "%s", _("All its notices have been sent."));
	return true;
}

/* Stop, hold, ceiling, approval, the notice before, the day: the first that holds it back is the answer. */
static bool (*const answers[])(const struct why *why) = {say_ended, say_office, say_hold, say_ceiling,
	say_confirm, say_approval, say_previous, say_due, say_done};

/* ---- what else one wants to know ---- */

static void say_last_sent(const struct why *why)
{
	const struct notice *notice = &why->previous;
	/* Of the stages: where the application has ended, what told of the end went out after it. */
	if (notice->id && notice->state == OUTBOX_SENT && why->due.wait != WAIT_ENDED)
		say(why->out, _("Last sent: \"%s\" on %s; the mail server answered: %d %s"),
			office_notice_text(notice->template_name), time_text(why->pool, notice->accepted_at),
			notice->reply_code, notice->reply);
}

/* What came back, newest last; each notice once. */
struct returns {
	const struct why *why;
	int count;
};

static enum rc say_return(void *ctx, const struct history_row *row, struct err *err)
{
	struct returns *returns = ctx;
	const struct why *why = returns->why;
	struct notice notice;
	if (row->event != EVENT_BOUNCE)
		return RC_OK;
	enum rc rc = outbox_get(why->office->store, row->ref, &notice, why->pool, err);
	if (rc != RC_OK)
		return rc;
	say(why->out, _("The notice \"%s\" came back on %s: %s"), office_notice_text(notice.template_name),
		time_text(why->pool, row->at), office_bounce_text(row->number));
	if (row->number == BOUNCE_HARD && office_is_carrier(notice.domain))
		say(why->out, "%s",
			_("The address is a mobile carrier's: the applicant's own filter may have refused "
			  "it."));
	returns->count++;
	return RC_OK;
}

static enum rc say_returned(const struct why *why, struct err *err)
{
	struct returns returns = {.why = why};
	enum rc rc = history_each(why->office->store, why->app->id, 0, say_return, &returns, err);
	if (rc == RC_OK && returns.count && why->app->hold == HOLD_NONE && next_stage(why))
		say(why->out, "%s", _("The next notice shows whether the address can be reached."));
	return rc;
}

static void say_next(const struct why *why)
{
	if (why->due.wait == WAIT_NOTHING || why->due.wait == WAIT_APPROVAL || why->due.wait == WAIT_ENDED ||
		!next_stage(why))
		return;
	if (why->due.at != UTC_NEVER)
		say(why->out, _("Next comes \"%s\", not before %s."), next_name(why),
			day_text(why->pool, civil_day_of(why->due.at)));
	else
		say(why->out, _("Next comes \"%s\"."), next_name(why));
}

static void say_latest(const struct why *why)
{
	if (why->due.latest != UTC_NEVER && why->due.latest < why->now)
		say(why->out, _("It is late: the latest day was %s."),
			day_text(why->pool, civil_day_of(why->due.latest)));
}

enum rc office_why(struct office *office, const struct application *app, struct str *out, struct due *due,
	struct err *err)
{
	struct str text = STR_INIT;
	struct why why = {.office = office,
		.app = app,
		.now = clock_now(office->clock),
		.pool = pool_new(),
		.out = &text};
	enum rc rc = rules_get(office, app->template_set, &why.rules, err);
	if (rc == RC_OK)
		rc = office_previous_notice(office, app, &why.previous, why.pool, err);
	if (rc == RC_OK)
		rc = office_holds(office, &why.holds, err);
	if (rc == RC_OK && why.holds.template_sets)
		rc = held_batch_holds_set(office->store, app->template_set, &why.set_waits, err);
	if (rc == RC_OK) {
		why.due = cadence_due(app, &why.rules->profile, &office->settings->calendar);
		for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++)
			if (answers[i](&why))
				break;
		say_last_sent(&why);
		rc = say_returned(&why, err);
	}
	if (rc == RC_OK) {
		say_next(&why);
		say_latest(&why);
		str_add(out, text.s, text.len);
		*due = why.due;
	}
	str_free(&text);
	pool_free(&why.pool);
	return rc;
}
