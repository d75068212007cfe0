#include "lib/mail/zipped.h"

#include <string.h>
#include <zip.h>

#include "lib/mail/message.h"

#define ENTRIES_MAX 64
#define ENTRY_BYTES_MAX ((zip_uint64_t)8 * 1024 * 1024)
#define ALL_BYTES_MAX ((zip_uint64_t)32 * 1024 * 1024) /* of all entries */

/* Reads one entry whole; NULL when it is larger than is read, encrypted or broken. */
static char *entry_read(
	zip_t *zip, zip_uint64_t index, const zip_stat_t *stat, struct pool *pool, size_t *len)
{
	if (!(stat->valid & ZIP_STAT_SIZE) || stat->size > ENTRY_BYTES_MAX || stat->size == 0 ||
		((stat->valid & ZIP_STAT_ENCRYPTION_METHOD) && stat->encryption_method != ZIP_EM_NONE))
		return NULL;
	zip_file_t *file = zip_fopen_index(zip, index, 0);
	if (!file)
		return NULL;
	char *bytes = pool_alloc(pool, (size_t)stat->size + 1);
	zip_int64_t got = zip_fread(file, bytes, stat->size);
	int fault = zip_fclose(file);
	*len = (size_t)stat->size;
	return got == (zip_int64_t)stat->size && fault == 0 ? bytes : NULL;
}

static enum rc entries_read(struct zipped *out, zip_t *zip, struct pool *pool, struct err *err)
{
	zip_int64_t count = zip_get_num_entries(zip, 0);
	int found = 0;
	zip_uint64_t all = 0;
	if (count > ENTRIES_MAX)
		return err_set(err, RC_REFUSED, "The ZIP holds more than %d files.", ENTRIES_MAX);
	for (zip_uint64_t i = 0; i < (zip_uint64_t)count; i++) {
		zip_stat_t stat;
		size_t len = 0;
		if (zip_stat_index(zip, i, ZIP_FL_ENC_RAW, &stat) != 0)
			continue;
		if (stat.name && *stat.name && stat.name[strlen(stat.name) - 1] == '/')
			continue;
		all += stat.valid & ZIP_STAT_SIZE && stat.size < ALL_BYTES_MAX ? stat.size : ALL_BYTES_MAX;
		char *bytes = all <= ALL_BYTES_MAX ? entry_read(zip, i, &stat, pool, &len) : NULL;
		if (!bytes)
			return err_set(err, RC_REFUSED,
				"A file in the ZIP can't be unpacked: it is encrypted, damaged or too "
				"large.");
		if (part_kind_tell(bytes, len, "") != PART_DOCX)
			continue;
		*out = (struct zipped){pool_strdup(pool, stat.name ? stat.name : ""), bytes, len};
		if (++found > 1)
			return err_set(err, RC_REFUSED, "The ZIP holds several Word files.");
	}
	return found == 1 ? RC_OK : err_set(err, RC_REFUSED, "The ZIP holds no Word file that can be read.");
}

enum rc zipped_word_file(
	struct zipped *out, const char *bytes, size_t len, struct pool *pool, struct err *err)
{
	zip_error_t why;
	zip_error_init(&why);
	zip_source_t *source = zip_source_buffer_create(bytes, len, 0, &why);
	zip_t *zip = source ? zip_open_from_source(source, ZIP_RDONLY, &why) : NULL;
	enum rc rc;
	if (zip) {
		rc = entries_read(out, zip, pool, err);
		zip_discard(zip);
	} else {
		rc = err_set(err, RC_REFUSED, "The ZIP can't be unpacked: %s.", zip_error_strerror(&why));
		if (source)
			zip_source_free(source);
	}
	zip_error_fini(&why);
	return rc;
}
