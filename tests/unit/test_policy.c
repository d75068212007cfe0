#include "office_rig.h"

#include "lib/office/inbound_p.h"

#define DAY(year, month, day) civil_from_ymd(year, month, day)

/* The table that sengend.conf has as its example: older declarations move to the new scheme in April 2026. */
#define LINE(request)                                                                                        \
	" { request = \"" request                                                                            \
	"\"; applied_before = \"2026-04-01\"; from = \"2026-04-01\"; action = \"guide\"; }"
static const char cut_over[] =
	"policy = (" LINE("change") "," LINE("resend") "," LINE("id-enquiry") "," LINE("step-up") " );";

static void test_policy__cut_over(void **state)
{
	struct rig *rig = *state;
	static const struct {
		enum request_kind kind;
		int applied[3], received[3];
		enum policy_action want;
	} each[] = {
		/* before the cut-over everything is carried out */
		{REQUEST_RESEND, {2024, 5, 1}, {2026, 3, 31}, POLICY_ACT},
		{REQUEST_CHANGE, {2024, 5, 1}, {2026, 3, 31}, POLICY_ACT},
		{REQUEST_ID_ENQUIRY, {2024, 5, 1}, {2026, 3, 31}, POLICY_ACT},
		/* from that day on older declarations are guided */
		{REQUEST_RESEND, {2024, 5, 1}, {2026, 4, 1}, POLICY_GUIDE},
		{REQUEST_CHANGE, {2026, 3, 31}, {2026, 4, 1}, POLICY_GUIDE},
		{REQUEST_ID_ENQUIRY, {2019, 1, 1}, {2030, 1, 1}, POLICY_GUIDE},
		{(enum request_kind)POLICY_STEP_UP, {2026, 3, 31}, {2026, 4, 1}, POLICY_GUIDE},
		/* younger ones are not */
		{REQUEST_RESEND, {2026, 4, 1}, {2026, 4, 1}, POLICY_ACT},
		{REQUEST_CHANGE, {2026, 5, 2}, {2026, 6, 1}, POLICY_ACT},
		/* a stop and leaving the mail news are carried out as ever */
		{REQUEST_STOP, {2024, 5, 1}, {2026, 4, 1}, POLICY_ACT},
		{REQUEST_NEWS_UNSUBSCRIBE, {2024, 5, 1}, {2026, 4, 1}, POLICY_ACT},
	};
	rig_configure(rig, cut_over);
	for (size_t i = 0; i < sizeof each / sizeof each[0]; i++) {
		const int *a = each[i].applied, *r = each[i].received;
		enum policy_action got =
			policy_for(rig->settings, each[i].kind, DAY(a[0], a[1], a[2]), DAY(r[0], r[1], r[2]));
		if (got != each[i].want)
			fail_msg("line %zu: %d, not %d", i, (int)got, (int)each[i].want);
	}
}

/* A step-up comes as a form: the star it starts from decides. */
static void test_policy__step_up(void **state)
{
	struct rig *rig = *state;
	int64_t old = rig_apply(rig, 1);
	rig_run_days(rig, 20);
	int64_t young = rig_apply(rig, 2);
	struct registry registry = office_registry(&rig->office);
	assert_int_equal(registry.step_up(registry.ctx, old), STEP_UP_GOES);
	rig_configure(rig, "policy = ( { request = \"step-up\"; applied_before = \"2026-06-10\"; from = "
			   "\"2026-06-25\"; action = \"guide\"; } );");
	assert_int_equal(registry.step_up(registry.ctx, old), STEP_UP_GOES);
	rig_run_until(rig, rig_at(2026, 6, 25, 0, 0));
	assert_int_equal(registry.step_up(registry.ctx, old), STEP_UP_ENDED);
	assert_int_equal(registry.step_up(registry.ctx, young), STEP_UP_GOES);
	rig_configure(rig, "policy = ( { request = \"step-up\"; action = \"review\"; } );");
	assert_int_equal(registry.step_up(registry.ctx, young), STEP_UP_ASKS_STAFF);
}

