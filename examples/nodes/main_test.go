package main

func Example() {
	main()
	// Output:
	// tenant 7: the export begins
	// tenant 8: document 1 is edited
	// tenant 7: the export ends
	// tenant 7: document 1 is edited
}
