/** The other side: answers questions until the parent is gone. */
export function answer(answers: Readonly<Record<string, (...values: never[]) => unknown>>): void {
  process.on('disconnect', () => process.exit(0))
  process.on('message', (asked: { id: number; question: string; args: never[] }) => {
    void (async () => {
      try {
        process.send?.({ id: asked.id, value: await answers[asked.question]?.(...asked.args) })
      } catch (error) {
        process.send?.({
          id: asked.id,
          error: error instanceof Error ? `${error.name}: ${error.message}` : String(error)
        })
      }
    })()
  })
}
