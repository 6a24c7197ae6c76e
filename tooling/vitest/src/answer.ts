import { flushCompileCache } from 'node:module'

/** The side of a script that `spawnScript` has started: answers questions until the parent is gone. */
export function answer(answers: Readonly<Record<string, (...values: never[]) => unknown>>): void {
  // Such a process is killed in the end, and would leave nothing of what it has compiled to the next one.
  flushCompileCache()
  process.on('disconnect', () => process.exit(0))
  process.on('message', (asked: { id: number; question: string; args: never[] }) => {
    void (async () => {
      const { id, question } = asked
      try {
        process.send?.({ id, value: await answers[question]?.(...asked.args) })
      } catch (error) {
        process.send?.({ id, error: error instanceof Error ? `${error.name}: ${error.message}` : String(error) })
      }
    })()
  })
}
