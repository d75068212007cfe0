#include "lib/base/conf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/file.h"

struct inner {
	int64_t port;
	char *host;
};

struct pair {
	int64_t left;
};

struct sample {
	bool flag;
	int64_t number;
	int small;
	double ratio;
	char *text;
	char *maybe;
	int choice;
	struct strlist list;
	struct inner inner;
	struct pair pair[4];
	size_t pair_count;
};

static void *add_pair(void *base)
{
	struct sample *sample = (struct sample *)((char *)base - offsetof(struct sample, pair));
	assert_true(sample->pair_count < 4);
	return &sample->pair[sample->pair_count++];
}

static const char *const colours[] = {"red", "green", NULL};

static const struct conf_key inner_keys[] = {
	{.name = "port",
		.type = CONF_INT,
		.offset = offsetof(struct inner, port),
		1,
		65535,
		.fallback = "25"},
	{.name = "host",
		.type = CONF_STRING,
		.offset = offsetof(struct inner, host),
		.fallback = "localhost"},
	{0},
};

static const struct conf_key pair_keys[] = {
	{.name = "left", .type = CONF_INT, .offset = offsetof(struct pair, left)},
	{0},
};

static const struct conf_key keys[] = {
	{.name = "flag", .type = CONF_BOOL, .offset = offsetof(struct sample, flag), .fallback = "true"},
	{.name = "number",
		.type = CONF_INT,
		.offset = offsetof(struct sample, number),
		.min = -10,
		.max = INT64_C(1000000000000),
		.fallback = "7"},
	{.name = "small",
		.type = CONF_INT32,
		.offset = offsetof(struct sample, small),
		.min = 0,
		.max = 100,
		.fallback = "3"},
	{.name = "ratio",
		.type = CONF_FLOAT,
		.offset = offsetof(struct sample, ratio),
		.min = 0,
		.max = 2,
		.fallback = "0.5"},
	{.name = "text", .type = CONF_STRING, .offset = offsetof(struct sample, text), .fallback = "既定"},
	{.name = "maybe",
		.type = CONF_STRING,
		.offset = offsetof(struct sample, maybe),
		.fallback = conf_null},
	{.name = "choice",
		.type = CONF_CHOICE,
		.offset = offsetof(struct sample, choice),
		.fallback = "green",
		.choices = colours},
	{.name = "list", .type = CONF_LIST, .offset = offsetof(struct sample, list), .fallback = "a, b"},
	{.name = "inner", .type = CONF_GROUP, .offset = offsetof(struct sample, inner), .keys = inner_keys},
	{.name = "pairs",
		.type = CONF_GROUPS,
		.offset = offsetof(struct sample, pair),
		.keys = pair_keys,
		.add = add_pair},
	{0},
};

static void test_conf__defaults_without_a_file(void **state)
{
	(void)state;
	struct sample sample = {0};
	struct err err;
	assert_int_equal(conf_read(NULL, keys, &sample, &err), RC_OK);
	assert_true(sample.flag);
	assert_int_equal(sample.number, 7);
	assert_int_equal(sample.small, 3);
	assert_true(sample.ratio > 0.49 && sample.ratio < 0.51);
	assert_string_equal(sample.text, "既定");
	assert_null(sample.maybe);
	assert_int_equal(sample.choice, 1);
	assert_int_equal(sample.list.count, 2);
	assert_string_equal(sample.list.item[1], "b");
	assert_int_equal(sample.inner.port, 25);
	assert_string_equal(sample.inner.host, "localhost");
	assert_int_equal(sample.pair_count, 0);
	conf_free(keys, &sample);
	assert_null(sample.text);
	assert_null(sample.inner.host);
}

static void test_conf__every_type(void **state)
{
	(void)state;
	static const char text[] = "# 注釈 3000000000\n"
				   "flag = false; // 12\n"
				   "number = 3000000000; /* 5\n */ small = 0x10;\n"
				   "ratio = 1;\n"
				   "text = \"日本語 3000000000 # no comment\";\n"
				   "maybe = \"\";\n"
				   "choice = \"red\";\n"
				   "list = [\"x\", \"y, z\"];\n"
				   "inner = { port = 587; };\n"
				   "pairs = ( { left = -9000000000; }, { left = 010; } );\n";
	struct sample sample = {0};
	struct err err;
	assert_int_equal(conf_read_text(text, "t.conf", keys, &sample, &err), RC_OK);
	assert_false(sample.flag);
	assert_int_equal(sample.number, INT64_C(3000000000));
	assert_int_equal(sample.small, 16);
	assert_true(sample.ratio > 0.99 && sample.ratio < 1.01);
	assert_string_equal(sample.text, "日本語 3000000000 # no comment");
	assert_string_equal(sample.maybe, "");
	assert_int_equal(sample.choice, 0);
	assert_int_equal(sample.list.count, 2);
	assert_string_equal(sample.list.item[1], "y, z");
	assert_int_equal(sample.inner.port, 587);
	assert_string_equal(sample.inner.host, "localhost");
	assert_int_equal(sample.pair_count, 2);
	assert_true(sample.pair[0].left == INT64_C(-9000000000));
	assert_int_equal(sample.pair[1].left, 10);
	conf_free(keys, &sample);
}

