package main

func Example() {
	main()
	// Output: 2 goroutines, 1000 renames each: every rename found all 10 files, or none
}
