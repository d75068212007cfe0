/*
 * The search page of the public list. Data come as scripts (a page opened from file:// cannot fetch): each calls one of the functions in window.sengen.
 * A name is found under its key, which key() makes as public_key() does in C; the tests compare the two.
 */
(function () {
	"use strict";
	var PAGE = 20, FORM = 0xE000, START = "\uF8FF", PLACES = 256, CACHE = 300;
	var base = document.currentScript.src.replace(/[^\/]*$/, "");
	var meta, gone = [], glyph = {}, waiting = {}, cache = new Map();
	var found = null, page = 0, turn = 0;

	/* ---- data ---- */

	function keep(name, value) {
		cache.delete(name);
		cache.set(name, value);
		if (cache.size > CACHE)
			cache.delete(cache.keys().next().value);
	}

	/* A script file beside this one; resolves to what it brought. */
	function load(name) {
		if (cache.has(name)) {
			keep(name, cache.get(name));
			return Promise.resolve(cache.get(name));
		}
		if (!waiting[name])
			waiting[name] = new Promise(function (resolve, reject) {
				var script = document.createElement("script");
				script.src = base + name;
				script.onload = function () {
					delete waiting[name];
					script.remove();
					if (cache.has(name))
						resolve(cache.get(name));
					else
						reject(new Error(name));
				};
				script.onerror = function () {
					delete waiting[name];
					script.remove();
					reject(new Error(name));
				};
				document.head.appendChild(script);
			});
		return waiting[name];
	}

	function bucketFile(number) {
		return "i/" + number + ".js";
	}

	function blockFile(number) {
		return "r/" + Math.floor(number / meta.directory) + "/" + number + ".js";
	}

	window.sengen = {
		meta: function (value) {
			meta = value;
			var each = Array.from(value.glyphs);
			for (var i = 0; i + 1 < each.length; i += 2)
				glyph[each[i]] = each[i + 1];
		},
		gone: function (rows) { gone = rows; },
		index: function (number, lists) { keep(bucketFile(number), lists); },
		rows: function (number, rows) { keep(blockFile(number), rows); },
		key: key
	};

	/* ---- keys ---- */

	function within(c, ranges) {
		for (var i = 0; i < ranges.length; i += 2)
			if (c >= ranges[i] && c <= ranges[i + 1])
				return true;
		return false;
	}
	var SPACE = [9, 13, 32, 32, 0x85, 0x85, 0xA0, 0xA0, 0x1680, 0x1680, 0x2000, 0x200A, 0x2028, 0x2029, 0x202F, 0x202F,
		0x205F, 0x205F, 0x3000, 0x3000];
	var INVISIBLE = [0xAD, 0xAD, 0x200B, 0x200D, 0x2060, 0x2060, 0xFEFF, 0xFEFF, 0xFE00, 0xFE0F, 0xE0100, 0xE01EF];
	var HYPHEN = [0x2010, 0x2015, 0x2043, 0x2043, 0x2212, 0x2212, 0x2500, 0x2501];
	var WAVE = [0x301C, 0x301C, 0x223C, 0x223C, 0x2053, 0x2053];

	/* One character to one character; İ is the only one that would become two. */
	function lower(char) {
		var small = char.toLowerCase();
		return Array.from(small).length === 1 ? small : Array.from(small)[0];
	}

	function fold(text) {
		var chars = Array.from(text.normalize("NFKC")), out = "";
		chars.forEach(function (char, i) {
			var c = char.codePointAt(0);
			if (within(c, SPACE) || c < 0x20 || c === 0x7F)
				return;
			if (within(c, HYPHEN) || (c === 0x30FC && /[0-9]$/.test(out) && /[0-9]/.test(chars[i + 1] || "") &&
				!(i > 0 && within(chars[i - 1].codePointAt(0), SPACE))))
				out += "-";
			else if (within(c, WAVE))
				out += "~";
			else
				out += char;
		});
		return out;
	}

	function key(text) {
		var bare = "", out = "";
		Array.from(fold(text)).forEach(function (char) {
			if (within(char.codePointAt(0), INVISIBLE))
				return;
			var small = lower(char);
			bare += glyph[small] || small;
		});
		bare = written(bare, meta.short.map(function (pair) { return pair[0]; }), function (i) { return meta.short[i][1]; });
		out = written(bare, meta.forms, function (i) { return String.fromCodePoint(FORM + i); });
		return out.replace(/["\\]/g, "");
	}

	/* The text with each of `from` replaced, the first that fits at a place. */
	function written(text, from, to) {
		var out = "";
		for (var at = 0; at < text.length;) {
			var i = 0;
			while (i < from.length && !text.startsWith(from[i], at))
				i++;
			out += i < from.length ? to(i) : text[at];
			at += i < from.length ? from[i].length : 1;
		}
		return out;
	}

	function isForm(char) {
		var c = char.codePointAt(0);
		return c >= FORM && c < FORM + meta.forms.length;
	}

	/* ---- posting lists ---- */

	/* The same in public_index.c. */
	function bucketOf(term) {
		var first = term.codePointAt(0), second = Array.from(term)[1];
		var hash = Math.imul(first, 0x9E3779B1) ^ Math.imul(second ? second.codePointAt(0) : 0, 0x85EBCA6B);
		hash ^= hash >>> 15;
		hash = Math.imul(hash, 0x2C1B3C6D);
		hash ^= hash >>> 12;
		return hash & (meta.buckets - 1);
	}

	/* Row * PLACES + place of the word's beginning, ascending, within [from, until). */
	function decode(list, offset, from, until) {
		var out = [], row = 0, value = 0, isPlace = false;
		for (var i = 0; i < list.length; i++) {
			var code = list.charCodeAt(i);
			var digit = code - 35 - (code > 92 ? 1 : 0);
			value = value * 45 + digit % 45;
			if (digit < 45)
				continue;
			if (isPlace) {
				if (row >= until)
					break;
				if (row >= from && value >= offset)
					out.push(row * PLACES + value - offset);
			} else {
				row += value;
			}
			isPlace = !isPlace;
			value = 0;
		}
		return out;
	}

	function common(a, b) {
		var out = [], i = 0, j = 0;
		while (i < a.length && j < b.length) {
			if (a[i] === b[j])
				out.push(a[i]);
			if (a[i] <= b[j])
				i++;
			else
				j++;
		}
		return out;
	}

	/* What a word's key is looked up by: terms with the place of each in the word. */
	function termsOf(word) {
		var chars = Array.from(word);
		if (chars.length === 1)
			return [{term: isForm(chars[0]) ? chars[0] : START + chars[0], offset: 0, start: !isForm(chars[0])}];
		return chars.slice(1).map(function (char, i) { return {term: chars[i] + char, offset: i}; });
	}

	function rowsOf(word, from, until) {
		var terms = termsOf(word);
		return Promise.all(terms.map(function (term) {
			return load(bucketFile(bucketOf(term.term)));
		})).then(function (buckets) {
			terms.forEach(function (term, i) {
				term.list = Object.prototype.hasOwnProperty.call(buckets[i], term.term) ? buckets[i][term.term] : "";
			});
			terms.sort(function (a, b) { return a.list.length - b.list.length; });
			var places = decode(terms[0].list, terms[0].offset, from, until);
			for (var i = 1; i < terms.length && places.length; i++)
				places = common(places, decode(terms[i].list, terms[i].offset, from, until));
			var rows = [], last = -1;
			places.forEach(function (place) {
				var row = Math.floor(place / PLACES);
				if (row !== last)
					rows.push(row);
				last = row;
			});
			return rows;
		});
	}

	/* ---- what is asked for ---- */

	function range(from, until) {
		var out = [];
		for (var row = from; row < until; row++)
			out.push(row);
		return out;
	}

	function search(words, prefecture) {
		var from = prefecture === "" ? 0 : meta.first[+prefecture];
		var until = prefecture === "" ? meta.rows : meta.first[+prefecture + 1];
		var struck = new Set(gone);
		return Promise.all(words.map(function (word) { return rowsOf(word, from, until); })).then(function (all) {
			all.sort(function (a, b) { return a.length - b.length; });
			var rows = all.length ? all.reduce(common) : range(from, until);
			return rows.filter(function (row) { return !struck.has(row); });
		});
	}

	/* ---- the page ---- */

	function element(id) {
		return document.getElementById(id);
	}

	function make(name, text, className) {
		var node = document.createElement(name);
		if (text)
			node.textContent = text;
		if (className)
			node.className = className;
		return node;
	}

	function say(text) {
		element("status").textContent = text;
	}

	function number(value) {
		return String(value).replace(/\B(?=(\d{3})+$)/g, ",");
	}

	/* Columns in the order they are shown: index into a row, heading, class. */
	function columns() {
		var out = meta.labels.map(function (label, i) { return {at: i + 2, label: label}; });
		if (meta.name > 0)
			out.unshift(out.splice(meta.name, 1)[0]);
		out.push({at: 0, label: "宣言の内容", name: "star"}, {at: 1, label: "宣言日", name: "day"});
		return out;
	}

	function cellText(row, column) {
		if (column.at === 0)
			return row[0] === 2 ? "★★二つ星" : "★一つ星";
		if (column.at === 1)
			return row[1].replace(/^(\d+)-0?(\d+)-0?(\d+)$/, "$1年$2月$3日");
		return row[column.at];
	}

	/* Roles are said again: a table that is set as lines loses them in some browsers. */
	function table(rows) {
		var show = columns(), out = make("table", "", "stack"), head = make("thead"), line = make("tr"), body = make("tbody");
		out.setAttribute("role", "table");
		out.appendChild(make("caption", "検索結果"));
		head.setAttribute("role", "rowgroup");
		body.setAttribute("role", "rowgroup");
		line.setAttribute("role", "row");
		show.forEach(function (column) {
			var cell = make("th", column.label);
			cell.scope = "col";
			cell.setAttribute("role", "columnheader");
			line.appendChild(cell);
		});
		head.appendChild(line);
		rows.forEach(function (row) {
			var tr = make("tr");
			tr.setAttribute("role", "row");
			show.forEach(function (column, i) {
				var cell = make(i === 0 ? "th" : "td", cellText(row, column), column.name);
				if (i === 0)
					cell.scope = "row";
				cell.setAttribute("role", i === 0 ? "rowheader" : "cell");
				cell.setAttribute("data-head", column.label);
				tr.appendChild(cell);
			});
			body.appendChild(tr);
		});
		out.appendChild(head);
		out.appendChild(body);
		return out;
	}

	function showPage(mine) {
		var rows = found.rows.slice(page * PAGE, page * PAGE + PAGE);
		var pages = Math.max(1, Math.ceil(found.rows.length / PAGE)), blocks = {};
		rows.forEach(function (row) { blocks[Math.floor(row / meta.block)] = true; });
		return Promise.all(Object.keys(blocks).map(function (block) {
			return load(blockFile(+block)).then(function (value) { blocks[block] = value; });
		})).then(function () {
			if (mine !== turn)
				return;
			element("results").replaceChildren();
			if (rows.length)
				element("results").appendChild(table(rows.map(function (row) {
					return blocks[Math.floor(row / meta.block)][row % meta.block];
				})));
			element("paging").hidden = pages === 1;
			element("back").disabled = page === 0;
			element("on").disabled = page + 1 === pages;
			element("place").textContent = number(page + 1) + " / " + number(pages) + "ページ";
			say(found.what + "：" + (rows.length ? number(found.rows.length) + "件" + (pages > 1 ? "のうち" +
				number(page * PAGE + 1) + "～" + number(page * PAGE + rows.length) + "件目" : "") :
				"当てはまる事業者はありません。"));
		});
	}

	function failed(mine) {
		if (mine !== turn)
			return;
		element("results").replaceChildren();
		element("paging").hidden = true;
		say("データを読み込めませんでした。一覧が新しくなったところかもしれません。この画面を再読み込みしてください。");
	}

	function asked() {
		var name = element("name"), prefecture = element("prefecture");
		return {name: name ? name.value.trim() : "", prefecture: prefecture ? prefecture.value : ""};
	}

	function run() {
		var ask = asked(), mine = ++turn, what = [];
		var words = ask.name.split(/[\s\u3000]+/).map(key).filter(Boolean);
		if (ask.name)
			what.push("「" + ask.name + "」");
		if (ask.prefecture !== "")
			what.push(meta.prefectures[+ask.prefecture]);
		if (!words.length && ask.prefecture === "") {
			element("results").replaceChildren();
			element("paging").hidden = true;
			say(ask.name ? "「" + ask.name + "」では探せません。名前に使われている文字を入れてください。" : "");
			return Promise.resolve();
		}
		var started = performance.now();
		return search(words, ask.prefecture).then(function (rows) {
			if (mine !== turn)
				return;
			found = {rows: rows, what: what.join("、")};
			page = 0;
			return showPage(mine).then(function () { window.sengen.took = performance.now() - started; });
		}).catch(function () { failed(mine); });
	}

	function turnPage(by) {
		page += by;
		showPage(++turn).then(function () {
			element("results").focus();
			element("results").scrollIntoView();
		}).catch(function () { failed(turn); });
	}

	function begin() {
		var pause = 0, form = element("search");
		form.hidden = false;
		form.addEventListener("submit", function (event) {
			event.preventDefault();
			clearTimeout(pause);
			run();
		});
		if (element("name"))
			element("name").addEventListener("input", function (event) {
				clearTimeout(pause);
				if (!event.isComposing)
					pause = setTimeout(run, 250);
			});
		if (element("prefecture"))
			element("prefecture").addEventListener("change", run);
		element("back").addEventListener("click", function () { turnPage(-1); });
		element("on").addEventListener("click", function () { turnPage(1); });
		run(); /* what the browser has kept in the form */
	}

	document.addEventListener("DOMContentLoaded", function () {
		if (meta)
			begin();
		else
			say("データを読み込めませんでした。この画面と同じ場所にあるフォルダーも一緒に置いてください。");
	});
})();
