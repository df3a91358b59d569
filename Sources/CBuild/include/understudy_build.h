#ifndef UNDERSTUDY_BUILD_H
#define UNDERSTUDY_BUILD_H

/* The commit that was built, as `git describe --always --dirty` names it; empty where the build wasn't told. */
const char *understudy_commit(void);

/* The target of the build, such as x86_64-linux-gnu. */
const char *understudy_target(void);

#endif
