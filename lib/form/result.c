#include "lib/form/result.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/civil.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/form/cell.h"
#include "lib/form/fieldmap_p.h"

#define COLUMN_ERROR "エラー内容"
#define COLUMN_REMEDY "修正方法"
#define MEMORY_MAX ((size_t)256 * 1024) /* most results are short */

/* Text that is collected: in memory, and where it grows long in an unlinked temporary file. */
struct part {
	struct str memory;
	FILE *file; /* NULL: all is in memory */
};

struct result {
	const struct fieldmap *map;
	char *name; /* of the original, printable */
	struct form_head head; /* header is ours */
	struct strlist header;
	int *slot; /* of each header cell */
	char *dir; /* owned; of temporary files */
	struct part text, csv;
	int count[RESULT_DECIDED + 1];
	int refused_rows; /* in csv */
	struct str line;
	char *note; /* owned; NULL */
};

/* ---- temporary files ---- */

static FILE *temporary(const char *dir, struct err *err)
{
	struct str path = STR_INIT;
	FILE *file = NULL;
	path_join(&path, dir, ".result.XXXXXX.tmp");
	int fd = mkostemps(path.s, 4, O_CLOEXEC);
	if (fd >= 0) {
		(void)unlink(path.s);
		file = fdopen(fd, "w+");
		if (!file)
			(void)close(fd);
	}
	if (!file)
		(void)err_set(
			err, RC_STORE, "No temporary file could be made in %s: %s.", dir, errno_text(errno));
	str_free(&path);
	return file;
}

static enum rc part_add(struct result *result, struct part *part, const struct str *text, struct err *err)
{
	if (!part->file && part->memory.len + text->len <= MEMORY_MAX) {
		str_add(&part->memory, text->s, text->len);
		return RC_OK;
	}
	if (!part->file) {
		part->file = temporary(result->dir, err);
		if (!part->file)
			return err->rc;
		(void)fwrite(part->memory.s, 1, part->memory.len, part->file);
		str_free(&part->memory);
	}
	(void)fwrite(text->s, 1, text->len, part->file);
	if (ferror(part->file))
		return err_set(
			err, RC_STORE, "The result of a file could not be written: %s.", errno_text(errno));
	return RC_OK;
}

static void part_free(struct part *part)
{
	if (part->file)
		(void)fclose(part->file);
	str_free(&part->memory);
}

/* Behind `head`, which the text of `part` is added to. */
static enum rc part_write(struct part *part, const char *path, struct str *head, bool sync, struct err *err)
{
	if (part->file && fflush(part->file) != 0)
		return err_set(
			err, RC_STORE, "The result of a file could not be written: %s.", errno_text(errno));
	str_add(head, part->memory.s ? part->memory.s : "", part->memory.len);
	return file_write_joined(
		path, head->s, head->len, part->file ? fileno(part->file) : -1, 0660, sync, err);
}

/* The header belongs to the reader, which may be gone when the result ends. */
static void keep_header(struct result *result, const struct form_head *head)
{
	result->head = *head;
	for (size_t i = 0; i < head->header_count; i++)
		strlist_add(&result->header, head->header[i]);
	result->slot = xcalloc(head->header_count + 1, sizeof *result->slot);
	for (size_t i = 0; i < head->header_count; i++)
		result->slot[i] = fieldmap_slot(result->map, head->header[i], NULL);
	result->head.header = NULL;
}

void result_begin(struct result **out, const char *dir, const char *original_name,
	const struct form_head *head, const struct fieldmap *map)
{
	struct result *result = xcalloc(1, sizeof *result);
	struct str name = STR_INIT;
	result->map = map;
	result->line = STR_INIT;
	text_add_printable(&name, original_name);
	result->name = str_take(&name);
	if (head)
		keep_header(result, head);
	result->dir = xstrdup(dir);
	result->text = result->csv = (struct part){.memory = STR_INIT};
	*out = result;
}

void result_drop(struct result **result)
{
	if (!*result)
		return;
	part_free(&(*result)->text);
	part_free(&(*result)->csv);
	free((*result)->dir);
	strlist_free(&(*result)->header);
	str_free(&(*result)->line);
	free((*result)->slot);
	free((*result)->name);
	free((*result)->note);
	free(*result);
	*result = NULL;
}

void result_note(struct result *result, const char *note_ja)
{
	free(result->note);
	result->note = xstrdup(note_ja);
}

/* ---- the rows to mend ---- */

static enum rc csv_header(struct result *result, struct err *err)
{
	struct str *line = &result->line;
	str_clear(line);
	str_addz(line, CELL_BOM COLUMN_ERROR "," COLUMN_REMEDY);
	for (size_t i = 0; i < result->header.count; i++) {
		if (result->slot[i] == SLOT_IGNORED)
			continue;
		str_addc(line, ',');
		cell_add(line, FIELD_COUNT,
			result->header.item[i]); /* what stands above the columns is from outside, too */
	}
	str_addz(line, "\r\n");
	return part_add(result, &result->csv, line, err);
}

