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
			user, _, _ := r.BasicAuth()
			logger.Info("request", "remote", r.RemoteAddr, "user", user, "method", r.Method, "path", r.URL.Path,
				"status", counted.status, "bytes", counted.bytes, "took", time.Since(began))
		}()
		h.ServeHTTP(counted, r)
	})
}

// A countingWriter records the status and the size of an answer.
type countingWriter struct {
	http.ResponseWriter
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
