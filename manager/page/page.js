"use strict";
// The page refreshes every two seconds while it is visible: it fetches itself and replaces its main
// part. The filter is outside of that, so it keeps what the viewer typed.
(() => {
	const period = 2000, fetchTimeout = 10000;
	const status = document.getElementById("status");
	let timer = 0, fetching = false, latest = new Date();

	const setStatus = (state, text) => {
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
			throw new Error("the answer is not this page");
		}
		const focused = old.contains(document.activeElement)
			? document.activeElement.getAttribute("href") : null;
		const x = scrollX, y = scrollY;
		old.replaceWith(document.adoptNode(fresh));
		scrollTo({ left: x, top: y, behavior: "instant" });
		if (focused) {
			fresh.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
		}
		document.title = page.title;
	};

	const refresh = async () => {
		timer = 0;
		if (document.hidden || fetching) {
			return;
		}
		fetching = true;
		try {
			const answer = await fetch(location.href.replace(/#.*/, ""),
				{ cache: "no-store", signal: AbortSignal.timeout(fetchTimeout) });
			const page = new DOMParser().parseFromString(await answer.text(), "text/html");
			if (selecting()) {
				setStatus("paused", "paused while text is selected");
			} else {
				show(page);
				latest = new Date();
				setStatus("live", "live");
			}
		} catch {
			setStatus("stale", "stale since " + latest.toLocaleTimeString());
		}
		fetching = false;
		timer ||= setTimeout(refresh, period);
	};

	document.addEventListener("visibilitychange", () => {
		clearTimeout(timer);
		timer = 0;
		if (document.hidden) {
			setStatus("paused", "paused");
		} else {
			refresh();
		}
	});
	setStatus("live", "live");
	timer = setTimeout(refresh, period);
})();