static void add_sentence(struct str *out, const char *text)
{
	if (out->len && *text)
		str_addc(out, ' ');
	str_addz(out, text);
}

/* The findings of a row in two cells: what is wrong, and what to do. */
static void finding_cells(struct result *result, const struct findings *findings, const char *detail_ja)
{
	struct str wrong = STR_INIT, remedy = STR_INIT;
	for (size_t i = 0; findings && i < findings->count; i++) {
		const struct finding *finding = &findings->item[i];
		if (finding->severity == SEVERITY_NOTE)
			continue;
		const char *label =
			finding->field < FIELD_COUNT ? fieldmap_label(result->map, finding->field) : "";
		if (*label) {
			add_sentence(&wrong, label);
			str_addz(&wrong, ":");
			add_sentence(&remedy, label);
			str_addz(&remedy, ":");
		}
		add_sentence(&wrong, finding->message_ja);
		add_sentence(&remedy, finding->remedy_ja);
	}
	if (detail_ja)
		add_sentence(&wrong, detail_ja);
	cell_add(&result->line, FIELD_COUNT, wrong.s);
	str_addc(&result->line, ',');
	cell_add(&result->line, FIELD_COUNT, remedy.s);
	str_free(&wrong);
	str_free(&remedy);
}

static enum rc csv_row(struct result *result, const struct form_record *record,
	const struct findings *findings, const char *detail_ja, struct err *err)
{
	enum rc rc = result->refused_rows++ == 0 ? csv_header(result, err) : RC_OK;
	if (rc)
		return rc;
	str_clear(&result->line);
	finding_cells(result, findings, detail_ja);
	for (size_t i = 0; i < record->raw_count || i < result->header.count; i++) {
		int slot = i < result->header.count ? result->slot[i] : SLOT_COUNT;
		if (slot == SLOT_IGNORED)
			continue;
		str_addc(&result->line, ',');
		cell_add(&result->line, slot, i < record->raw_count ? record->raw[i] : "");
	}
	str_addz(&result->line, "\r\n");
	return part_add(result, &result->csv, &result->line, err);
}

/* ---- the text ---- */

static void text_verdict(struct str *out, enum result_verdict verdict, int64_t application_id)
{
	long long id = application_id;
	switch (verdict) {
	case RESULT_REGISTERED:
		str_printf(out, "登録しました（申込番号 %lld）", id);
		break;
	case RESULT_REGISTERED_REVIEW:
		str_printf(out,
			"登録しましたが、要確認です（申込番号 %lld）。確認が済むまでメールは送りません", id);
		break;
	case RESULT_SAME:
		str_printf(out, "同じ内容がすでに登録されています（申込番号 %lld）。何も変えていません", id);
		break;
	case RESULT_REFUSED:
		str_addz(out, "受け付けられません");
		break;
	case RESULT_DECIDED:
		str_addz(out, "処理しました");
		if (id) /* a request may be about nobody known */
			str_printf(out, "（申込番号 %lld）", id);
		break;
	}
}

static void text_finding(struct result *result, struct str *out, const struct finding *finding)
{
	static const char *const heads[] = {
		[SEVERITY_REFUSE] = "×", [SEVERITY_REVIEW] = "？", [SEVERITY_NOTE] = "・"};
	str_printf(out, "    %s ", heads[finding->severity]);
	if (finding->field < FIELD_COUNT) {
		str_addz(out, fieldmap_label(result->map, finding->field));
		if (*finding->value)
			str_printf(out, "「%s」", finding->value);
		else
			str_addz(out, "（空）");
		str_addz(out, ": ");
	}
	str_addz(out, finding->message_ja);
	str_addz(out, "\r\n");
	if (finding->severity != SEVERITY_NOTE)
		str_printf(out, "        直し方: %s\r\n", finding->remedy_ja);
}

static enum rc text_record(struct result *result, const struct form_record *record,
	enum result_verdict verdict, int64_t application_id, const struct findings *findings,
	const char *detail_ja, struct err *err)
{
	struct str *line = &result->line;
	str_clear(line);
	str_printf(line, "%d件目", record->record);
	if (record->line > 0)
		str_printf(line, "（%d行目）", record->line);
	str_addz(line, ": ");
	text_verdict(line, verdict, application_id);
	str_addz(line, "\r\n");
	if (verdict == RESULT_REFUSED && record->form.value[FIELD_BUSINESS_NAME] &&
		*record->form.value[FIELD_BUSINESS_NAME]) {
		str_addz(line, "    ");
		text_add_printable(line, record->form.value[FIELD_BUSINESS_NAME]);
		str_addz(line, "\r\n");
	}
	for (size_t i = 0; verdict != RESULT_SAME && findings && i < findings->count; i++)
		text_finding(result, line, &findings->item[i]);
	if (detail_ja && *detail_ja)
		str_printf(line, "    %s %s\r\n", verdict == RESULT_REFUSED ? "×" : "・", detail_ja);
	return part_add(result, &result->text, line, err);
}

