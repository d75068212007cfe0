#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/flow/transition.h"

/* One letter a state, in the order of enum state; - is none. */
static const char letters[] = "-URILjwspx";

/* Every cell: for each event the next state from each of the ten states. */
static const struct {
	enum event event;
	const char *next;
} expected[] = {
	/*                        from:  "-URILjwspx" */
	{(enum event)0, /*            */ "----------"},
	{EVENT_APPLY, /*              */ "R---------"},
	{EVENT_APPLY_UNCONFIRMED, /*  */ "U---------"},
	{EVENT_CONFIRM, /*            */ "-R--------"},
	{EVENT_ISSUE_ID, /*           */ "--I-------"},
	{EVENT_AUTHORIZE_LOGO, /*     */ "---L------"},
	{EVENT_REJECT, /*             */ "-jjj------"},
	{EVENT_WITHDRAW, /*           */ "-ww-------"},
	{EVENT_STOP, /*               */ "-ssss-----"},
	{EVENT_SUPERSEDE, /*          */ "---pp-----"},
	{EVENT_EXPIRE, /*             */ "-x--------"},
	{EVENT_IMPORT_ID, /*          */ "I---------"},
	{EVENT_IMPORT_LOGO, /*        */ "L---------"},
	{EVENT_IMPORT_STOPPED, /*     */ "s---------"},
	{EVENT_UNDO_TO_UNCONFIRMED, /**/ "-----UUU-U"},
	{EVENT_UNDO_TO_RECEIVED, /*   */ "---R-RRR--"},
	{EVENT_UNDO_TO_ID, /*         */ "----II-I--"},
	{EVENT_UNDO_TO_LOGO, /*       */ "-------L--"},
	{(enum event)18, /*           */ "----------"},
	{(enum event)19, /*           */ "----------"},
	{EVENT_HOLD, /*               */ "-URIL-----"},
	{EVENT_RELEASE, /*            */ "-URIL-----"},
	{EVENT_REVIEW, /*             */ "-URILjwspx"},
	{EVENT_APPROVE, /*            */ "-URIL-----"},
	{EVENT_CORRECT, /*            */ "-URIL-----"},
	{EVENT_QUEUE, /*              */ "-URILjwspx"},
	{EVENT_SENT, /*               */ "-URILjwspx"},
	{EVENT_DEFERRED, /*           */ "-URILjwspx"},
	{EVENT_FAILED, /*             */ "-URILjwspx"},
	{EVENT_UNKNOWN, /*            */ "-URILjwspx"},
	{EVENT_CANCEL, /*             */ "-URILjwspx"},
	{EVENT_RESEND, /*             */ "-URIL-----"},
	{EVENT_REFUSED_ROW, /*        */ "----------"},
	{EVENT_FILE, /*               */ "----------"},
	{EVENT_CEILING, /*            */ "----------"},
	{EVENT_RESTORED, /*           */ "----------"},
	{EVENT_VOID_NUMBER, /*        */ "-URILjwspx"},
	{EVENT_NEWS, /*               */ "-URILjwspx"},
	{EVENT_IN_FLIGHT, /*          */ "-URILjwspx"},
	{EVENT_REQUEST, /*            */ "-URILjwspx"},
	{EVENT_ASKED, /*              */ "-URILjwspx"},
	{EVENT_PROVEN, /*             */ "-URILjwspx"},
	{EVENT_REQUEST_REVIEW, /*     */ "-URILjwspx"},
	{EVENT_REQUEST_CLOSED, /*     */ "-URILjwspx"},
	{EVENT_BOUNCE, /*             */ "-URILjwspx"},
	{EVENT_PAUSE, /*              */ "----------"},
	{EVENT_RESUME, /*             */ "----------"},
	{EVENT_BATCH, /*              */ "----------"},
	{EVENT_ERASE, /*              */ "-URILjwspx"},
	{EVENT_PURGE, /*              */ "----------"},
	{EVENT_PUBLISH, /*            */ "----------"},
	{EVENT_DESK_MAIL, /*          */ "----------"},
};

