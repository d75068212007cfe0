#include "daemon/simulate.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "daemon/places.h"
#include "daemon/spool.h"
#include "daemon/turn.h"
#include "lib/base/file.h"

#define SEED 0x5e6e6eULL /* any number: a run repeated gives the same bytes */

struct simulation {
	struct turn turn;
	utc_time from, until;
	int64_t printed; /* history rows printed so far */
	bool verbose;
};

/* ---- what a person sees ---- */

static enum rc print_row(void *ctx, const struct history_row *row, struct err *err)
{
	(void)err;
	struct simulation *simulation = ctx;
	struct str line = STR_INIT;
	civil_time_print(&line, row->at);
	if (row->application_id)
		str_printf(&line, "  #%" PRId64, row->application_id);
	str_printf(&line, "  %s", event_name(row->event));
	if (row->from != row->to)
		str_printf(&line, "  %s -> %s", state_name(row->from), state_name(row->to));
	if (row->number)
		str_printf(&line, "  (%" PRId64 ")", row->number);
	(void)puts(line.s);
	str_free(&line);
	simulation->printed = row->seq;
	return RC_OK;
}

static enum rc print_new(struct simulation *simulation, struct err *err)
{
	if (!simulation->verbose)
		return RC_OK;
	return history_each(
		simulation->turn.house.office.store, 0, simulation->printed, print_row, simulation, err);
}

static enum rc print_summary(const struct simulation *simulation, struct err *err)
{
	struct books books = {0};
	enum rc rc = store_books(simulation->turn.house.office.store, &books, err);
	if (rc)
		return rc;
	struct str text = STR_INIT;
	str_addz(&text, "simulated ");
	civil_time_print(&text, simulation->from);
	str_addz(&text, " to ");
	civil_time_print(&text, simulation->until);
	str_printf(&text, "\nrows %" PRId64 ", refused %" PRId64 ", same %" PRId64 "\napplications %" PRId64,
		books.rows, books.refused, books.same, books.applications);
	for (int state = STATE_UNCONFIRMED; state < STATE_COUNT; state++)
		if (books.by_state[state])
			str_printf(
				&text, ", %s %" PRId64, state_name((enum state)state), books.by_state[state]);
	str_printf(&text, ", held %" PRId64 ", in review %" PRId64 "\nnotices", books.held, books.review);
	const char *comma = " ";
	for (int state = OUTBOX_QUEUED; state <= OUTBOX_CANCELLED; state++) {
		if (books.outbox[state]) {
			str_printf(&text, "%s%s %" PRId64, comma, outbox_state_name((enum outbox_state)state),
				books.outbox[state]);
			comma = ", ";
		}
	}
	(void)puts(text.s);
	str_free(&text);
	return RC_OK;
}

/* ---- before the first step ---- */

static bool is_loopback(const char *host)
{
	return host &&
	       (strcmp(host, "localhost") == 0 || strcmp(host, "::1") == 0 || str_has_prefix(host, "127."));
}

/* A copy of live data must never mail real people. */
static enum rc check_transport(const struct settings *settings, struct err *err)
{
	if (settings->transport.maildir || settings->allow.count > 0 || is_loopback(settings->transport.host))
		return RC_OK;
	return err_set(err, RC_CONFIG,
		"%s: a simulation delivers into a Maildir, to a server on this machine, or to the addresses "
		"of "
		"`allow`; configure one of them.",
		settings->path);
}

static enum rc read_moment(
	utc_time *at, const char *text, const char *option, bool end_of_day, struct err *err)
{
	if (!civil_time_read(text, at))
		return err_set(err, RC_USAGE,
			"%s: \"%s\" is no date; write 2026-12-31 or \"2026-12-31 09:30\".", option, text);
	if (end_of_day && strlen(text) == strlen("2026-12-31"))
		*at = civil_moment(civil_day_of(*at) + 1, 0) - 1;
	return RC_OK;
}

