// The clock of a program under test. A Go program asks the kernel's vDSO for the
// time, not the C library, so faults.c gives it this one in its place: the right
// time, plus what the test says. Only the wall clock steps; the monotonic one
// goes on, as on a machine that is set right.
#include <sys/syscall.h>
#include <time.h>

#include "control.h"

static long ask(long clock, struct timespec *at) {
	long result;
	__asm__ volatile("syscall" : "=a"(result) : "a"(SYS_clock_gettime), "D"(clock), "S"(at) : "rcx", "r11", "memory");
	return result;
}

int __vdso_clock_gettime(clockid_t clock, struct timespec *at) {
	long failed = ask(clock, at);
	if (failed || clock != CLOCK_REALTIME)
		return failed;
	long step = CONTROL->step; // of nanoseconds; one read, for it may change meanwhile
	at->tv_sec += step / 1000000000;
	at->tv_nsec += step % 1000000000;
	if (at->tv_nsec < 0) {
		at->tv_nsec += 1000000000;
		at->tv_sec--;
	}
	if (at->tv_nsec >= 1000000000) {
		at->tv_nsec -= 1000000000;
		at->tv_sec++;
	}
	return 0;
}
