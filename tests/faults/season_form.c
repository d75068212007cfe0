#include "tests/faults/season_p.h"

#include <errno.h>
#include <fcntl.h>
#include <iconv.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "tests/faults/fault.h"

/* The page's labels, in its order. */
static const char *const labels[] = {"宣言の内容（ロゴマークの種類）", "自己宣言の目的",
	"反社会的勢力排除に関する誓約", "担当者名", "担当者メールアドレス", "担当者メールアドレス（確認）",
	"法人／個人事業主", "法人番号", "事業者名", "代表者（姓）", "代表者（名）", "郵便番号", "都道府県",
	"市区町村・番地", "電話番号", "従業員数", "業種（中分類）", "所属団体（商工団体等）",
	"IPAからの情報送付", "個人情報の取り扱いについて", "ロゴマーク使用規約",
	"自己宣言ID（ステップアップの場合）", "お申込日", "アンケート（任意）"};
#define LABELS (sizeof labels / sizeof *labels)

static void number_make(char out[16], int number, int wrong)
{
	char base[13];
	int sum = 0;
	(void)snprintf(base, sizeof base, "%012u", 30000000u + (unsigned)number % 1000);
	for (int i = 0; i < 12; i++)
		sum += (base[11 - i] - '0') * (i % 2 == 0 ? 1 : 2);
	(void)snprintf(out, 16, "%c%s", '1' + (9 - sum % 9 + wrong - 1) % 9, base);
}

void season_make_business(struct season_business *business, int number)
{
	static const char *const names[] = {"株式会社サンプル工業", "有限会社見本商店", "合同会社例示",
		"見本屋", "株式会社①髙﨑ｼｽﾃﾑ", "一般社団法人サンプル会"};
	*business = (struct season_business){
		.sole = fault_draw(5) == 0, .star = fault_draw(3) == 0 ? 2 : 1, .ended_at = SIZE_MAX};
	number_make(business->number, number, 0);
	(void)snprintf(business->name, sizeof business->name, "%s%d",
		names[fault_draw(sizeof names / sizeof *names)], number);
	(void)snprintf(business->mail, sizeof business->mail, "tanto@b%d.example.co.jp", number);
	(void)snprintf(business->later_mail, sizeof business->later_mail, "shinki@b%d.example.jp", number);
}

static void row_values(const struct season_row *row, const char *value[LABELS], char wrong[16])
{
	const struct season_business *business = &season->business[row->business];
	number_make(wrong, (int)(business - season->business), 1);
	const char *const values[LABELS] = {
		business->star == 2 ? "新規に【★★二つ星】を申し込む" : "新規に【★一つ星】を申し込む",
		"取引先からの信頼性を高めるため", row->kind == ROW_EMPTY ? "" : "誓約する", "見本 花子",
		business->mail, row->kind == ROW_MAIL ? "tango@b0.example.co.jp" : business->mail,
		business->sole ? "個人事業主" : "法人",
		row->kind == ROW_NUMBER ? wrong
		: business->sole        ? ""
					: business->number,
		business->name, "見本", "太郎", "100-0001", "東京都", "見本区例示町1-2-3", "03-0000-1201",
		"12", "情報サービス業", "商工会議所", row->business % 2 ? "希望する" : "希望しない",
		"同意する", "同意する", "", "", ""};
	memcpy(value, values, sizeof values);
}

static void csv_cell(struct str *out, const char *value, bool last)
{
	str_printf(out, "%s%s", value, last ? "\r\n" : ",");
}

static void add_csv(struct str *out, const struct season_file *file, size_t turn)
{
	const char *value[LABELS];
	char wrong[16];
	/* Columns in any order. */
	for (size_t i = 0; i < LABELS; i++)
		csv_cell(out, labels[(i + turn) % LABELS], i + 1 == LABELS);
	for (int r = 0; r < file->rows; r++) {
		row_values(&file->row[r], value, wrong);
		for (size_t i = 0; i < LABELS; i++)
			csv_cell(out, value[(i + turn) % LABELS], i + 1 == LABELS);
	}
}

