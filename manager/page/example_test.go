package page_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"

	"github.com/treelock/treelock/manager"
	"github.com/treelock/treelock/manager/page"
)

func ExampleHandler() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	m := manager.Start(ctx)

	mux := http.NewServeMux()
	mux.Handle("/debug/locks", page.Handler(m))

	answer := httptest.NewRecorder()
	mux.ServeHTTP(answer, httptest.NewRequest("GET", "/debug/locks", nil))
	fmt.Println(answer.Code, answer.Header().Get("Content-Type"))
	// Output: 200 text/html; charset=utf-8
}

// A folder is a node of another type: folder 6 lies in 3, which lies in 1.
type folder int

func (f folder) Parent() (folder, bool) { return f / 2, f > 1 }

// With the filter 6 the page shows the requests that reach folder 6 or a folder below it.
func ExampleHandlerNodes() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	m := manager.StartNodes[folder](ctx)
	handler := page.HandlerNodes(m, func(text string) (folder, error) {
		n, err := strconv.Atoi(text)
		if err != nil {
			return 0, fmt.Errorf("folder %q: type a number", text)
		}
		return folder(n), nil
	})

	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, httptest.NewRequest("GET", "/?below=6&format=dot", nil))
	fmt.Println(answer.Code)
	// Output: 200
}
