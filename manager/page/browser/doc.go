// Package browser tests package page in a real browser. It is a module of its own, so that the
// library does not depend on the driver of the browser.
//
// The tests need Chromium and run only with TREELOCK_BROWSER=require, which .ci/run sets. With
// TREELOCK_SHOTS=DIR they also write a screenshot of each scene into DIR, for a desktop and for
// phones, and the picture of the README:
//
//	TREELOCK_BROWSER=require TREELOCK_SHOTS=/tmp/shots go test ./manager/page/browser -run Scene
package browser
