package page

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"testing"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

// A stuckReader takes the header of an answer, and none of its bytes until read is closed. Then it may fail, or panic.
type stuckReader struct {
	httptest.ResponseRecorder
	status        int
	read          chan struct{}
	fails, panics bool
}

func (s *stuckReader) WriteHeader(status int) { s.status = status }

func (s *stuckReader) Write(p []byte) (int, error) {
	<-s.read
	switch {
	case s.panics:
		panic("the reader has gone")
	case s.fails:
		return len(p) / 2, errors.New("the reader has gone")
	}
	return len(p), nil
}

func newStuckReader() *stuckReader {
	return &stuckReader{ResponseRecorder: *httptest.NewRecorder(), read: make(chan struct{})}
}

// submitWide makes requests of many claims, which all hold.
func submitWide(t testing.TB, m *paths, requests, claims int, name string) {
	t.Helper()
	for i := range requests {
		nodes := make([]treelock.Path, claims)
		for j := range nodes {
			nodes[j] = treelock.PathOf("wide", fmt.Sprint(i), fmt.Sprint(j)+name)
		}
		if _, err := m.Submit(t.Context(), treelock.Read(nodes...).Labeled("wide")); err != nil {
			t.Fatal(err)
		}
	}
}

// BenchmarkPageBytes reports how long an answer is, with 300,000 claims held by five requests.
func BenchmarkPageBytes(b *testing.B) {
	ctx, cancel := context.WithCancel(b.Context())
	m := manager.Start(ctx)
	defer func() { cancel(); <-m.Done() }()
	submitWide(b, m, 5, 60_000, "")
	handler := Handler(m)
	for _, query := range []string{"format=html", "format=json", "format=json&limit=1", "format=dot"} {
		b.Run(query, func(b *testing.B) {
			bytes := 0
			for b.Loop() {
				answer := httptest.NewRecorder()
				handler.ServeHTTP(answer, httptest.NewRequest("GET", "/?"+query, nil))
				bytes = answer.Body.Len()
			}
			b.ReportMetric(float64(bytes), "answer-bytes")
		})
	}
}

// BenchmarkPageSlowReaders reports what the heap has more when ten readers do not read their answers.
func BenchmarkPageSlowReaders(b *testing.B) {
	ctx, cancel := context.WithCancel(b.Context())
	m := manager.Start(ctx)
	defer func() { cancel(); <-m.Done() }()
	submitWide(b, m, 5, 60_000, "")
	handler := Handler(m)
	more := 0.0
	for b.Loop() {
		before := heap()
		ended := make(chan struct{})
		reader := newStuckReader()
		inWrite := make(chan struct{}, 10)
		for range 10 {
			go func() {
				w := &announced{reader, inWrite}
				handler.ServeHTTP(w, httptest.NewRequest("GET", "/?format=json", nil))
				ended <- struct{}{}
			}()
		}
		for range 10 {
			<-inWrite
		}
		more = heap() - before
		close(reader.read)
		for range 10 {
			<-ended
		}
	}
	b.ReportMetric(more/1e6, "kept-MB")
}

// announced tells when an answer is being written.
type announced struct {
	*stuckReader
	inWrite chan struct{}
}

func (a *announced) Header() http.Header { return make(http.Header) }

func (a *announced) WriteHeader(int) {}

func (a *announced) Write(p []byte) (int, error) {
	a.inWrite <- struct{}{}
	return a.stuckReader.Write(p)
}

func heap() float64 {
	runtime.GC()
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return float64(stats.HeapAlloc)
}
