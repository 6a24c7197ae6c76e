import { isLedgerError } from '../errors.ts'
import type { Task } from './input.ts'
import type { Crew } from './crew.ts'
import type { Branch } from './accounts.ts'

export interface FeedProgress {
  done: number
  /** How many of these were there from an earlier start. */
  known: number
  readonly total: number
}

/** Tasks that a peer works at at once: they share its writes to disk. */
const concurrency = 4

/**
 * Gives a peer its tasks. When the peer is gone, it waits until it is back and asks again: the task's reference keeps an
 * answer that was lost from becoming a second entry.
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

/** Gives whether the entry is new. */
export async function giveTask(crew: Crew, name: Branch, task: Task, signal: AbortSignal): Promise<boolean> {
  for (;;) {
    const member = await crew.running(name, signal)
    try {
      // `force`: what is wrong in the input is for the network to reject, not for one node to keep back.
      const { created } =
        task.type === 'transfer'
          ? await member.ledger.transfer({ ...withoutType(task), force: true }, { signal })
          : await member.ledger.record({ ...withoutType(task), content: [task.content] }, { signal })
      return created
    } catch (error) {
      signal.throwIfAborted()
      if (!isLedgerError(error, 'UNAVAILABLE')) throw error
      await crew.gone(member, signal)
    }
  }
}

function withoutType<T extends Task>({ type: _type, ...rest }: T): Omit<T, 'type'> {
  return rest
}
