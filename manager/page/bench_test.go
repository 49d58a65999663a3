package page

import (
	"context"
	"net/http/httptest"
	"testing"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

// BenchmarkPage looks at a manager with as many writers in one queue as a page looks at.
func BenchmarkPage(b *testing.B) {
	ctx, cancel := context.WithCancel(b.Context())
	m := manager.Start(ctx)
	defer func() { cancel(); <-m.Done() }()
	for range mostRows {
		if _, err := m.Submit(ctx, treelock.Write("/a/b/c/d").Labeled("save")); err != nil {
			b.Fatal(err)
		}
	}
	handler := Handler(m)
	for _, query := range []string{"", "?format=json", "?format=dot"} {
		b.Run("query="+query, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/"+query, nil))
			}
		})
	}
}
