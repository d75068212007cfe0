/* Bar charts as inline SVG. All lengths are units of the view box; a page may show it at any size. */
#include <stdio.h>

#include "lib/desk/html.h"

#define WIDTH 420
#define HEIGHT 210
#define TOP 30 /* the legend stands above */
#define BOTTOM 26
#define RIGHT 18 /* half a label */
#define DIGIT 8 /* width of one digit of the axis */

/* Round steps for an axis from 0: the least of 1, 2, 5 × 10ⁿ with at most four lines. */
static int64_t axis_step(int64_t most)
{
	for (int64_t power = 1;; power *= 10) {
		for (int64_t digit = 1; digit <= 5; digit += digit == 1 ? 1 : 3)
			if (most <= 4 * digit * power)
				return digit * power;
		if (power > INT64_MAX / 100)
			return power;
	}
}

static int64_t most_of(const struct chart *chart)
{
	int64_t most = 1;
	for (int s = 0; s < chart->series_count; s++)
		for (int i = 0; i < chart->count; i++)
			if (chart->series[s].value[i] > most)
				most = chart->series[s].value[i];
	return most;
}

static void add_number(struct str *out, int64_t number)
{
	char digits[24];
	int len = snprintf(digits, sizeof digits, "%lld", (long long)number);
	for (int i = 0; i < len; i++) {
		if (i > 0 && (len - i) % 3 == 0)
			str_addc(out, ',');
		str_addc(out, digits[i]);
	}
}

static void add_bar(
	struct str *out, const char *id, int series, double x, double y, double width, double height)
{
	str_printf(out, "<rect class=\"s%d\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"", series, x,
		y, width, height);
	if (series == 2)
		str_printf(out, " fill=\"url(#%s-hatch)\"", id);
	str_addz(out, "/>");
}

static void add_legend(struct str *out, const struct chart *chart, int left)
{
	for (int s = 0; s < chart->series_count; s++) {
		double x = left + s * (double)(WIDTH - left) / chart->series_count;
		add_bar(out, chart->id, s, x, 8, 12, 12);
		str_printf(out, "<text x=\"%.1f\" y=\"19\">", x + 18);
		html_text(out, chart->series[s].name);
		str_addz(out, "</text>\n");
	}
}

static void add_axis(struct str *out, int64_t step, int lines, int left)
{
	double height = HEIGHT - TOP - BOTTOM;
	for (int i = 0; i <= lines; i++) {
		double y = TOP + height - height * i / lines;
		str_printf(out, "<line class=\"%s\" x1=\"%d\" y1=\"%.1f\" x2=\"%d\" y2=\"%.1f\"/>",
			i == 0 ? "axis" : "grid", left, y, WIDTH - RIGHT, y);
		str_printf(out, "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">", left - 5, y + 4.5);
		add_number(out, i * step);
		str_addz(out, "</text>\n");
	}
}

static void add_bars(struct str *out, const struct chart *chart, int64_t top, int left)
{
	double slot = (double)(WIDTH - RIGHT - left) / chart->count, height = HEIGHT - TOP - BOTTOM;
	double gap = slot * 0.16, width = (slot - gap) / chart->series_count;
	for (int i = 0; i < chart->count; i++) {
		double x = left + slot * i + gap / 2;
		for (int s = 0; s < chart->series_count; s++) {
			int64_t value = chart->series[s].value[i];
			double bar = height * (double)value / (double)top;
			/* Little is not nothing. */
			if (value > 0)
				add_bar(out, chart->id, s, x + width * s,
					TOP + height - (bar < 1.5 ? 1.5 : bar), width * 0.92,
					bar < 1.5 ? 1.5 : bar);
		}
		if (!*chart->label[i])
			continue;
		str_printf(out, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">", left + slot * (i + 0.5),
			HEIGHT - 8);
		html_text(out, chart->label[i]);
		str_addz(out, "</text>\n");
	}
}

void html_chart(struct str *out, const struct chart *chart)
{
	int64_t most = most_of(chart), step = axis_step(most);
	int lines = (int)((most + step - 1) / step);
	struct str widest = STR_INIT;
	add_number(&widest, lines * step);
	int left = (int)widest.len * DIGIT + 14;
	str_free(&widest);

	str_addz(out, "<figure>\n<figcaption>");
	html_text(out, chart->title);
	str_printf(out,
		"</figcaption>\n<svg role=\"img\" viewBox=\"0 0 %d %d\" aria-labelledby=\"%s-title "
		"%s-desc\">\n"
		"<title id=\"%s-title\">",
		WIDTH, HEIGHT, chart->id, chart->id, chart->id);
	html_text(out, chart->title);
	str_printf(out, "</title>\n<desc id=\"%s-desc\">", chart->id);
	html_text(out, chart->description);
	str_printf(out,
		"</desc>\n<defs><pattern id=\"%s-hatch\" width=\"5\" height=\"5\" "
		"patternUnits=\"userSpaceOnUse\" "
		"patternTransform=\"rotate(45)\"><line class=\"hatch\" x1=\"0\" y1=\"0\" x2=\"0\" "
		"y2=\"5\"/></pattern></defs>\n",
		chart->id);
	add_legend(out, chart, left);
	add_axis(out, step, lines, left);
	add_bars(out, chart, lines * step, left);
	str_addz(out, "</svg>\n</figure>\n");
}
