// Says how old the page is, where scripts are allowed. Without it the moment of writing stands there in large print.
"use strict";
(function () {
	var place = document.getElementById("age");
	var written = Number(place.getAttribute("data-written")) * 1000, every = Number(place.getAttribute("data-minutes"));
	function tell() {
		var minutes = Math.max(0, Math.floor((Date.now() - written) / 60000)), text;
		if (minutes < 1) text = "たった今";
		else if (minutes < 60) text = minutes + "分前";
		else if (minutes < 48 * 60) text = Math.floor(minutes / 60) + "時間" + (minutes % 60) + "分前";
		else text = Math.floor(minutes / 1440) + "日前";
		place.textContent = "（" + text + (minutes < 1 ? "" : "に") + "作成）";
		var old = every > 0 ? minutes > 3 * every : minutes > 1440;
		document.getElementById("old").hidden = !old;
	}
	tell();
	setInterval(tell, 30000);
})();