static void add_json(struct str *out, const struct season_file *file)
{
	const char *value[LABELS];
	char wrong[16];
	for (int r = 0; r < file->rows; r++) {
		row_values(&file->row[r], value, wrong);
		str_addz(out, r ? ",\n{" : "[{");
		for (size_t i = 0; i < LABELS; i++)
			str_printf(out, "%s\"%s\": \"%s\"", i ? ", " : "", labels[i], value[i]);
		str_addz(out, "}");
	}
	str_addz(out, "]\n");
}

static void add_text(struct str *out, const struct season_file *file)
{
	const char *value[LABELS];
	char wrong[16];
	row_values(&file->row[0], value, wrong);
	str_addz(out, "入力内容確認\n\n");
	for (size_t i = 0; i < LABELS; i++)
		str_printf(out, "%s：%s\n", labels[i], value[i]);
}

static void to_cp932(struct str *text)
{
	struct str out = STR_INIT;
	str_grow(&out, 2 * text->len);
	iconv_t converter = iconv_open("CP932", "UTF-8");
	char *from = text->s, *to = out.s;
	size_t left = text->len, room = 2 * text->len;
	if (converter == (iconv_t)-1 || iconv(converter, &from, &left, &to, &room) == (size_t)-1)
		die("a form can't be written in CP932");
	(void)iconv_close(converter);
	out.len = (size_t)(to - out.s);
	str_free(text);
	*text = out;
}

void season_make_file(struct season_file *file)
{
	static const char *const ends[] = {[FORMAT_CSV_CP932] = "csv",
		[FORMAT_CSV_UTF8] = "csv",
		[FORMAT_JSON] = "json",
		[FORMAT_TEXT] = "txt"};
	struct str text = STR_INIT;
	size_t turn = fault_draw(LABELS);
	(void)snprintf(file->name, sizeof file->name, "申込み%d.%s", (int)(file - season->file) + 1,
		ends[file->format]);
	switch (file->format) {
	case FORMAT_CSV_UTF8:
		str_addz(&text, fault_draw(2) ? "\xEF\xBB\xBF" : "");
		add_csv(&text, file, turn);
		break;
	case FORMAT_CSV_CP932:
		add_csv(&text, file, turn);
		to_cp932(&text);
		break;
	case FORMAT_JSON:
		add_json(&text, file);
		break;
	case FORMAT_TEXT:
		file->rows = 1;
		add_text(&text, file);
		break;
	}
	file->len = text.len;
	file->bytes = mmap(NULL, text.len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (file->bytes == MAP_FAILED)
		die("no memory for a form");
	memcpy(file->bytes, text.s, text.len);
	str_free(&text);
}

static int write_file(const char *path, const char *bytes, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
	if (fd < 0)
		return errno;
	size_t have = 0;
	int error = 0;
	while (have < len && !error) {
		ssize_t n = write(fd, bytes + have, len - have);
		if (n <= 0)
			error = n < 0 ? errno : EIO;
		else
			have += (size_t)n;
	}
	const struct timespec at[2] = {{.tv_sec = fault_time()}, {.tv_sec = fault_time()}};
	if (!error && (futimens(fd, at) != 0 || fsync(fd) != 0))
		error = errno;
	(void)close(fd);
	return error;
}

/* Who copies a file looks whether it arrived, and would copy it again: it counts as dropped once it is on the disk. */
int season_drop(const struct season_file *file, size_t until)
{
	char path[448], part[448];
	bool whole = until == file->len;
	(void)snprintf(path, sizeof path, "%s/%s", season->incoming, file->name);
	(void)snprintf(part, sizeof part, "%s/%s.part", season->incoming, file->name);
	int error = write_file(whole ? part : path, file->bytes, until);
	if (!error && whole && rename(part, path) != 0)
		error = errno;
	int fd = open(season->incoming, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (!error && (fd < 0 || fsync(fd) != 0))
		error = errno;
	if (fd >= 0)
		(void)close(fd);
	return error;
}
