// Package browser has no code but tests: of package page, in a real browser. It is a module of its own, so that what drives
// the browser is no business of the library's.
//
// The tests skip where there is no Chromium, unless TREELOCK_BROWSER=require: then that is a failure. With TREELOCK_SHOTS=DIR
// they write a screenshot of each scene into DIR, for a desktop and for a phone:
//
//	TREELOCK_SHOTS=/tmp/shots go test ./manager/page/browser -run Scene
package browser
