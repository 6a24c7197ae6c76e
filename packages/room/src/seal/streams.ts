import { systemClock } from '@p2pl/core'

/** Chunks of 64 KiB that are encrypted before other work has a turn: a few milliseconds. */
const chunksPerTurn = 8

/** Gives timers and input a turn. */
export async function turn(): Promise<void> {
  await new Promise<void>((resolve) => {
    systemClock.nextTurn(resolve)
  })
}

/**
 * The output of `transform` for the source. When the iteration ends, the source is ended as well. An error of the source is
 * thrown unchanged; any other error goes through `explain`.
 */
export async function* through(
  source: AsyncIterator<Uint8Array>,
  transform: (stream: ReadableStream<Uint8Array>) => Promise<ReadableStream<Uint8Array>>,
  explain: (error: unknown) => Error
): AsyncGenerator<Uint8Array> {
  let failed: { readonly error: unknown } | undefined
  const stream = new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        try {
          const item = await source.next()
          if (item.done === true) controller.close()
          // A copy, because the source may change the bytes before they are encrypted.
          else controller.enqueue(new Uint8Array(item.value))
        } catch (error) {
          failed = { error }
          controller.error(error)
        }
      }
    },
    { highWaterMark: 0 }
  )
  let reader: ReadableStreamDefaultReader<Uint8Array> | undefined
  try {
    reader = (await transform(stream)).getReader()
    for (let count = 1; ; count++) {
      const item = await reader.read()
      if (item.done) return
      if (item.value.byteLength > 0) yield item.value
      if (count % chunksPerTurn === 0) await turn()
    }
  } catch (error) {
    throw failed === undefined ? explain(error) : failed.error
  } finally {
    // Nobody waits for either: the source may be stuck.
    reader?.cancel().catch(() => undefined)
    Promise.resolve(source.return?.()).catch(() => undefined)
  }
}
