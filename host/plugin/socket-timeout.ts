// How long sockets of plugins wait where a call does not say: `--socket-timeout`, which each thread sets at its start.

/** In seconds. What stands here is uWSGI's default, for code that runs outside of a server's threads. */
export const socketDefaults = { timeout: 4 }
