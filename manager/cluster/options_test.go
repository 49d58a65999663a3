package cluster

import (
	"log/slog"
	"testing"
)

func TestNoLoggerMeansTheDefault(t *testing.T) {
	if got := buildOptions([]Option{WithLogger(nil)}).logger; got != slog.Default() {
		t.Errorf("the logger is %v, want the default", got)
	}
}
