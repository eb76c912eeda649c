// What a machine does to a program, for tests of the chaos kind: loaded before it
// (LD_PRELOAD), it slows down the disk and sets the clock, while the program runs,
// as the page of control.h says. Two files are named in the environment: that
// page (CHAOS_CONTROL), and the clock that was made of clock.c (CHAOS_CLOCK).
#define _GNU_SOURCE
#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control.h"

static void *map(const char *name, void *at, int protection, int flags) {
	const char *path = getenv(name);
	struct stat st;
	int file = path ? open(path, flags & MAP_SHARED ? O_RDWR : O_RDONLY) : -1;
	if (file < 0 || fstat(file, &st)) {
		fprintf(stderr, "chaos: %s is %s, which cannot be opened\n", name, path ? path : "not set");
		_exit(3);
	}
	void *mapped = mmap(at, st.st_size, protection, flags | (at ? MAP_FIXED_NOREPLACE : 0), file, 0);
	close(file);
	if (mapped == MAP_FAILED) {
		perror("chaos: mmap");
		_exit(3);
	}
	return mapped;
}

// The arguments stand on the stack, behind them the environment, and behind that
// what the kernel told of itself; Go's start reads it there after us.
__attribute__((constructor)) static void begin(int argc, char **argv, char **environment) {
	map("CHAOS_CONTROL", CONTROL, PROT_READ | PROT_WRITE, MAP_SHARED);
	void *clock = map("CHAOS_CLOCK", NULL, PROT_READ | PROT_EXEC, MAP_PRIVATE);
	while (*environment)
		environment++;
	for (Elf64_auxv_t *v = (Elf64_auxv_t *)(environment + 1); v->a_type != AT_NULL; v++)
		if (v->a_type == AT_SYSINFO_EHDR) {
			v->a_un.a_val = (unsigned long)clock;
			__sync_fetch_and_add(&CONTROL->asked, 1);
		}
	(void)argc, (void)argv;
}

static int slowly(const char *name, int file) {
	if (CONTROL->delay > 0) {
		__sync_fetch_and_add(&CONTROL->synced, 1);
		usleep(CONTROL->delay);
	}
	return ((int (*)(int))dlsym(RTLD_NEXT, name))(file);
}

int fsync(int file) { return slowly("fsync", file); }
int fdatasync(int file) { return slowly("fdatasync", file); }