static void test_conf__refusals_name_file_and_line(void **state)
{
	(void)state;
	static const struct {
		const char *text, *where, *what;
	} cases[] = {
		{"\nnumbr = 1;", "t.conf:2: ", "did you mean \"number\""},
		{"zzzzzzzz = 1;", "t.conf:1: ", "no key \"zzzzzzzz\""},
		{"inner = {\n prt = 1; };", "t.conf:2: ", "did you mean \"port\""},
		{"flag = 1;", "t.conf:1: ", "must be true or false; it is a whole number"},
		{"\n\nnumber = \"7\";", "t.conf:3: ", "must be a whole number; it is a string"},
		{"number = 1.5;", "t.conf:1: ", "it is a number with a fraction"},
		{"number = -11;", "t.conf:1: ", "from -10 to 1000000000000; it is -11"},
		{"number = 1000000000001;", "t.conf:1: ", "it is 1000000000001"},
		{"number = 99999999999999999999;", "t.conf:1: ", "beyond 64 bits"},
		{"small = 4294967297;", "t.conf:1: ", "from 0 to 100; it is 4294967297"},
		{"ratio = 3;", "t.conf:1: ", "from 0 to 2; it is 3"},
		{"ratio = 2.5;", "t.conf:1: ", "it is 2.5"},
		{"text = true;", "t.conf:1: ", "a string in quotes; it is true or false"},
		{"choice = \"blue\";", "t.conf:1: ", "one of \"red\", \"green\"; it is \"blue\""},
		{"list = \"a\";", "t.conf:1: ", "a list of strings"},
		{"list = (\"a\",\n 5);", "t.conf:", "element 2 is a whole number"},
		{"inner = 5;", "t.conf:1: ", "a group"},
		{"pairs = { left = 1; };", "t.conf:1: ", "a list of groups"},
		{"pairs = ( { } );", "t.conf:1: ", "the key \"left\" is missing"},
		{"flag = true;\nflag = true;", "t.conf:2: ", "duplicate"},
		{"flag = true;\n\nnumber = ;", "t.conf:3: ", "syntax error"},
		{"日本語 = 1;", "t.conf:1: ", "syntax error"},
		{"text = \"\xE3\x81\";", "t.conf: ", "not UTF-8"},
		{"@include \"/nonexistent/x.conf\"", "/nonexistent/x.conf: ", "could not be opened"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct sample sample = {0};
		struct err err = {0};
		print_message("%s\n", cases[i].text);
		assert_int_equal(conf_read_text(cases[i].text, "t.conf", keys, &sample, &err), RC_CONFIG);
		if (strncmp(err.text, cases[i].where, strlen(cases[i].where)) != 0 ||
			!strstr(err.text, cases[i].what))
			fail_msg("got: %s", err.text);
		assert_null(sample.text);
		assert_null(sample.list.item);
	}
}

static void put_file(const char *dir, const char *name, const char *text)
{
	struct str path = STR_INIT;
	struct err err;
	path_join(&path, dir, name);
	assert_int_equal(file_write(path.s, text, strlen(text), 0644, &err), RC_OK);
	str_free(&path);
}

static void test_conf__include_is_relative_and_keeps_lines(void **state)
{
	(void)state;
	char dir[] = "/tmp/test_conf.XXXXXX";
	struct sample sample = {0};
	struct err err = {0};
	struct str path = STR_INIT;
	assert_non_null(mkdtemp(dir));
	path_join(&path, dir, "main.conf");

	put_file(dir, "main.conf", "flag = false;\n@include \"part.conf\"\nnumber = 5000000000;\n");
	put_file(dir, "part.conf", "\xEF\xBB\xBFtext = \"部分\";\n");
	assert_int_equal(conf_read(path.s, keys, &sample, &err), RC_OK);
	assert_string_equal(sample.text, "部分");
	assert_int_equal(sample.number, INT64_C(5000000000));
	conf_free(keys, &sample);

	put_file(dir, "part.conf", "\n\ntext = 5;\n");
	assert_int_equal(conf_read(path.s, keys, &sample, &err), RC_CONFIG);
	assert_non_null(strstr(err.text, "/part.conf:3: "));

	put_file(dir, "part.conf", "text = \"x\";\n");
	put_file(dir, "main.conf", "@include \"part.conf\"\n\nnumber = \"x\";\n");
	assert_int_equal(conf_read(path.s, keys, &sample, &err), RC_CONFIG);
	assert_non_null(strstr(err.text, "/main.conf:3: "));

	put_file(dir, "main.conf", "@include \"main.conf\"\n");
	assert_int_equal(conf_read(path.s, keys, &sample, &err), RC_CONFIG);
	assert_non_null(strstr(err.text, "circle"));

	put_file(dir, "main.conf", "flag = true;\n@include part.conf\n");
	assert_int_equal(conf_read(path.s, keys, &sample, &err), RC_CONFIG);
	assert_non_null(strstr(err.text, "/main.conf:2: "));

	(void)unlink(path.s);
	str_clear(&path);
	path_join(&path, dir, "part.conf");
	(void)unlink(path.s);
	assert_int_equal(rmdir(dir), 0);
	str_free(&path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_conf__defaults_without_a_file),
		cmocka_unit_test(test_conf__every_type),
		cmocka_unit_test(test_conf__refusals_name_file_and_line),
		cmocka_unit_test(test_conf__include_is_relative_and_keeps_lines),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
