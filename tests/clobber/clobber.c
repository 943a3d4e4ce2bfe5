/*
 * A library for tests: overwrites memory that is freed, and never gives it out again.
 *
 * PostgreSQL does that itself where it is built with CLOBBER_FREED_MEMORY, which no package is. Here the first bytes of
 * pfree() are replaced by a jump, in a server that preloads this library: what reads a freed path, or a list that has
 * one, meets 0x7f in every byte and crashes at once, whatever the planner allocated since. Nothing is given back before
 * its context is reset or deleted, so it is for sessions that plan, and not for servers that work.
 */
#include "postgres.h"

#include <sys/mman.h>
#include <unistd.h>

#include "fmgr.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#if PG_VERSION_NUM >= 160000
#include "utils/memutils_internal.h"
#endif

#if !defined(__x86_64__)
#error "the jump is x86-64 code"
#endif

PG_MODULE_MAGIC;

void		_PG_init(void);

static bool is_on = false;

/* Bytes before and after a chunk that are the allocator's: 16 up to version 15, 8 since. */
#define HEADER 16

static void
overwrite(void *pointer)
{
	Size		size;

#if PG_VERSION_NUM >= 160000
	/* A chunk that points to another one, for alignment: its size is the other's. */
	uint64		header = *((uint64 *) ((char *) pointer - sizeof(uint64)));

	if ((header & MEMORY_CONTEXT_METHODID_MASK) == MCTX_ALIGNED_REDIRECT_ID)
		return;
#endif
	size = GetMemoryChunkSpace(pointer);
	if (size > HEADER)
		memset(pointer, 0x7f, size - HEADER);
}

void
_PG_init(void)
{
	unsigned char *code = (unsigned char *) pfree;
	uintptr_t	target = (uintptr_t) overwrite;
	size_t		page = (size_t) sysconf(_SC_PAGESIZE);
	uintptr_t	begin = (uintptr_t) code & ~(uintptr_t) (page - 1);

	if (mprotect((void *) begin, 2 * page, PROT_READ | PROT_WRITE | PROT_EXEC) != 0)
		ereport(ERROR, (errmsg("clobber: the server's code cannot be changed: %m")));
	/* movabs rax, target; jmp rax */
	code[0] = 0x48;
	code[1] = 0xb8;
	memcpy(code + 2, &target, sizeof(target));
	code[10] = 0xff;
	code[11] = 0xe0;
	mprotect((void *) begin, 2 * page, PROT_READ | PROT_EXEC);
	is_on = true;
	DefineCustomBoolVariable("clobber.is_on", "Whether freed memory is overwritten.", NULL, &is_on, true,
							 PGC_INTERNAL, 0, NULL, NULL, NULL);
}
