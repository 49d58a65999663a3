package main

import (
	"net/http"
)

type userList struct{}

func readUsers(string) (*userList, error) { return &userList{}, nil }

func (*userList) guard(h http.Handler) http.Handler { return h }
