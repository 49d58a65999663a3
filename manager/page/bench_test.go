package page

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

// startBench returns the page of a manager that stops at the end of the benchmark.
func startBench(b *testing.B) (nodesHarness, *manager.Manager[treelock.Path]) {
	m := manager.Start(b.Context())
	b.Cleanup(func() { <-m.Done() })
	return nodesHarness{nil, Handler(m)}, m
}

// BenchmarkPage gets a page with maxLimit writers in one queue.
func BenchmarkPage(b *testing.B) {
	h, m := startBench(b)
	for range maxLimit {
		if _, err := m.Submit(b.Context(), treelock.Write("/a/b/c/d").Labeled("save")); err != nil {
			b.Fatal(err)
		}
	}
	for _, query := range []string{"", "?format=json", "?format=dot"} {
		b.Run("query="+query, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				h.get("/" + query)
			}
		})
	}
}

// BenchmarkPageBytes reports the length of an answer, with 300,000 claims of five holders.
func BenchmarkPageBytes(b *testing.B) {
	h, m := startBench(b)
	submitWide(b, m, 5, 60_000, "")
	for _, query := range []string{"format=html", "format=json", "format=json&limit=1", "format=dot"} {
		b.Run(query, func(b *testing.B) {
			bytes := 0
			for b.Loop() {
				bytes = h.get("/?" + query).Body.Len()
			}
			b.ReportMetric(float64(bytes), "answer-bytes")
		})
	}
}

// BenchmarkPageSlowReaders reports the memory that ten readers keep that do not read their answers.
func BenchmarkPageSlowReaders(b *testing.B) {
	h, m := startBench(b)
	submitWide(b, m, 5, 60_000, "")
	kept := 0.0
	for b.Loop() {
		before, ended := heap(), make(chan struct{})
		reader := blockingReader{newStuckReader(), make(chan struct{})}
		for range 10 {
			go func() {
				h.handler.ServeHTTP(&reader, httptest.NewRequest("GET", "/?format=json", nil))
				ended <- struct{}{}
			}()
		}
		for range 10 {
			<-reader.inWrite
		}
		kept = heap() - before
		close(reader.read)
		for range 10 {
			<-ended
		}
	}
	b.ReportMetric(kept/1e6, "kept-MB")
}

// A blockingReader is a stuckReader for several goroutines, which tells when one of them writes.
type blockingReader struct {
	*stuckReader
	inWrite chan struct{}
}

func (r *blockingReader) Header() http.Header { return make(http.Header) }

func (r *blockingReader) WriteHeader(int) {}

func (r *blockingReader) Write(p []byte) (int, error) {
	r.inWrite <- struct{}{}
	return r.stuckReader.Write(p)
}