enum rc result_add(struct result *result, const struct form_record *record, enum result_verdict verdict,
	int64_t application_id, const struct findings *findings, const char *detail_ja, struct err *err)
{
	result->count[verdict]++;
	enum rc rc = text_record(result, record, verdict, application_id, findings, detail_ja, err);
	if (!rc && verdict == RESULT_REFUSED && record->raw)
		rc = csv_row(result, record, findings, detail_ja, err);
	return rc;
}

static void summary_line(struct str *out, const char *what_ja, int count)
{
	if (count > 0)
		str_printf(out, "  %s %d件\r\n", what_ja, count);
}

static void summary(
	struct result *result, struct str *out, const char *stem, utc_time at, const char *file_fault_ja)
{
	static const char *const formats[] = {
		[FORM_CSV] = "CSV", [FORM_JSON] = "JSON", [FORM_TEXT] = "テキスト"};
	const int *count = result->count;
	bool decisions = result->head.content == CONTENT_DECISIONS;
	str_addz(out, CELL_BOM "SECURITY ACTION 自己宣言　受付結果\r\n\r\nファイル: ");
	str_addz(out, result->name);
	str_addz(out, "\r\n処理日時: ");
	civil_time_print(out, at);
	str_addz(out, "\r\n");
	if (result->note)
		str_printf(out, "%s\r\n", result->note);
	int total = 0;
	for (size_t i = 0; i < sizeof result->count / sizeof *count; i++)
		total += count[i];
	if (file_fault_ja)
		str_printf(out, "\r\n%s\r\n理由: %s\r\n",
			total       ? "このファイルは最後まで読み取れませんでした。読み取れた分の結果は下のとおりで"
				      "す。"
			: decisions ? "このファイルの処理は、何も行っていません。"
				    : "このファイルからは何も登録していません。",
			file_fault_ja);
	if (file_fault_ja && total == 0)
		return;
	str_printf(out, "形式: %s%s%s%s\r\n\r\n", formats[result->head.format],
		result->head.charset ? "（" : "", result->head.charset ? result->head.charset : "",
		result->head.charset ? "）" : "");
	str_printf(out, "読み取った件数: %d件\r\n", total);
	if (total == 0)
		str_addz(out, "見出しだけで、1件もありません。何も変えていません。CSVでは、見出しの行の下に1"
			      "行1件で入れてください。\r"
			      "\n（ひな形は「templates」フォルダーに残し、写しに書き込んだものを入れてくださ"
			      "い。）\r\n");
	summary_line(out, "登録しました:", count[RESULT_REGISTERED]);
	summary_line(out, "登録しましたが要確認です:", count[RESULT_REGISTERED_REVIEW]);
	summary_line(out, "登録済みで変更なし:", count[RESULT_SAME]);
	summary_line(out, "処理しました:", count[RESULT_DECIDED]);
	summary_line(out, "受け付けられません:", count[RESULT_REFUSED]);
	if (result->refused_rows > 0)
		str_printf(out,
			"\r\n受け付けられなかった行は「%s_要修正."
			"csv」にあります。Excelで開いて直し、CSVのまま保存して、もう一度入れてください。\r\n"
			"「" COLUMN_ERROR "」「" COLUMN_REMEDY
			"」の列はそのままで構いません。受け付けた行を入れ直す必要はありません。\r\n",
			path_base(stem));
	else if (count[RESULT_REFUSED] > 0)
		str_addz(out, "\r\n受け付けられなかった分だけを直して、もう一度入れてください。\r\n");
	str_addz(out, "\r\n印: × 受け付けられない理由　？ 人が確かめること　・ お知らせ\r\n"
		      "----------------------------------------\r\n");
}

enum rc result_end(struct result **out, const char *stem, utc_time at, const char *file_fault_ja, bool sync,
	struct err *err)
{
	struct result *result = *out;
	struct str head = STR_INIT, path = STR_INIT;
	enum rc rc = RC_OK;
	/* The rows to mend first: the text names them. */
	if (result->refused_rows > 0) {
		str_printf(&path, "%s_要修正.csv", stem);
		rc = part_write(&result->csv, path.s, &head, sync, err);
		str_clear(&head);
	}
	if (!rc) {
		summary(result, &head, stem, at, file_fault_ja);
		str_clear(&path);
		str_printf(&path, "%s_結果.txt", stem);
		rc = part_write(&result->text, path.s, &head, sync, err);
	}
	str_free(&head);
	str_free(&path);
	result_drop(out);
	return rc;
}
