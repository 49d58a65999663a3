package main

import (
	"log/slog"
	"net/http"
	"time"
)

// logged returns a handler that writes a line for each request of h.
func logged(logger *slog.Logger, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		counted := &countingWriter{ResponseWriter: w}
		defer func() {
			logger.Info("request", "remote", r.RemoteAddr, "user", counted.user, "method", r.Method, "path", r.URL.Path,
				"status", counted.status, "bytes", counted.bytes, "took", time.Since(began))
		}()
		h.ServeHTTP(counted, r)
	})
}

// A countingWriter records the status and the size of an answer. The status is 0 if there was none.
type countingWriter struct {
	http.ResponseWriter
	user   string // the one whose password was verified, "" if none was
	status int
	bytes  int64
}

// Unwrap lets an [http.ResponseController] find the connection.
func (w *countingWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *countingWriter) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *countingWriter) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(p)
	w.bytes += int64(n)
	return n, err
}
