#include "lib/base/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "lib/base/file.h"
#include "lib/base/log.h"

#define OPENSSL_BYTES (1024 * 1024) /* some dozens of keys, and what is reckoned with them */
#define OPENSSL_LEAST 32 /* bytes it hands out at least */
#define OPENSSL_MOST 4096 /* larger pieces are no keys */

static size_t page_size(void)
{
	static size_t size;
	if (!size)
		size = (size_t)sysconf(_SC_PAGESIZE);
	return size;
}

static void tell_unlocked(void)
{
	static bool told;
	if (!told)
		log_event(LEVEL_NOTICE, "secret.unlocked", "reason=\"%s\"", errno_text(errno));
	told = true;
}

/* ---- pages ---- */

static void pages_get(struct secret *secret, size_t size)
{
	size_t page = page_size();
	size = (size + page - 1) / page * page;
	/* The first and the last page stay out of reach: nobody runs over into a secret or out of it. */
	char *at = mmap(NULL, size + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (at == MAP_FAILED || mprotect(at + page, size, PROT_READ | PROT_WRITE) != 0)
		die("out of memory (%zu bytes for a secret)", size);
	(void)madvise(at + page, size, MADV_DONTDUMP);
	if (mlock(at + page, size) != 0)
		tell_unlocked();
	secret->bytes = at + page;
	secret->size = size;
}

void secret_free(struct secret *secret)
{
	if (secret->size) {
		size_t page = page_size();
		wipe(secret->bytes, secret->size);
		(void)munmap(secret->bytes - page, secret->size + 2 * page);
	}
	*secret = SECRET_INIT;
}

char *secret_room(struct secret *secret, size_t len)
{
	secret_free(secret);
	if (len > SECRET_MAX)
		die("a secret of %zu bytes", len);
	pages_get(secret, len + 1);
	secret->len = len;
	return secret->bytes;
}

void secret_set(struct secret *secret, const void *bytes, size_t len)
{
	memcpy(secret_room(secret, len), bytes, len);
}

void secret_cut(struct secret *secret, size_t len)
{
	if (len >= secret->len)
		return;
	wipe(secret->bytes + len, secret->len - len);
	secret->len = len;
}

/* ---- from where they lie ---- */

static enum rc read_in(
	struct secret *secret, int fd, const char *path, const struct stat *st, struct err *err)
{
	if (!S_ISREG(st->st_mode))
		return err_set(err, RC_CONFIG, "The secret in %s is not a regular file.", path);
	if (st->st_size > SECRET_MAX)
		return err_set(err, RC_CONFIG, "The secret in %s has more than %u bytes.", path, SECRET_MAX);
	char *at = secret_room(secret, (size_t)st->st_size);
	size_t have = 0;
	while (have < secret->len) {
		ssize_t n = read(fd, at + have, secret->len - have);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(err, RC_CONFIG, "The secret in %s could not be read: %s.", path,
				errno_text(errno));
		if (n == 0)
			break;
		have += (size_t)n;
	}
	secret_cut(secret, have);
	return RC_OK;
}

/* Links are followed here, unlike elsewhere: systemd and administrators lay secrets out as links. */
static enum rc read_file(struct secret *secret, const char *path, bool check_mode, struct err *err)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return err_set(
			err, RC_CONFIG, "The secret in %s could not be opened: %s.", path, errno_text(errno));
	enum rc rc = RC_OK;
	struct stat st;
	if (fstat(fd, &st) != 0)
		rc = err_set(err, RC_CONFIG, "The secret in %s could not be looked at: %s.", path,
			errno_text(errno));
	else if (check_mode && (st.st_mode & S_IRWXO) != 0)
		rc = err_set(err, RC_CONFIG,
			"The secret in %s is open to every user of the machine; take the rights of others "
			"away (chmod o= %s).",
			path, path);
	else
		rc = read_in(secret, fd, path, &st, err);
	(void)close(fd);
	return rc;
}

enum rc secret_read(struct secret *secret, const char *where, struct err *err)
{
	static const char prefix[] = "credential:";
	struct str path = STR_INIT;
	bool is_credential = str_has_prefix(where, prefix);
	secret_free(secret);
	if (is_credential) {
		const char *name = where + strlen(prefix);
		const char *dir = getenv("CREDENTIALS_DIRECTORY");
		if (!*name || strchr(name, '/') || name[0] == '.')
			return err_set(err, RC_CONFIG, "\"%s\" is not the name of a credential.", where);
		if (!dir || !*dir)
			return err_set(err, RC_CONFIG,
				"\"%s\" is wanted, but no credentials were handed over; start it by its "
				"systemd unit with LoadCredential=%s, or name a file.",
				where, name);
		path_join(&path, dir, name);
	} else {
		str_addz(&path, where);
	}
	enum rc rc = read_file(secret, path.s, !is_credential, err);
	str_free(&path);
	if (rc != RC_OK) {
		secret_free(secret);
		return rc;
	}
	if (secret->len > 0 && secret->bytes[secret->len - 1] == '\n')
		secret_cut(secret, secret->len - 1);
	if (secret->len > 0 && secret->bytes[secret->len - 1] == '\r')
		secret_cut(secret, secret->len - 1);
	return RC_OK;
}

/* ---- keys that OpenSSL holds ---- */

/* Its own allocator with locked pages serves the private parts of keys by itself; what is reckoned with them (Montgomery forms of the primes, key schedules)
 * comes there through these. What no longer fits the arena is ordinary memory, wiped all the same. */

static void *openssl_malloc(size_t size, const char *file, int line)
{
	void *at = size <= OPENSSL_MOST && CRYPTO_secure_malloc_initialized()
			   ? CRYPTO_secure_malloc(size, file, line)
			   : NULL;
	return at ? at : malloc(size);
}

static size_t size_of(void *at)
{
	return CRYPTO_secure_allocated(at) ? CRYPTO_secure_actual_size(at) : malloc_usable_size(at);
}

static void openssl_free(void *at, const char *file, int line)
{
	if (at && CRYPTO_secure_allocated(at)) {
		CRYPTO_secure_free(at, file, line); /* wipes */
	} else if (at) {
		wipe(at, malloc_usable_size(at));
		free(at);
	}
}

static void *openssl_realloc(void *at, size_t size, const char *file, int line)
{
	void *fresh = size ? openssl_malloc(size, file, line) : NULL;
	if (fresh && at) {
		size_t had = size_of(at);
		memcpy(fresh, at, had < size ? had : size);
	}
	if (fresh || !size)
		openssl_free(at, file, line);
	return fresh;
}

void secret_openssl_wipes(void)
{
	(void)CRYPTO_set_mem_functions(openssl_malloc, openssl_realloc, openssl_free);
}

/* What OpenSSL left on the stack while it read a key. */
static void __attribute__((noinline)) wipe_stack(void)
{
	char below[32 * 1024];
	wipe(below, sizeof below);
}

struct evp_pkey_st *secret_key_read(const char *pem, size_t len)
{
	/* 2: it got its pages, and could not lock them. */
	if (!CRYPTO_secure_malloc_initialized() &&
		CRYPTO_secure_malloc_init(OPENSSL_BYTES, OPENSSL_LEAST) == 2)
		tell_unlocked();
	BIO *bio = BIO_new_mem_buf(pem, (int)len);
	/* An empty pass phrase: never ask on a terminal. */
	EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, NULL, (void *)str_empty) : NULL;
	BIO_free(bio);
	ERR_clear_error();
	wipe_stack();
	return key;
}
