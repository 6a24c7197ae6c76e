import { isLedgerError } from '../errors.ts'
import type { Task } from './input.ts'
import type { Crew } from './crew.ts'
import type { Branch } from './accounts.ts'

export interface FeedProgress {
  done: number
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
  signal: AbortSignal
): Promise<void> {
  const rest = tasks.values()
  const worker = async (): Promise<void> => {
    for (const task of rest) {
      await giveTask(crew, name, task, signal)
      progress.done++
      crew.changed()
    }
  }
  await Promise.all(Array.from({ length: concurrency }, worker))
}

export async function giveTask(crew: Crew, name: Branch, task: Task, signal: AbortSignal): Promise<void> {
  for (;;) {
    const member = await crew.running(name, signal)
    try {
      // `force`: what is wrong in the input is for the network to reject, not for one node to keep back.
      if (task.type === 'transfer') await member.ledger.transfer({ ...withoutType(task), force: true }, { signal })
      else await member.ledger.record({ ...withoutType(task), content: [task.content] }, { signal })
      return
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
