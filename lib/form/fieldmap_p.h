/*
 * fieldmap_p.h - what the readers need to know of a label beyond its field
 *
 * Columns that make up a field together or stand in for one (parts in form-fields.conf) have slots of their own behind the
 * fields; the readers put them together (form.c).
 */
#ifndef SENGEN_FIELDMAP_P_H
#define SENGEN_FIELDMAP_P_H

#include "lib/form/fieldmap.h"

enum form_slot {
	SLOT_REPRESENTATIVE = FIELD_COUNT, /* 代表者氏名 in one column */
	SLOT_CONTACT_FAMILY,
	SLOT_CONTACT_GIVEN,
	SLOT_TRADE_NAME, /* 屋号 beside 法人名 */
	SLOT_OTHER_MAIL, /* メールアドレス beside 担当者メールアドレス */
	SLOT_STREET,
	SLOT_BUILDING,
	SLOT_CONSENTS, /* both consents in one */
	SLOT_IGNORED, /* columns the result files add */
	SLOT_DECISION_TARGET, /* a control file: as enum decision_column, in its order */
	SLOT_DECISION_REQUEST,
	SLOT_DECISION_ACTION,
	SLOT_DECISION_REASON,
	SLOT_DECISION_DAY,
	SLOT_DECISION_NOTICE,
	SLOT_DECISION_FIELD,
	SLOT_DECISION_VALUE,
	SLOT_COUNT
};
/* 理由, 中止日, 通知, 項目, 新しい値: common words, which only beside 処理 speak of a decision. */
#define SLOT_IS_DETAIL(slot) ((slot) >= SLOT_DECISION_REASON && (slot) < SLOT_COUNT)

/* SLOT_COUNT when the label is unknown. *rank: its place in the field's list of labels; of two columns for one field the
 * one with the lower rank counts. */
int fieldmap_slot(const struct fieldmap *map, const char *label, int *rank);
/* More than one choice may be given. */
bool fieldmap_several(const struct fieldmap *map, enum form_field field);
/* Exactly one of the choices must be given. */
bool fieldmap_closed(const struct fieldmap *map, enum form_field field);
/* A value that is none of the choices is kept as written. */
bool fieldmap_open(const struct fieldmap *map, enum form_field field);

#endif
