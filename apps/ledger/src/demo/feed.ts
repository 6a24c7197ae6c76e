import { isLedgerError } from '../errors.ts'
import type { Task } from './input.ts'
import type { Crew } from './crew.ts'
import type { Branch } from './accounts.ts'

export interface FeedProgress {
  done: number
  /** How many of them already existed from an earlier start. */
  known: number
  readonly total: number
}

/** The number of tasks that a peer works on at once. They share its writes to disk. */
const concurrency = 4

/**
 * Gives a peer its tasks. While the peer is down it waits, and then asks again. The reference of a task prevents a
 * second entry after a lost answer.
 */
export async function feed(
  crew: Crew,
  name: Branch,
  tasks: readonly Task[],
  progress: FeedProgress,
  signal: AbortSignal,
  resumed: boolean
): Promise<void> {
  const rest = tasks.values()
  const worker = async (): Promise<void> => {
    for (const task of rest) {
      const created = await giveTask(crew, name, task, signal)
      progress.done++
      if (resumed && !created) progress.known++
      crew.changed()
    }
  }
  await Promise.all(Array.from({ length: concurrency }, worker))
}

/** Returns whether the entry is new. */
export async function giveTask(crew: Crew, name: Branch, task: Task, signal: AbortSignal): Promise<boolean> {
  for (;;) {
    const peer = await crew.running(name, signal)
    try {
      // `force`: the network must reject wrong input, not the node that writes it.
      const { created } =
        task.type === 'transfer'
          ? await peer.ledger.transfer({ ...withoutType(task), force: true }, { signal })
          : await peer.ledger.record({ ...withoutType(task), content: [task.content] }, { signal })
      return created
    } catch (error) {
      signal.throwIfAborted()
      if (!isLedgerError(error, 'UNAVAILABLE')) throw error
      await crew.gone(peer, signal)
    }
  }
}

function withoutType<T extends Task>({ type: _type, ...rest }: T): Omit<T, 'type'> {
  return rest
}
