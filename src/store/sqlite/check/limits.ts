/** Limits of the checker, each with its reason. */

/** Findings of one kind that are told one by one: a table that is lost would else fill the screen for an hour. */
export const FINDINGS_PER_KIND = 200
/** Lines of SQLite's own check; the first damaged page can bring thousands behind it. */
export const PAGE_LINES = 500
/**
 * A database up to this many pages (256 MiB) is gone through by SQLite in one piece, some two seconds, while mail
 * flows: as long its log cannot be cut back. A larger one is looked at table by table then.
 */
export const PAGES_AT_ONCE = 65_536
/** Bodies whose ids are asked for at once, and that make one step of progress. */
export const BODY_SLICE = 500
/** Read from a body file at a time. */
export const READ_BYTES = 256 * 1024
/** Ids tried one by one behind a page of ids that cannot be read; a page holds fewer. */
export const PROBED_IDS = 1000
/** Rows of one rule that a repair holds at once; the next pass takes the next ones. */
export const REPAIR_ROWS = 10_000
/** A repair can bring up another; more passes than this only count the rows of a table that is lost. */
export const REPAIR_PASSES = 1000
/** How often a step of progress is handed on: a person reads no faster. */
export const PROGRESS_EVERY_MS = 250
/** JavaScript's memory of the checking thread; one body (256 KiB) and one table of findings are held at a time. */
export const THREAD_HEAP_MIB = 256

/** So far ids are tried one by one where neither bodies nor messages tell which there are: some seconds of work. */
export const GUESSED_IDS = 1_000_000
