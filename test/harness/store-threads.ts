import { runCheckpoints } from '../../src/store/sqlite/checkpoint/thread.ts'
import { runReader } from '../../src/store/sqlite/reader/thread.ts'
import type { ReaderData, ThreadName, ThreadPort, WriterData } from '../../src/store/sqlite/threads.ts'
import { runWriter } from '../../src/store/sqlite/writer/thread.ts'

const RUN = {
  'writer-thread': runWriter,
  'reader-thread': runReader,
  'checkpoint-thread': runCheckpoints,
}

/** Does here what a thread of the store does: where threads are played in the main one. */
export function runStoreThread(
  name: ThreadName,
  port: ThreadPort<unknown, unknown>,
  data: WriterData | ReaderData,
): void {
  RUN[name](port as never, data)
}