/* The zone is known, and the spool, when the settings have been read; the register is opened after that. */
static enum rc set_times(struct simulation *simulation, const struct settings *settings, const char *until,
	const char *from, struct err *err)
{
	enum rc rc = read_moment(&simulation->until, until, "--simulate-until", true, err);
	if (rc)
		return rc;
	if (from)
		rc = read_moment(&simulation->from, from, "--from", false, err);
	else if (!spool_oldest(settings->spool_directory, &simulation->from)) {
		const struct clock system = clock_system();
		simulation->from = civil_moment(civil_day_of(clock_now(&system)), 0);
	}
	if (!rc && simulation->from > simulation->until)
		rc = err_set(err, RC_USAGE, "The simulation would end before it begins; see --from.");
	return rc;
}

/* Without a configured key one is made in the state directory, from chance: then no two runs would give the same bytes. */
static enum rc make_key(const struct settings *settings, struct err *err)
{
	struct str path = STR_INIT;
	enum rc rc = file_mkdirs(settings->state_directory, 0750, err);
	path_join(&path, settings->state_directory, "credential.key");
	if (!rc && !settings->credential_key_from && access(path.s, F_OK) != 0) {
		uint8_t key[SEAL_KEY_LEN];
		struct rng rng = rng_seeded(SEED);
		rng_bytes(&rng, key, sizeof key);
		rc = file_write(path.s, key, sizeof key, 0600, err);
	}
	str_free(&path);
	return rc;
}

static enum rc prepare(struct simulation *simulation, const char *config, const char *until, const char *from,
	struct err *err)
{
	struct settings *settings = NULL;
	enum rc rc = settings_load(&settings, config, err);
	if (rc)
		return rc;
	rc = check_transport(settings, err);
	rc = rc ? rc : set_times(simulation, settings, until, from, err);
	rc = rc ? rc : make_key(settings, err);
	settings_free(&settings);
	return rc;
}

/* ---- the run ---- */

/* A simulation that goes on from an earlier one must not draw that one's numbers over again: each would be found taken. */
static enum rc seed_anew(struct simulation *simulation, struct err *err)
{
	struct role_context *house = &simulation->turn.house;
	int64_t seq = 0;
	uint8_t hash[SHA256_LEN];
	enum rc rc = history_head(house->office.store, &seq, hash, err);
	if (!rc)
		house->rng = rng_seeded(SEED + (uint64_t)seq);
	return rc;
}

static enum rc run(struct simulation *simulation, struct err *err)
{
	struct turn *turn = &simulation->turn;
	utc_time now = simulation->from;
	while (now <= simulation->until) {
		utc_time next;
		clock_set(&turn->house.clock, now);
		enum rc rc = turn_pass(turn, now, &next, err);
		struct err ignored = {0};
		(void)print_new(simulation, &ignored);
		if (rc)
			return rc;
		if (next == UTC_NEVER)
			break;
		now = next > now ? next : now + 1;
	}
	return print_summary(simulation, err);
}

enum rc simulate_run(const char *config, const char *until, const char *from, bool verbose)
{
	struct simulation simulation = {.verbose = verbose};
	struct err err = {0};
	enum rc rc = prepare(&simulation, config, until, from, &err);
	if (!rc) {
		const struct clock clock = clock_virtual(simulation.from);
		const struct rng rng = rng_seeded(SEED);
		rc = turn_open(&simulation.turn, config, &clock, &rng, true, &err);
		rc = rc ? rc
			: role_confine(&simulation.turn.house.places, CONFINED_TURN,
				  simulation.turn.house.settings, &err);
		rc = rc ? rc : seed_anew(&simulation, &err);
		rc = rc ? rc : run(&simulation, &err);
		turn_close(&simulation.turn);
	}
	if (rc)
		(void)fprintf(stderr, "sengend: %s\n", err.text);
	return rc;
}
