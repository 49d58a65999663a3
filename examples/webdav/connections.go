package main

import (
	"net"
	"net/http"
	"sync"
)

// limitConnections returns a hook of a server that closes a new connection of an address that has
// most already. So one client leaves descriptors and memory for others.
func limitConnections(most int) func(net.Conn, http.ConnState) {
	var mu sync.Mutex
	open := map[string]int{}
	refused := map[net.Conn]bool{}
	return func(c net.Conn, state http.ConnState) {
		host, _, err := net.SplitHostPort(c.RemoteAddr().String())
		if err != nil {
			return
		}
		mu.Lock()
		defer mu.Unlock()
		switch state {
		case http.StateNew:
			if open[host] >= most {
				refused[c] = true
				c.Close()
				return
			}
			open[host]++
		case http.StateClosed:
			if refused[c] {
				delete(refused, c)
			} else if open[host]--; open[host] == 0 {
				delete(open, host)
			}
		}
	}
}
