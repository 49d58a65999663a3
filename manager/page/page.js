"use strict";
// The page looks again every two seconds, while somebody can see it: it fetches itself and puts the new main part in place of the old
// one. What was typed into the filter stays, since that is outside of it.
(() => {
	const period = 2000, patience = 10000;
	const status = document.getElementById("status");
	let timer = 0, asking = false, latest = new Date();

	const say = (state, text) => {
		status.className = state;
		if (status.textContent !== text) {
			status.textContent = text;
		}
		document.getElementById("locks").classList.toggle("stale", state === "stale");
	};

	const selecting = () => {
		const selection = getSelection();
		return !selection.isCollapsed && document.getElementById("locks").contains(selection.anchorNode);
	};

	const show = (page) => {
		const old = document.getElementById("locks"), fresh = page.getElementById("locks");
		if (!fresh) {
			throw new Error("this is another page");
		}
		const focused = old.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
		const x = scrollX, y = scrollY;
		old.replaceWith(document.adoptNode(fresh));
		scrollTo({ left: x, top: y, behavior: "instant" });
		if (focused) {
			fresh.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
		}
		document.title = page.title;
	};

	const look = async () => {
		timer = 0;
		if (document.hidden || asking) {
			return;
		}
		asking = true;
		try {
			const answer = await fetch(location.href.replace(/#.*/, ""), { cache: "no-store", signal: AbortSignal.timeout(patience) });
			const page = new DOMParser().parseFromString(await answer.text(), "text/html");
			if (selecting()) {
				say("paused", "paused while text is selected");
			} else {
				show(page);
				latest = new Date();
				say("live", "live");
			}
		} catch {
			say("stale", "stale since " + latest.toLocaleTimeString());
		}
		asking = false;
		timer ||= setTimeout(look, period);
	};

	document.addEventListener("visibilitychange", () => {
		clearTimeout(timer);
		timer = 0;
		if (document.hidden) {
			say("paused", "paused");
		} else {
			look();
		}
	});
	say("live", "live");
	timer = setTimeout(look, period);
})();
