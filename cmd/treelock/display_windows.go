package main

import "os"

// canDraw says that no terminal is drawn on: the older ones understand nothing that moves in them.
const canDraw = false

func notifyRedraw(chan<- os.Signal) {}

func stopNotify(chan<- os.Signal) {}
