// What the test tells the program under test while that runs: a page of a file
// that both have mapped. The place is free in every Go program.
struct control {
	volatile long step;   // of the wall clock, in nanoseconds
	volatile long delay;  // of each sync of a file, in microseconds
	volatile long synced; // syncs that were delayed: counted, for the report
	volatile long asked;  // clocks that are this one: programs started with it
};

#define CONTROL ((struct control *)0x200000000000)
