/* The declarations on file as a CSV, and a form that is held against them. */
#include "lib/form/registry_csv.h"
#include "tests/fuzz/fuzz.h"

static enum rc each(void *ctx, const struct registry_row *row, struct err *err)
{
	int *rows = ctx;
	(void)err;
	MUST(row->record > *rows);
	*rows = row->record;
	if (row->fault) {
		must_be_text(row->fault);
		return RC_OK;
	}
	MUST(row->declaration_id >= 0 && row->user_number >= 0 && row->star >= 0 && row->star <= 2);
	for (int field = 0; field < FIELD_COUNT; field++)
		if (row->form.value[field])
			must_be_text(row->form.value[field]);
	return RC_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fieldmap *map;
	struct err err = {0};
	struct csv_registry *registry = NULL;
	int rows = 0;
	MUST(map || fieldmap_load(&map, NULL, &err) == RC_OK);
	const char *path = fuzz_file("registry.csv", data, size);
	enum rc rc = registry_csv_read(path, map, each, &rows, &err);
	MUST(rc == RC_OK || (rc == RC_REFUSED && *err.text));
	enum rc loaded = csv_registry_load(&registry, path, map, &err);
	MUST(loaded == RC_OK || *err.text);
	csv_registry_free(&registry);
	return 0;
}
