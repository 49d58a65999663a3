package bucket

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/treelock/treelock/examples/webdav/internal/files"
)

// Rename moves a file or folder, with its properties. A file may replace a file.
func (b *Bucket) Rename(ctx context.Context, from, to string) error {
	fromKey, err := memberKey("rename", from)
	if err != nil {
		return err
	}
	toKey, err := memberKey("rename", to)
	if err != nil {
		return err
	}
	source, err := b.find(ctx, "rename", fromKey)
	if err != nil || fromKey == toKey {
		return err
	}
	if strings.HasPrefix(toKey, mark(fromKey)) {
		return failed("rename", fromKey, fs.ErrInvalid)
	}
	if err := b.needFolder(ctx, "rename", parent(toKey)); err != nil {
		return err
	}
	old, err := b.find(ctx, "rename", toKey)
	if errors.Is(err, fs.ErrNotExist) {
		return b.move(ctx, "rename", source, placeOf(fromKey), placeOf(toKey))
	}
	if err == nil && (old.folder || source.folder) {
		err = failed("rename", toKey, fs.ErrExist)
	}
	if err != nil {
		return err
	}
	aside, err := b.setAside(ctx, toKey)
	if err != nil {
		return err
	}
	err = b.move(ctx, "rename", source, placeOf(fromKey), placeOf(toKey))
	switch {
	case err == nil:
		aside.Discard()
	case !errors.Is(err, files.ErrHalfway):
		err = errors.Join(err, aside.Restore(context.WithoutCancel(ctx)))
	}
	return err
}

// A place is where a file or folder is, or goes.
type place struct{ key, props string }

func placeOf(key string) place { return place{key, propsKey(key)} }

// A step is the way of one object.
type step struct{ from, to string }

// steps returns the ways of all objects of a file or folder.
func (b *Bucket) steps(ctx context.Context, op string, i *info, from, to place) ([]step, error) {
	var steps []step
	if i.folder {
		keys, err := b.below(ctx, op, i)
		if err != nil {
			return nil, err
		}
		for _, key := range keys {
			steps = append(steps, step{key, mark(to.key) + strings.TrimPrefix(key, mark(from.key))})
		}
	} else {
		steps = append(steps, step{from.key, to.key})
	}
	props, err := b.exists(ctx, from.props)
	if err != nil {
		return nil, failed(op, from.key, err)
	}
	if props {
		steps = append(steps, step{from.props, to.props})
	}
	for _, s := range steps {
		if len(s.to) > longestOfAll {
			return nil, failed(op, s.from, errTooLong)
		}
	}
	return steps, nil
}

// move copies all objects of a file or folder to a place where nothing is, and then removes them.
// If it fails, all is as it was before, or the error is a [files.ErrHalfway].
func (b *Bucket) move(ctx context.Context, op string, i *info, from, to place) error {
	steps, err := b.steps(ctx, op, i, from, to)
	if err == nil {
		err = b.remove(ctx, to.props) // what a failure has left
	}
	if err == nil {
		err = b.keepFolder(ctx, op, parent(from.key))
	}
	if err != nil {
		return err
	}
	err = each(ctx, steps, func(ctx context.Context, s step) error {
		return failed(op, s.from, b.objects.Copy(ctx, s.to, s.from, nil))
	})
	ctx = context.WithoutCancel(ctx) // what has begun is better ended
	if err == nil {
		var keys []string
		for _, s := range steps {
			keys = append(keys, s.from)
		}
		if err = b.removeAll(ctx, keys); err == nil {
			return nil
		}
		if undo := b.copyBack(ctx, op, steps); undo != nil {
			return fmt.Errorf("%w: %w; %w", files.ErrHalfway, err, undo)
		}
	}
	_ = each(ctx, steps, func(ctx context.Context, s step) error {
		_ = b.remove(ctx, s.to) // the source is whole
		return nil
	})
	return err
}

// copyBack makes again what was removed of a source.
func (b *Bucket) copyBack(ctx context.Context, op string, steps []step) error {
	return each(ctx, steps, func(ctx context.Context, s step) error {
		whole, err := b.exists(ctx, s.from)
		if err == nil && !whole {
			err = b.objects.Copy(ctx, s.from, s.to, nil)
		}
		return failed(op, s.from, err)
	})
}

// keepFolder makes the mark of a folder that may lose its last member.
func (b *Bucket) keepFolder(ctx context.Context, op, key string) error {
	if key == "" || files.Hidden(key) {
		return nil
	}
	marked, err := b.exists(ctx, mark(key))
	if err == nil && !marked {
		return b.writeMark(ctx, op, key)
	}
	return failed(op, key, err)
}

// RemoveAll removes a file, or a folder and all below, with their properties. If it fails in the
// middle, the error names an object that is left.
func (b *Bucket) RemoveAll(ctx context.Context, name string) error {
	key, err := memberKey("remove", name)
	if err != nil {
		return err
	}
	i, err := b.find(ctx, "remove", key)
	if err != nil {
		return err
	}
	keys := []string{key}
	if i.folder {
		if keys, err = b.below(ctx, "remove", i); err != nil {
			return err
		}
	}
	if props, err := b.exists(ctx, propsKey(key)); err != nil {
		return failed("remove", key, err)
	} else if props {
		keys = append(keys, propsKey(key))
	}
	if err := b.keepFolder(ctx, "remove", parent(key)); err != nil {
		return err
	}
	return b.removeAll(ctx, keys)
}

// removeAll removes objects: files, each after its properties, then other hidden objects, and the
// marks at last, from below. So what is left if it fails is shown.
func (b *Bucket) removeAll(ctx context.Context, keys []string) error {
	props := map[string]bool{}
	var plain, marks []string
	for _, key := range keys {
		switch {
		case files.Hidden(key):
			props[key] = true
		case strings.HasSuffix(key, "/"):
			marks = append(marks, key)
		default:
			plain = append(plain, key)
		}
	}
	own := func(key string) string { // the properties of a file, if it has some
		if p := propsKey(key); props[p] {
			return p
		}
		return ""
	}
	err := each(ctx, plain, func(ctx context.Context, key string) error { return b.removeFile(ctx, key, own(key)) })
	if err != nil {
		return err
	}
	for _, key := range plain {
		delete(props, own(key))
	}
	var hidden []string
	for key := range props {
		hidden = append(hidden, key)
	}
	if err := each(ctx, hidden, b.remove); err != nil {
		return err
	}
	slices.Sort(marks)
	for _, key := range slices.Backward(marks) {
		if err := b.remove(ctx, key); err != nil {
			return err
		}
	}
	return nil
}

// removeFile removes a file after its properties, if it has some. If it cannot, it puts them back:
// a file that is made later must not have them.
func (b *Bucket) removeFile(ctx context.Context, key, props string) error {
	var text []byte
	var err error
	if props != "" {
		if text, err = b.readProps(ctx, key); err == nil {
			err = b.remove(ctx, props)
		}
	}
	if err == nil {
		err = b.remove(ctx, key)
	}
	if err != nil && text != nil {
		_ = b.writeProps(context.WithoutCancel(ctx), key, text)
	}
	return err
}