#define EXPECTED_COUNT (sizeof(expected) / sizeof(expected[0]))

static void test_transition__every_cell(void **ctx)
{
	(void)ctx;
	assert_int_equal(EXPECTED_COUNT, EVENT_COUNT);
	assert_int_equal(strlen(letters), STATE_COUNT);
	for (int event = 0; event < EVENT_COUNT; event++) {
		assert_int_equal(expected[event].event, event);
		for (int state = 0; state < STATE_COUNT; state++) {
			enum state next = transition_get((enum state)state, (enum event)event).next;

			if (letters[next] != expected[event].next[state])
				fail_msg("%s + %s leads to %s", state_name((enum state)state),
					event_name((enum event)event), state_name(next));
		}
	}
}

static bool is_undo(int event)
{
	return event >= EVENT_UNDO_TO_UNCONFIRMED && event <= EVENT_UNDO_TO_LOGO;
}

/* With an undo, what the step taken back had queued is cancelled. */
static void test_transition__what_comes_with_it(void **ctx)
{
	(void)ctx;
	for (int event = 0; event < EVENT_COUNT; event++) {
		for (int state = 0; state < STATE_COUNT; state++) {
			struct transition cell = transition_get((enum state)state, (enum event)event);
			bool moves = cell.next != STATE_NONE && cell.next != (enum state)state;
			bool ends = moves && !state_is_live(cell.next);

			assert_int_equal(cell.ends, ends);
			/* What was never in the register has nothing queued. */
			assert_int_equal(cell.cancels_queued,
				(ends && state != STATE_NONE) || (moves && is_undo(event)));
			assert_int_equal(
				cell.issues_numbers, event == EVENT_ISSUE_ID && state == STATE_RECEIVED);
		}
	}
}

/* But for staff who take it back. */
static void test_transition__ends_are_final(void **ctx)
{
	static const enum state ends[] = {
		STATE_REJECTED, STATE_WITHDRAWN, STATE_STOPPED, STATE_SUPERSEDED, STATE_EXPIRED};

	(void)ctx;
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		for (int event = 0; event < EVENT_COUNT; event++) {
			enum state next = transition_get(ends[i], (enum event)event).next;

			assert_true(next == STATE_NONE || next == ends[i] || is_undo(event));
		}
	}
}

static void test_transition__outside_the_table(void **ctx)
{
	(void)ctx;
	assert_int_equal(transition_get(STATE_COUNT, EVENT_STOP).next, STATE_NONE);
	assert_int_equal(transition_get(STATE_RECEIVED, EVENT_COUNT).next, STATE_NONE);
	assert_int_equal(transition_get(STATE_RECEIVED, (enum event)1000).next, STATE_NONE);
}

static void test_transition__refusal_for_staff(void **ctx)
{
	(void)ctx;
	assert_string_equal(
		transition_refusal_ja(STATE_REJECTED, EVENT_HOLD), "「却下」の申込みは保留にできません。");
	assert_string_equal(transition_refusal_ja(STATE_ID_ISSUED, EVENT_WITHDRAW),
		"「ID発行済み」の申込みは取下げできません。");
	assert_string_equal(transition_refusal_ja(STATE_RECEIVED, EVENT_FILE),
		"「受付済み」の申込みはこの処理ができません。");
	assert_string_equal(
		transition_refusal_ja(STATE_NONE, EVENT_STOP), "その申込みはまだ登録されていません。");
	/* Every refused cell has words, whatever was asked. */
	for (int event = 0; event < EVENT_COUNT; event++)
		for (int state = 0; state < STATE_COUNT; state++)
			assert_non_null(strstr(
				transition_refusal_ja((enum state)state, (enum event)event), "申込み"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_transition__every_cell),
		cmocka_unit_test(test_transition__what_comes_with_it),
		cmocka_unit_test(test_transition__ends_are_final),
		cmocka_unit_test(test_transition__outside_the_table),
		cmocka_unit_test(test_transition__refusal_for_staff),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
