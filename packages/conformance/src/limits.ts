/** Longest that a case waits for anything. Far above what a loaded machine needs, far below the runner's own limit, so that the case can say what it waited for. */
export const caseLimitMs = 10_000

/** What is pushed at a reader that does not read. Many times what all socket buffers of a path hold together. */
export const pressureBytes: number = 100 * 1024 * 1024

/** Rows of the large table of RFC. More than a path may hold, and little enough to be made in memory. */
export const tableBytes: number = 64 * 1024 * 1024

/** What a path may hold while its reader sleeps: kernel buffers of up to 4 MiB and 6 MiB on each of three hops, and room. Beyond that something collects. */
export const heldBytes: number = 48 * 1024 * 1024

/** A writer that got no `drain` for so long counts as stopped. Nothing is lost when a slow machine makes that a little early. */
export const quietMs = 250

/** How late a consumer attaches in the case about early bytes. */
export const lateConsumerMs = 50

/** How long a long request or answer of an adapter is: more than a path may hold, so that whoever collects is found out. */
export const longContentBytes: number = 64 * 1024 * 1024
