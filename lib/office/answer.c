#include "lib/office/inbound_p.h"

const char *const answer_template[ANSWER_COUNT] = {
	[ANSWER_CONFIRM_STOP] = "confirm-stop",
	[ANSWER_CONFIRM_CHANGE] = "confirm-change",
	[ANSWER_CONFIRM_ADDRESS] = "confirm-address",
	[ANSWER_STOPPED] = "stopped",
	[ANSWER_STOP_PLANNED] = "stop-planned",
	[ANSWER_CHANGED] = "changed",
	[ANSWER_NEWS_STOPPED] = "news-stopped",
	[ANSWER_ID] = "id-answer",
	[ANSWER_GUIDE] = "guide",
	[ANSWER_WRONG_NUMBER] = "wrong-number",
	[ANSWER_NEUTRAL] = "neutral",
	[ANSWER_READABLE_FORM] = "readable-form",
};
