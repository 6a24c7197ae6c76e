import { flushCompileCache } from 'node:module'

/** The script side of `spawnScript`: answers questions until the parent has ended. */
export function answer(answers: Readonly<Record<string, (...values: never[]) => unknown>>): void {
  // Such a process is killed in the end, so without this the next one would get none of its compiled code.
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
