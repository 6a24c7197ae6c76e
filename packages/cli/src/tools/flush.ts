import { once } from 'node:events'
import process from 'node:process'

/**
 * Resolves when all output has been passed to its reader, however slow that is, or when the signal fires. The process must
 * not end before.
 */
export async function flushOutput(signal: AbortSignal): Promise<void> {
  const written = Promise.all(
    [process.stdout, process.stderr].map(
      async (stream) =>
        await new Promise<void>((resolve) => {
          if (stream.writableLength === 0) resolve()
          // Called once everything before it has been passed on.
          else stream.write('', () => resolve())
        })
    )
  )
  await Promise.race([written, signal.aborted ? undefined : once(signal, 'abort')])
}
