// Package trace replays what a manager did, step by step, with the model of the admission rule
// (package model). A step is one message, and what the manager answered. [Replay.Do] says whether
// the rule leads to the same answers: the number of each arrival, whether it is granted, waits or
// is refused and why, which requests end, which are granted by that, and their tokens.
//
// In builds with audits each manager replays its own steps, and panics at the first difference. So
// every test of a manager compares it with the model. The actions that were seen are counted: see
// [Seen].
//
// A Replay is pure, and slow. It follows a manager only while few requests are live: see maxLive.
package trace
