#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <systemd/sd-id128.h>

#include "lib/base/crypt.h"
#include "lib/base/host.h"

/* The register knows the machine by what systemd's own function gives. */
static void test_host__identity_is_that_of_systemd(void **state)
{
	(void)state;
	sd_id128_t id;
	struct str own = STR_INIT, theirs = STR_INIT;
	host_identity(&own);
	assert_int_equal(own.len, 32);
	if (sd_id128_get_machine_app_specific(
		    SD_ID128_MAKE(6b, 1f, 0c, 52, 8e, 3d, 4a, 97, b0, 64, d1, 7c, 2e, 95, 83, fa), &id) >=
		0) {
		hex_add(&theirs, id.bytes, sizeof id.bytes);
		assert_string_equal(own.s, theirs.s);
	}
	str_free(&own);
	str_free(&theirs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_host__identity_is_that_of_systemd),
	};
	return cmocka_run_group_tests_name("host", tests, NULL, NULL);
}