static void test_policy__nothing_configured_acts(void **state)
{
	struct rig *rig = *state;
	for (int kind = REQUEST_OTHER; kind < REQUEST_KINDS; kind++)
		assert_int_equal(
			policy_for(rig->settings, (enum request_kind)kind, DAY(2020, 1, 1), DAY(2030, 1, 1)),
			POLICY_ACT);
}

static void test_policy__first_line_that_fits_counts(void **state)
{
	struct rig *rig = *state;
	rig_configure(rig, "policy = ( { request = \"resend\"; from = \"2026-07-01\"; action = \"guide\"; },"
			   " { request = \"resend\"; applied_before = \"2026-01-01\"; action = \"review\"; },"
			   " { request = \"resend\"; action = \"act\"; },"
			   " { request = \"resend\"; action = \"guide\"; } );");
	assert_int_equal(
		policy_for(rig->settings, REQUEST_RESEND, DAY(2025, 1, 1), DAY(2026, 7, 1)), POLICY_GUIDE);
	assert_int_equal(
		policy_for(rig->settings, REQUEST_RESEND, DAY(2025, 1, 1), DAY(2026, 6, 30)), POLICY_REVIEW);
	assert_int_equal(
		policy_for(rig->settings, REQUEST_RESEND, DAY(2026, 1, 1), DAY(2026, 6, 30)), POLICY_ACT);
}

/* Whose declaration it is nobody knows: a line about older ones says nothing about it, a line about all does. */
static void test_policy__unknown_declaration(void **state)
{
	struct rig *rig = *state;
	rig_configure(rig, cut_over);
	assert_int_equal(
		policy_for(rig->settings, REQUEST_RESEND, CIVIL_DAY_NONE, DAY(2026, 4, 1)), POLICY_ACT);
	rig_configure(
		rig, "policy = ( { request = \"resend\"; from = \"2026-04-01\"; action = \"review\"; } );");
	assert_int_equal(
		policy_for(rig->settings, REQUEST_RESEND, CIVIL_DAY_NONE, DAY(2026, 4, 1)), POLICY_REVIEW);
}

/* The days of a request: the form's お申込日, else the day its clock started; the day the mail was taken, in the office's zone. */
static void test_policy__days_of_a_request(void **state)
{
	struct rig *rig = *state;
	rig_configure(rig,
		"policy = ( { request = \"change\"; applied_before = \"2026-04-01\"; from = \"2026-06-02\";"
		" action = \"guide\"; } );");
	struct mail_message message = {.taken_at = rig_at(2026, 6, 2, 0, 0)};
	struct inbound in = {.office = &rig->office,
		.message = &message,
		.request = {.kind = REQUEST_CHANGE},
		.app = {.id = 1, .applied_on = DAY(2026, 3, 31), .clock_start = DAY(2026, 5, 1)},
		.now = rig_at(2026, 7, 1, 0, 0)};
	assert_int_equal(inbound_policy(&in), POLICY_GUIDE);
	message.taken_at = rig_at(2026, 6, 1, 23, 59);
	assert_int_equal(inbound_policy(&in), POLICY_ACT);
	message.taken_at = rig_at(2026, 6, 2, 0, 0);
	in.app.applied_on = CIVIL_DAY_NONE;
	assert_int_equal(inbound_policy(&in), POLICY_ACT);
	in.app.clock_start = DAY(2026, 3, 31);
	assert_int_equal(inbound_policy(&in), POLICY_GUIDE);
	in.app.id = 0;
	assert_int_equal(inbound_policy(&in), POLICY_ACT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_policy__cut_over),
		TEST(test_policy__step_up),
		TEST(test_policy__nothing_configured_acts),
		TEST(test_policy__first_line_that_fits_counts),
		TEST(test_policy__unknown_declaration),
		TEST(test_policy__days_of_a_request),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
