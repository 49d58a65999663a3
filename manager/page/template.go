package page

import (
	"crypto/sha256"
	_ "embed" // the page, its style and its script
	"encoding/base64"
	"html/template"
	"strings"
)

//go:embed page.html
var pageHTML string

//go:embed page.css
var pageCSS string

//go:embed page.js
var pageJS string

// pageTemplate contains the style and the script, so that the page needs no other address.
var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{
	"style":  func() template.CSS { return template.CSS(pageCSS) },
	"script": func() template.JS { return template.JS(pageJS) },
}).Parse(pageHTML))

// headers are set in every answer. With them a browser runs only the script and the style with
// these hashes, loads nothing else, shows the page in no frame, and keeps no copy.
var headers = map[string]string{
	"Content-Security-Policy": strings.Join([]string{
		"default-src 'none'", "script-src " + hashOf(pageJS), "style-src " + hashOf(pageCSS),
		"img-src data:", "connect-src 'self'", "form-action 'self'", "base-uri 'none'",
		"frame-ancestors 'none'",
	}, "; "),
	"X-Content-Type-Options": "nosniff",
	"Cache-Control":          "no-store",
	"Referrer-Policy":        "no-referrer",
}

func hashOf(s string) string {
	sum := sha256.Sum256([]byte(s))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}
