import type { ChildProcess } from 'node:child_process'

/** Calls one of the functions that a script passed to `answer`. */
export type Ask = <T = void>(question: string, ...values: unknown[]) => Promise<T>

/**
 * The asking side. The process must have been started with a channel (`fork`). Questions that are unanswered when it
 * ends are rejected.
 */
export function askerOf(child: ChildProcess, name: string): Ask {
  let last = 0
  const pending = new Map<number, PromiseWithResolvers<unknown>>()
  child.on('message', (answered: { id: number; value?: unknown; error?: string }) => {
    const waiting = pending.get(answered.id)
    pending.delete(answered.id)
    if (answered.error === undefined) waiting?.resolve(answered.value)
    else waiting?.reject(new Error(answered.error))
  })
  // Not `exit`: answers sent before it may not have been read yet.
  child.on('close', () => {
    for (const waiting of pending.values()) waiting.reject(new Error(`${name} has ended`))
    pending.clear()
  })
  return async <T>(question: string, ...args: unknown[]) => {
    const id = ++last
    const waiting = Promise.withResolvers<unknown>()
    pending.set(id, waiting)
    // With a callback, a process that has ended fails only this question, and not the whole run.
    child.send({ id, question, args }, (error) => {
      if (error === null || !pending.delete(id)) return
      waiting.reject(new Error(`${name} has ended`, { cause: error }))
    })
    return (await waiting.promise) as T
  }
}
