package store

import (
	"context"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"
)

// Memory is a [Store] in memory. Its keys may be any bytes.
type Memory struct {
	mu      sync.RWMutex
	objects map[string][]byte
	keys    []string // of objects, sorted
}

// NewMemory returns a store without objects.
func NewMemory() *Memory { return &Memory{objects: make(map[string][]byte)} }

// List returns every key that starts with prefix, sorted.
func (m *Memory) List(ctx context.Context, prefix string) ([]string, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	start, _ := slices.BinarySearch(m.keys, prefix)
	end := start
	for end < len(m.keys) && strings.HasPrefix(m.keys[end], prefix) {
		end++
	}
	return append([]string(nil), m.keys[start:end]...), context.Cause(ctx)
}

// Read returns the bytes of an object.
func (m *Memory) Read(ctx context.Context, key string) ([]byte, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.get(ctx, key)
}

// Write makes or replaces an object.
func (m *Memory) Write(ctx context.Context, key string, data []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if ctx.Err() == nil {
		m.put(key, data)
	}
	return context.Cause(ctx)
}

// Copy makes or replaces the object dst with the bytes of src.
func (m *Memory) Copy(ctx context.Context, src, dst string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	data, err := m.get(ctx, src)
	if err == nil {
		m.put(dst, data)
	}
	return err
}

// Delete removes an object.
func (m *Memory) Delete(ctx context.Context, key string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, err := m.get(ctx, key)
	if err == nil {
		i, _ := slices.BinarySearch(m.keys, key)
		m.keys = slices.Delete(m.keys, i, i+1)
		delete(m.objects, key)
	}
	return err
}

// get returns the bytes of an object. Its caller holds mu.
func (m *Memory) get(ctx context.Context, key string) ([]byte, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	data, ok := m.objects[key]
	if !ok {
		return nil, fmt.Errorf("store: %q: %w", key, fs.ErrNotExist)
	}
	return data, nil
}

// put makes or replaces an object. Its caller holds mu.
func (m *Memory) put(key string, data []byte) {
	if i, found := slices.BinarySearch(m.keys, key); !found {
		m.keys = slices.Insert(m.keys, i, key)
	}
	m.objects[key] = data
}
