package where

// checkOwner does nothing: a folder for all users is no parent of theirs.
func checkOwner(string) error { return nil }
